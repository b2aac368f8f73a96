"""The bounds of a run that reads words, and what it has come to."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel


class WordsStop(StrEnum):
    """What ended a run before all pictures were read."""

    PICTURES = "the pictures of a run"
    TIME = "the time of a run"


@dataclass(frozen=True)
class WordsBounds:
    """The bounds of one run.

    Attributes:
        pictures: that are begun at most.
        seconds: after which none is begun.
    """

    pictures: int
    seconds: float


class UnreadPicture(BaseModel):
    """An attempt that failed; `is_given_up` says that it was the last one."""

    sha256: str
    cause: str
    is_given_up: bool


class WordsSummary(BaseModel):
    """What a run has read; the result of `read-words`.

    Attributes:
        read: pictures.
        without_words: of them, that have none.
        foreign: of them, whose lines could for the most part not be read: their script is unknown.
        failed: attempts that failed, and are made again later.
        given_up: pictures that failed too often.
        waiting: pictures that are not read yet, those that failed among them.
        stop: what ended it before all that was due had been tried.
        problem: why no words can be read here, and what to do.
        failures: the first of them.
    """

    read: int = 0
    without_words: int = 0
    foreign: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0
    stop: WordsStop | None = None
    problem: str | None = None
    failures: list[UnreadPicture] = []

    @property
    def headline(self) -> str:
        """What was read, in one line."""
        if self.problem:
            return f"no words were read, {self.waiting:,} pictures wait: {self.problem}"
        counts = (
            (self.without_words, "without words"),
            (self.foreign, "in a script that is not known"),
            (self.failed, "failed for now"),
            (self.given_up, "given up"),
            (self.waiting, "wait"),
        )
        parts = [f"{self.read:,} pictures read"]
        parts += [f"{number:,} {what}" for number, what in counts if number]
        line = ", ".join(parts)
        return f"{line}; ended by {self.stop}" if self.stop else line
