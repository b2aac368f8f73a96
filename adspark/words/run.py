"""One run that reads words: the newest archived pictures that are not read yet, within bounds.

Each picture is claimed in the database and read in a process that can be killed; its words are
noted in one statement. A run that dies at any step leaves nothing that the next one does not
complete, and no picture is read twice. There is one run at a time: the caller has the lock.
"""

import time
from contextlib import suppress

from adspark.db.engine import Database
from adspark.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    ServiceUnavailableError,
    describe_error,
)
from adspark.media.store import MediaStore
from adspark.words.reader_process import ReadWords, close_reader, find_missing, read_picture
from adspark.words.store import (
    MOST_ATTEMPTS,
    ClaimedWords,
    claim_pictures,
    count_words,
    enqueue_pictures,
    release_lost_claims,
    release_picture,
    retry_failed,
    save_failure,
    save_read,
)
from adspark.words.summary import UnreadPicture, WordsBounds, WordsStop, WordsSummary

_BATCH = 8  # pictures that are claimed together
_MOST_NAMED = 20  # failures in a summary


async def read_words(
    database: Database, media: MediaStore, bounds: WordsBounds, *, tries_failed: bool = False
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
    async with database.session() as session:
        await release_lost_claims(session)
        await enqueue_pictures(session)
        if tries_failed:
            await retry_failed(session)
        await session.commit()
    run = _Run(database, media, bounds)
    run.summary.problem = find_missing()
    if run.summary.problem is None:
        try:
            await run.work()
        finally:
            close_reader()
            await run.release()
    async with database.session() as session:
        run.summary.waiting = (await count_words(session)).waiting
    return run.summary


class _Run:
    """The work of one run: a picture after the other, for there is one process that reads."""

    def __init__(self, database: Database, media: MediaStore, bounds: WordsBounds) -> None:
        self.summary = WordsSummary()
        self._database = database
        self._media = media
        self._bounds = bounds
        self._ends_at = time.monotonic() + bounds.seconds
        self._mine: list[ClaimedWords] = []  # the next one last
        self._begun = 0

    async def work(self) -> None:
        """Read until there is nothing that is due, or a bound is reached."""
        while self._mine or await self._claim():
            self.summary.stop = self._find_reached()
            if self.summary.stop is not None:
                return
            self._begun += 1
            await self._read(self._mine[-1])
            self._mine.pop()

    async def release(self) -> None:
        """Release what was claimed and not ended; where that fails, the next run does."""
        with suppress(DatabaseUnavailableError):
            async with self._database.session() as session:
                for claimed in self._mine:
                    await release_picture(session, claimed=claimed)
                await session.commit()

    async def _claim(self) -> bool:
        async with self._database.session() as session:
            claimed = await claim_pictures(session, most=_BATCH)
            await session.commit()
        self._mine = claimed[::-1]
        return bool(claimed)

    def _find_reached(self) -> WordsStop | None:
        if self._begun >= self._bounds.pictures:
            return WordsStop.PICTURES
        return WordsStop.TIME if time.monotonic() >= self._ends_at else None

    async def _read(self, claimed: ClaimedWords) -> None:
        try:
            words = await read_picture(await self._open(claimed))
        except (ConfigurationError, DatabaseUnavailableError, _StoreDownError):
            raise
        except Exception as error:  # one picture's failure is no other's
            await self._note_failure(claimed, error)
        else:
            await self._keep(claimed, words)

    async def _open(self, claimed: ClaimedWords) -> bytes:
        """The picture; a store that is away is no failure of the picture's."""
        try:
            return await self._media.read(claimed.path)
        except ServiceUnavailableError as error:
            raise _StoreDownError(str(error)) from error

    async def _note_failure(self, claimed: ClaimedWords, error: Exception) -> None:
        cause = describe_error(error)
        async with self._database.session() as session:
            await save_failure(session, claimed=claimed, failure=cause)
            await session.commit()
        is_given_up = claimed.attempts >= MOST_ATTEMPTS
        self.summary.given_up += is_given_up
        self.summary.failed += not is_given_up
        if len(self.summary.failures) < _MOST_NAMED:
            self.summary.failures.append(
                UnreadPicture(sha256=claimed.sha256, cause=cause, is_given_up=is_given_up)
            )

    async def _keep(self, claimed: ClaimedWords, words: ReadWords) -> None:
        async with self._database.session() as session:
            is_mine = await save_read(session, claimed=claimed, words=words)
            await session.commit()
        if is_mine:
            self.summary.read += 1
            self.summary.without_words += not words.lines and not words.unread
            self.summary.foreign += words.unread > len(words.lines)


class _StoreDownError(ServiceUnavailableError):
    """The media store is away: no picture can be read now."""
