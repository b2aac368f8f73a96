"""One run over pictures that wait: the newest first, several at once, within bounds.

Each picture is claimed in the database, worked on, and then noted as done, so that a run that dies
at any step leaves nothing that the next one does not complete, and what is noted as done is never
done again. There is one run of a kind at a time: the caller has the lock.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.concurrency import all_of
from adspark.db.engine import Database
from adspark.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    ServiceUnavailableError,
    UnusableContentError,
    describe_error,
)
from adspark.picture_queue.queue import Claimed, PictureQueue
from adspark.picture_queue.summary import FailedPicture, PictureSummary, RunBounds, RunStop

_BATCH = 8  # pictures that are claimed together
Made = TypeVar("Made")
Done = TypeVar("Done", bound=BaseModel)


class StoreDownError(ServiceUnavailableError):
    """The media store is away, which is no failure of a picture's: none can be worked on now."""


class PictureWork(ABC, Generic[Claimed, Made, Done]):
    """One kind of work on pictures, in one run."""

    queue: PictureQueue[Claimed]  # where the pictures wait
    summary: PictureSummary  # of this run
    at_once: ClassVar[int] = 1  # pictures that are worked on at the same time

    @abstractmethod
    async def enqueue(self, session: AsyncSession) -> int:
        """Make rows for what has none yet, and return how many; does not commit."""

    @abstractmethod
    async def make(self, claimed: Claimed) -> Made | None:
        """Work on a picture; None releases it as if it had never been claimed.

        Raises:
            ConfigurationError: this and the like of the database and the store end the run.
            Exception: the picture's failure.
        """

    @abstractmethod
    async def keep(self, made: Made) -> Done:
        """Keep what was made; returns what is noted of it.

        Raises:
            UnusableContentError: the picture's failure.
            AdSparkError: any other ends the run.
        """

    @abstractmethod
    def count(self, done: Done) -> None:
        """Count in the summary what was noted."""

    def conditions(self) -> dict[str, object]:
        """The values of the queue's condition."""
        return {}

    def find_reached(self) -> RunStop | None:
        """A bound of its own that is reached."""
        return None

    def most_attempts(self, error: Exception) -> int:
        """After how many attempts a picture is given up that failed so."""
        return self.queue.most_attempts


async def run_work(
    database: Database,
    work: PictureWork[Claimed, Made, Done],
    bounds: RunBounds,
    *,
    tries_failed: bool,
) -> None:
    """Work on the newest pictures that are due, and say in the work's summary what it came to.

    Where that has a problem from the beginning, nothing is claimed.

    Args:
        database: where the queue is.
        work: on each.
        bounds: of this run.
        tries_failed: whether pictures that failed are tried at once, given up or not.

    Raises:
        AdSparkError: the database, the media store, or what works on pictures, does not work.
    """
    async with database.transaction() as session:
        await work.queue.give_up_deadly(session)
        if tries_failed:
            await work.queue.retry_failed(session)
        await work.enqueue(session)
    if work.summary.problem is None:
        await _Run(database, work, bounds).run()
    async with database.session() as session:
        work.summary.waiting = await work.queue.count_waiting(session)


class _Run(Generic[Claimed, Made, Done]):
    """The progress of one run, which several workers share."""

    def __init__(
        self, database: Database, work: PictureWork[Claimed, Made, Done], bounds: RunBounds
    ) -> None:
        self._database = database
        self._work = work
        self._bounds = bounds
        self._ends_at = time.monotonic() + bounds.seconds
        self._claiming = asyncio.Lock()
        self._waiting: deque[Claimed] = deque()
        self._mine: dict[int | str, Claimed] = {}
        self._begun = 0
        self._is_drained = False

    async def run(self) -> None:
        """Work on what is due, and on what comes meanwhile; release what was not ended."""
        try:
            await self._work_together()
            while self._has_room and await self._enqueue():
                await self._work_together()
        finally:
            await self._release()

    @property
    def _has_room(self) -> bool:
        """Whether it has worked, and no bound has ended it."""
        return self._begun > 0 and self._work.summary.stop is None

    async def _enqueue(self) -> bool:
        """Enqueue what has come meanwhile; whether there was any."""
        async with self._database.transaction() as session:
            added = await self._work.enqueue(session)
        self._is_drained = False
        return added > 0

    async def _work_together(self) -> None:
        """Work on what is due, several at once."""
        await all_of(self._work_alone() for _ in range(self._work.at_once))

    async def _release(self) -> None:
        """Release what was claimed and not ended; where that fails, the next run counts it."""
        if not self._mine:
            return
        with suppress(DatabaseUnavailableError):
            async with self._database.transaction() as session:
                for claimed in self._mine.values():
                    await self._work.queue.release(session, claimed=claimed)

    async def _work_alone(self) -> None:
        """Work on one picture after the other until there is none, or a bound is reached."""
        while (claimed := await self._next()) is not None:
            try:
                made = await self._work.make(claimed)
            except (ConfigurationError, DatabaseUnavailableError, StoreDownError):
                raise
            except Exception as error:  # one picture's failure is no other's
                await self._note_failure(claimed, error)
            else:
                await self._note(claimed, made)
            del self._mine[claimed.key]

    async def _next(self) -> Claimed | None:
        async with self._claiming:
            if not self._waiting and not self._is_drained:
                await self._claim()
            if not self._waiting:
                return None
            if (reached := self._find_reached()) is not None:
                self._work.summary.stop = reached
                return None
            self._begun += 1
            return self._waiting.popleft()

    async def _claim(self) -> None:
        async with self._database.transaction() as session:
            claimed = await self._work.queue.claim(
                session, most=_BATCH, under_way=self._mine, **self._work.conditions()
            )
        self._is_drained = len(claimed) < _BATCH
        self._mine |= {one.key: one for one in claimed}
        self._waiting.extend(claimed)

    def _find_reached(self) -> RunStop | None:
        """The bound that is reached."""
        if (reached := self._work.find_reached()) is not None:
            return reached
        if self._begun >= self._bounds.pictures:
            return RunStop.PICTURES
        return RunStop.TIME if time.monotonic() >= self._ends_at else None

    async def _note(self, claimed: Claimed, made: Made | None) -> None:
        queue = self._work.queue
        try:
            done = None if made is None else await self._work.keep(made)
        except UnusableContentError as error:
            await self._note_failure(claimed, error)
            return
        async with self._database.transaction() as session:
            if done is None:
                await queue.release(session, claimed=claimed)
                is_noted = False
            else:
                is_noted = await queue.save_done(session, claimed=claimed, values=done.model_dump())
        if done is not None and is_noted:
            self._work.count(done)

    async def _note_failure(self, claimed: Claimed, error: Exception) -> None:
        cause, most = describe_error(error), self._work.most_attempts(error)
        async with self._database.transaction() as session:
            await self._work.queue.save_failure(
                session, claimed=claimed, failure=cause, most_attempts=most
            )
        self._work.summary.add_failure(
            FailedPicture(
                ad_creative_id=claimed.ad_creative_id,
                cause=cause,
                is_given_up=claimed.attempts >= most,
            )
        )
