"""The pictures of exported ads, copied from the archive to beside the export."""

import asyncio
from pathlib import PurePosixPath

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.concurrency import all_of
from adspark.errors import UnusableContentError
from adspark.export.reading import read_rows
from adspark.export.selection import Selection
from adspark.export.summary import ExportSummary
from adspark.export.target import Target
from adspark.media.store import MediaStore

_AT_ONCE = 8


async def copy_pictures(
    session: AsyncSession,
    selection: Selection,
    media: MediaStore,
    target: Target,
    summary: ExportSummary,
) -> None:
    """Copy the picture of each chosen ad that has one, under the ad's id.

    Args:
        selection: the ads.
        media: where the pictures are kept.
        target: of the export.
        summary: counts those that were copied, and those that the media store has lost.

    Raises:
        AdSparkError: the media store, or the target, does not work.
    """
    turns = asyncio.Semaphore(_AT_ONCE)
    copied = 0

    async def copy(ad: str, path: str) -> None:
        nonlocal copied
        async with turns:
            try:
                content = await media.read(path)
            except UnusableContentError:
                summary.missing_pictures += 1
                return
            await target.save_picture(f"{ad}{PurePosixPath(path).suffix}", content)
        copied += 1

    statement = selection.statement("c.ad_creative_id, p.path")
    async for rows in read_rows(session, statement, selection.values):
        await all_of(copy(ad, path) for ad, path in rows if path is not None)
    summary.pictures = copied
