"""The bounds of a run of the archive, and what it has come to."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel

from adspark.archive.counts import show_megabytes


class ArchiveStop(StrEnum):
    """What ended a run before all pictures were kept."""

    PICTURES = "the pictures of a run"
    BYTES = "the bytes of a run"
    TIME = "the time of a run"
    DISK = "the disk bound of the archive"


@dataclass(frozen=True)
class ArchiveBounds:
    """The bounds of one run.

    Attributes:
        pictures: that are begun at most.
        bytes: after which none is begun.
        seconds: after which none is begun.
        kept_bytes: of the whole archive, from which on none is begun.
    """

    pictures: int
    bytes: int
    seconds: float
    kept_bytes: int


class FailedPicture(BaseModel):
    """An attempt that failed; `is_given_up` says that it was the last one."""

    ad_creative_id: str
    cause: str
    is_given_up: bool


class ArchiveSummary(BaseModel):
    """What a run has archived; the result of `archive-creatives`.

    Attributes:
        stored: versions whose picture is kept now.
        bytes: of them, with their thumbnails.
        failed: attempts that failed, and are made again later.
        given_up: pictures that failed too often.
        waiting: versions that are not kept yet, those that failed among them.
        stop: what ended it before all that was due had been tried.
        problem: why previews were not rendered.
        failures: the first of them.
    """

    stored: int = 0
    bytes: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0
    stop: ArchiveStop | None = None
    problem: str | None = None
    failures: list[FailedPicture] = []

    @property
    def headline(self) -> str:
        """What was archived, in one line."""
        parts = [f"{self.stored:,} pictures stored ({show_megabytes(self.bytes)})"]
        parts += [f"{self.failed:,} failed for now"] if self.failed else []
        parts += [f"{self.given_up:,} given up"] if self.given_up else []
        parts += [f"{self.waiting:,} wait"] if self.waiting else []
        line = ", ".join(parts)
        if self.stop is not None:
            line += f"; ended by {self.stop}"
        return f"{line}; previews: {self.problem}" if self.problem else line
