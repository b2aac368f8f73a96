"""The bounds of a run of the archive, and what it has come to."""

from dataclasses import dataclass

from adspark.archive.counts import show_megabytes
from adspark.picture_queue.summary import PictureSummary, RunBounds


@dataclass(frozen=True)
class ArchiveBounds(RunBounds):
    """The bounds of one run.

    Attributes:
        bytes: after which none is begun.
        kept_bytes: of the whole archive, from which on none is begun.
    """

    bytes: int
    kept_bytes: int


class ArchiveSummary(PictureSummary):
    """What a run has archived; the result of `archive-creatives`.

    Attributes:
        stored: versions whose picture is kept now.
        bytes: of them, with their thumbnails.
    """

    stored: int = 0
    bytes: int = 0

    @property
    def headline(self) -> str:
        """What was archived, in one line."""
        line = self._describe(f"{self.stored:,} pictures stored ({show_megabytes(self.bytes)})")
        return f"{line}; previews: {self.problem}" if self.problem else line
