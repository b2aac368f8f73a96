"""Make the thumbnails of variants that were stored without one, the newest first."""

import time
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Row, text

from adspark.db.engine import Database
from adspark.errors import UnusableContentError
from adspark.media.images import inspect_picture
from adspark.media.store import MediaStore
from adspark.validation.bounds import LARGEST_ID

_BATCH = 50
_READ = text("""
    SELECT id, image_path FROM ad_variant
    WHERE image_path IS NOT NULL AND thumbnail_path IS NULL AND id < :before
    ORDER BY id DESC LIMIT :batch
""")
_SAVE = text("""
    UPDATE ad_variant SET thumbnail_path = :path
    WHERE id = :id AND image_path = :image_path AND thumbnail_path IS NULL
""")


class ThumbnailSummary(BaseModel):
    """How many thumbnails were made, and the variants whose picture gives none, with the cause."""

    made: int = 0
    failures: dict[int, str] = {}


async def make_thumbnails(
    database: Database, media: MediaStore, *, seconds: float
) -> ThumbnailSummary:
    """Make the thumbnails that variants lack; a second run makes none again.

    One whose picture is gone, or cannot be read, is tried at each run: it may come back.

    Args:
        database: where the variants are.
        media: where their pictures are.
        seconds: after which none is begun.

    Raises:
        AdSparkError: the database, the media store or the decoder does not work.
    """
    summary = ThumbnailSummary()
    ends_at = time.monotonic() + seconds
    before = LARGEST_ID
    while variants := await _read(database, before):
        for variant in variants:
            if time.monotonic() >= ends_at:
                return summary
            try:
                await _make(database, media, variant)
                summary.made += 1
            except UnusableContentError as error:
                summary.failures[variant.id] = str(error)
        before = variants[-1].id
    return summary


async def _read(database: Database, before: int) -> Sequence[Row[Any]]:
    """The next variants that lack one, by falling number."""
    async with database.session() as session:
        return (await session.execute(_READ, {"before": before, "batch": _BATCH})).all()


async def _make(database: Database, media: MediaStore, variant: Row[Any]) -> None:
    """Raises UnusableContentError where there is no picture, or none that can be read."""
    content = await media.read_one_of_many(variant.image_path)
    inspected = await inspect_picture(content)
    path = await media.save_thumbnail(inspected)
    values = {"id": variant.id, "image_path": variant.image_path, "path": path}
    async with database.transaction() as session:
        await session.execute(_SAVE, values)
