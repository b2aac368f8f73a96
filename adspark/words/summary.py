"""What a run that reads words has come to."""

from adspark.picture_queue.summary import PictureSummary
from adspark.text.counts import counted


class WordsSummary(PictureSummary):
    """What a run has read; the result of `read-words`.

    Attributes:
        read: pictures.
        without_words: of them, that have none.
        foreign: of them, whose lines could for the most part not be read: their script is unknown.
    """

    read: int = 0
    without_words: int = 0
    foreign: int = 0

    @property
    def headline(self) -> str:
        """What was read, in one line."""
        if self.problem:
            waits = f"{counted(self.waiting, 'picture')} {'waits' if self.waiting == 1 else 'wait'}"
            return f"no words were read, {waits}: {self.problem}"
        counts = (
            (self.without_words, "without words"),
            (self.foreign, "in a script that is not known"),
        )
        read = (f"{number:,} {what}" for number, what in counts if number)
        return self._describe(f"{counted(self.read, 'picture')} read", *read)
