"""The bounds of a run over pictures, and what it has come to, whatever the work."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from adspark.markdown import escape_markdown

_MOST_NAMED = 20  # failures in a summary


class RunStop(StrEnum):
    """What ended a run before all pictures were done."""

    PICTURES = "the pictures of a run"
    BYTES = "the bytes of a run"
    TIME = "the time of a run"
    DISK = "the disk bound of the archive"


@dataclass(frozen=True)
class RunBounds:
    """The bounds of one run."""

    pictures: int  # that are begun at most
    seconds: float  # after which none is begun


class FailedPicture(BaseModel):
    """An attempt that failed; `is_given_up` says that it was the last one."""

    ad_creative_id: str
    cause: str
    is_given_up: bool


class PictureSummary(BaseModel):
    """What a run over pictures has come to."""

    failed: int = 0  # attempts that failed, and are made again later
    given_up: int = 0  # pictures that failed too often
    waiting: int = 0  # pictures that are not done yet, those that failed among them
    stop: RunStop | None = None  # what ended it before all that was due had been tried
    problem: str | None = None  # why something cannot be done here, and what to do
    failures: list[FailedPicture] = []  # the first of them

    @property
    def headline(self) -> str:
        """The summary in one line."""
        return self._describe()

    def markdown(self, done: str) -> str:
        """The headline and what failed, as a page; `done` is what the run does, as `archived`."""
        lines = [f"**{escape_markdown(self.headline)}**"]
        if self.failures:
            lines += ["", f"| ad | not {done}, because | |", "| --- | --- | --- |"]
        for one in self.failures:
            later = "given up" if one.is_given_up else "tried again later"
            lines.append(f"| {one.ad_creative_id} | {escape_markdown(one.cause)} | {later} |")
        return "\n".join(lines)

    def add_failure(self, failure: FailedPicture) -> None:
        """Count an attempt that failed, and name it if it is among the first."""
        self.given_up += failure.is_given_up
        self.failed += not failure.is_given_up
        if len(self.failures) < _MOST_NAMED:
            self.failures.append(failure)

    def _describe(self, *done: str) -> str:
        """What was done and what was not, in one line."""
        counts = (
            (self.failed, "failed for now"),
            (self.given_up, "given up"),
            (self.waiting, "wait"),
        )
        line = ", ".join([*done, *(f"{number:,} {what}" for number, what in counts if number)])
        return f"{line}; ended by {self.stop}" if self.stop else line
