"""One run of the archive: the newest pictures that are not kept yet, within bounds."""

import time
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.archive.counts import read_kept_bytes
from adspark.archive.hosts import AT_ONCE
from adspark.archive.lost import requeue_lost
from adspark.archive.picture import ArchiveTools, ObtainedPicture, obtain_picture
from adspark.archive.store import PICTURES, ClaimedVersion, StoredPicture, enqueue_versions
from adspark.archive.summary import ArchiveBounds, ArchiveSummary
from adspark.db.engine import Database
from adspark.errors import ConfigurationError, TemporaryError
from adspark.media.similarity import hash_grey
from adspark.net.downloads import MAX_BYTES, ByteBudget
from adspark.picture_queue.run import PictureWork, run_work
from adspark.picture_queue.summary import RunStop

_LOOKING = 0.25  # share of a run's time in which lost pictures are looked for
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
        tries_failed: whether pictures that were given up are tried again, and those that were
            stored and are lost, as many as a run may begin; thumbnails that are lost are made
            again.

    Raises:
        AdSparkError: the database, the media store or the decoder does not work.
    """
    summary = ArchiveSummary()
    if tries_failed:
        ends_at = time.monotonic() + bounds.seconds
        await requeue_lost(
            database, tools.media, summary, most=bounds.pictures, seconds=bounds.seconds * _LOOKING
        )
        bounds = replace(bounds, seconds=ends_at - time.monotonic())
    async with database.session() as session:
        kept_bytes = await read_kept_bytes(session)
    work = _Archiving(tools, bounds, kept_bytes, summary)
    await run_work(database, work, bounds, tries_failed=tries_failed)
    return summary


class _Archiving(PictureWork[ClaimedVersion, ObtainedPicture, StoredPicture]):
    """Download or render, and keep in the media store."""

    queue = PICTURES
    at_once = AT_ONCE

    def __init__(
        self, tools: ArchiveTools, bounds: ArchiveBounds, kept_bytes: int, summary: ArchiveSummary
    ) -> None:
        self.summary: ArchiveSummary = summary
        self._tools = tools
        self._bounds = bounds
        self._kept_bytes = kept_bytes
        self._budget = ByteBudget(bounds.bytes + _UNDER_WAY)

    async def enqueue(self, session: AsyncSession) -> int:
        return await enqueue_versions(session)

    def conditions(self) -> dict[str, object]:
        return {"with_previews": self.summary.problem is None}

    async def make(self, claimed: ClaimedVersion) -> ObtainedPicture | None:
        if claimed.is_preview and self.summary.problem is not None:
            return None
        try:
            return await obtain_picture(self._tools, claimed, self._budget)
        except ConfigurationError as error:
            if not claimed.is_preview:
                raise
            self.summary.problem = str(error)  # the pictures need no browser
        return None

    async def keep(self, made: ObtainedPicture) -> StoredPicture:
        inspected = made.inspected
        path, thumbnail_path = await self._tools.media.save_archived(made.content, inspected)
        return StoredPicture(
            sha256=inspected.info.sha256,
            path=path,
            thumbnail_path=thumbnail_path,
            width=inspected.info.width,
            height=inspected.info.height,
            perceptual_hash=hash_grey(inspected.grey),
            picture_bytes=len(made.content),
            thumbnail_bytes=len(inspected.thumbnail),
        )

    def count(self, done: StoredPicture) -> None:
        self.summary.stored += 1
        self.summary.bytes += done.picture_bytes + done.thumbnail_bytes

    def find_reached(self) -> RunStop | None:
        if self._kept_bytes + self.summary.bytes >= self._bounds.kept_bytes:
            return RunStop.DISK
        return RunStop.BYTES if self._budget.bytes_left <= _UNDER_WAY else None

    def most_attempts(self, error: Exception) -> int:
        is_temporary = isinstance(error, TemporaryError)
        return self.queue.most_attempts if is_temporary else _MOST_REFUSED
