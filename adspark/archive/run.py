"""One run of the archive: the newest pictures that are not kept yet, within bounds.

Each picture is claimed in the database, kept in the media store and then noted as kept, so that a
run that dies at any step leaves nothing that the next one does not complete, and a picture that is
noted as kept is never fetched again. There is one run at a time: the caller has the lock.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress

from adspark.archive.counts import count_waiting, read_kept_bytes
from adspark.archive.hosts import AT_ONCE
from adspark.archive.picture import (
    ArchiveTools,
    ObtainedPicture,
    keep_picture,
    obtain_picture,
)
from adspark.archive.store import (
    MOST_ATTEMPTS,
    ClaimedPicture,
    claim_pictures,
    enqueue_versions,
    give_up_deadly,
    release_picture,
    retry_failed,
    save_failure,
    save_stored,
)
from adspark.archive.summary import (
    ArchiveBounds,
    ArchiveStop,
    ArchiveSummary,
    FailedPicture,
)
from adspark.db.engine import Database
from adspark.errors import (
    ConfigurationError,
    DatabaseUnavailableError,
    TemporaryError,
    describe_error,
)
from adspark.net.downloads import MAX_BYTES, ByteBudget

_BATCH = 2 * AT_ONCE  # pictures that are claimed together
_MOST_NAMED = 20  # failures in a summary
_MOST_REFUSED = 2  # attempts where the next one gives the same, unless the address is mended
_UNDER_WAY = AT_ONCE * 2 * MAX_BYTES  # bytes that may still arrive once a run has had enough


async def archive_pictures(
    database: Database, tools: ArchiveTools, bounds: ArchiveBounds, *, tries_failed: bool = False
) -> ArchiveSummary:
    """Archive the newest pictures that are not kept yet.

    Args:
        database: where the versions are.
        tools: open.
        bounds: of this run.
        tries_failed: whether pictures that were given up are tried again.

    Raises:
        AdSparkError: the database, the media store or the decoder does not work.
    """
    async with database.session() as session:
        await give_up_deadly(session)
        await enqueue_versions(session)
        if tries_failed:
            await retry_failed(session)
        kept_bytes = await read_kept_bytes(session)
        await session.commit()
    run = _Run(database, tools, bounds, kept_bytes=kept_bytes)
    try:
        await run.work_together()
        if run.has_room:  # what was stored meanwhile, of which no further run was started
            async with database.session() as session:
                await enqueue_versions(session)
                await session.commit()
            await run.work_together()
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        await run.release()
    async with database.session() as session:
        run.summary.waiting = await count_waiting(session)
    return run.summary


class _Run:
    """The work of one run, which several workers share."""

    def __init__(
        self, database: Database, tools: ArchiveTools, bounds: ArchiveBounds, *, kept_bytes: int
    ) -> None:
        self.summary = ArchiveSummary()
        self._database = database
        self._tools = tools
        self._bounds = bounds
        self._kept_bytes = kept_bytes
        self._ends_at = time.monotonic() + bounds.seconds
        self._budget = ByteBudget(bounds.bytes + _UNDER_WAY)
        self._claiming = asyncio.Lock()
        self._waiting: deque[ClaimedPicture] = deque()
        self._mine: dict[int, ClaimedPicture] = {}
        self._begun = 0

    @property
    def has_room(self) -> bool:
        """Whether it has worked, and no bound has ended it."""
        return self._begun > 0 and self.summary.stop is None

    async def work_together(self) -> None:
        """Archive what is due, several at once."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    async def _work(self) -> None:
        """Archive one picture after the other until there is none, or a bound is reached."""
        while (claimed := await self._next()) is not None:
            obtained = await self._obtain(claimed)
            if obtained is not None:
                await self._keep(claimed, obtained)
            self._mine.pop(claimed.id, None)

    async def release(self) -> None:
        """Release what was claimed and not ended; where that fails, the next run does."""
        with suppress(DatabaseUnavailableError):
            async with self._database.session() as session:
                for claimed in self._mine.values():
                    await release_picture(session, claimed=claimed)
                await session.commit()

    async def _next(self) -> ClaimedPicture | None:
        async with self._claiming:
            self._waiting = deque(one for one in self._waiting if self._is_wanted(one))
            if not self._waiting:
                await self._claim()
            if not self._waiting:
                return None
            if (reached := self._find_reached()) is not None:
                self.summary.stop = reached
                return None
            self._begun += 1
            return self._waiting.popleft()

    async def _claim(self) -> None:
        async with self._database.session() as session:
            claimed = await claim_pictures(
                session,
                most=_BATCH,
                under_way=self._mine,
                with_previews=self.summary.problem is None,
            )
            await session.commit()
        self._mine |= {one.id: one for one in claimed}
        self._waiting.extend(claimed)

    def _is_wanted(self, claimed: ClaimedPicture) -> bool:
        """Whether it can be archived; previews cannot be without a browser."""
        return not claimed.is_preview or self.summary.problem is None

    def _find_reached(self) -> ArchiveStop | None:
        """The bound that is reached."""
        if self._kept_bytes + self.summary.bytes >= self._bounds.kept_bytes:
            return ArchiveStop.DISK
        if self._begun >= self._bounds.pictures:
            return ArchiveStop.PICTURES
        if self._budget.bytes_left <= _UNDER_WAY:
            return ArchiveStop.BYTES
        return ArchiveStop.TIME if time.monotonic() >= self._ends_at else None

    async def _obtain(self, claimed: ClaimedPicture) -> ObtainedPicture | None:
        """The picture; None where it is not to be had, which is noted."""
        try:
            return await obtain_picture(self._tools, claimed, self._budget)
        except ConfigurationError as error:
            if not claimed.is_preview:
                raise
            self.summary.problem = str(error)  # the pictures need no browser
            async with self._database.session() as session:
                await release_picture(session, claimed=claimed)
                await session.commit()
        except Exception as error:  # one picture's failure is no other's
            await self._note_failure(claimed, error)
        return None

    async def _note_failure(self, claimed: ClaimedPicture, error: Exception) -> None:
        cause = describe_error(error)
        most = MOST_ATTEMPTS if isinstance(error, TemporaryError) else _MOST_REFUSED
        async with self._database.session() as session:
            await save_failure(session, claimed=claimed, failure=cause, most_attempts=most)
            await session.commit()
        is_given_up = claimed.attempts >= most
        self.summary.given_up += is_given_up
        self.summary.failed += not is_given_up
        if len(self.summary.failures) < _MOST_NAMED:
            failed = FailedPicture(
                ad_creative_id=claimed.ad_creative_id, cause=cause, is_given_up=is_given_up
            )
            self.summary.failures.append(failed)

    async def _keep(self, claimed: ClaimedPicture, obtained: ObtainedPicture) -> None:
        picture = await keep_picture(self._tools.media, obtained)
        async with self._database.session() as session:
            is_mine = await save_stored(session, claimed=claimed, picture=picture)
            await session.commit()
        if is_mine:
            self.summary.stored += 1
            self.summary.bytes += picture.picture_bytes + picture.thumbnail_bytes
