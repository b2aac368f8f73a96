"""The bounds of a run of the archive, and what it has come to."""

from dataclasses import dataclass

from adspark.archive.counts import show_megabytes
from adspark.picture_queue.summary import PictureSummary, RunBounds
from adspark.text.counts import counted


@dataclass(frozen=True)
class ArchiveBounds(RunBounds):
    """The bounds of one run."""

    bytes: int  # after which none is begun
    kept_bytes: int  # of the whole archive, from which on none is begun


class ArchiveSummary(PictureSummary):
    """What a run has archived; the result of `archive-creatives`."""

    stored: int = 0  # versions whose picture is kept now
    bytes: int = 0  # of them, with their thumbnails
    requeued: int = 0  # versions whose picture the media store had lost
    thumbnails: int = 0  # that it had lost, made again from their pictures

    @property
    def headline(self) -> str:
        """What was archived, in one line."""
        parts = [f"{counted(self.stored, 'picture')} stored ({show_megabytes(self.bytes)})"]
        if self.requeued:
            parts.append(f"{counted(self.requeued, 'lost picture')} requeued")
        if self.thumbnails:
            parts.append(f"{counted(self.thumbnails, 'lost thumbnail')} made again")
        line = self._describe(*parts)
        return f"{line}; previews: {self.problem}" if self.problem else line
