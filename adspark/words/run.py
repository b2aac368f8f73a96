"""One run that reads words: the newest archived pictures that are not read yet, within bounds.

Each picture is read in a process that can be killed; a run ends it, which gives its memory back.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import ServiceUnavailableError
from adspark.media.store import MediaStore
from adspark.picture_queue.run import PictureWork, StoreDownError, run_work
from adspark.picture_queue.summary import RunBounds
from adspark.words.reader_process import ReadWords, close_reader, find_missing, read_picture
from adspark.words.store import WORDS, ClaimedWords, enqueue_pictures
from adspark.words.summary import WordsSummary


async def read_words(
    database: Database, media: MediaStore, bounds: RunBounds, *, tries_failed: bool = False
) -> WordsSummary:
    """Read the words of the newest archived pictures whose ads' copy was not bought.

    Without the packages that read, nothing is claimed, and the summary says what to install.

    Args:
        database: where the words are kept.
        media: where the pictures are.
        bounds: of this run.
        tries_failed: whether pictures that were given up are read again.

    Raises:
        AdSparkError: the database, the media store or the reader does not work.
    """
    work = _Reading(media)
    try:
        await run_work(database, work, bounds, tries_failed=tries_failed)
    finally:
        close_reader()
    return work.summary


class _Reading(PictureWork[ClaimedWords, ReadWords, ReadWords]):
    """Read one picture after the other, for there is one process that reads."""

    queue = WORDS

    def __init__(self, media: MediaStore) -> None:
        self.summary: WordsSummary = WordsSummary(problem=find_missing())
        self._media = media

    async def enqueue(self, session: AsyncSession) -> int:
        return await enqueue_pictures(session)

    async def make(self, claimed: ClaimedWords) -> ReadWords:
        try:
            content = await self._media.read_one_of_many(claimed.path)
        except ServiceUnavailableError as error:
            raise StoreDownError(str(error)) from error
        return await read_picture(content)

    async def keep(self, made: ReadWords) -> ReadWords:
        return made

    def count(self, done: ReadWords) -> None:
        self.summary.read += 1
        self.summary.without_words += not done.lines and not done.unread
        self.summary.foreign += done.unread > len(done.lines)
