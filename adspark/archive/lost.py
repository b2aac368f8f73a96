"""Lost archived pictures are downloaded again, and lost thumbnails, those of variants too, are made
again from their pictures."""

import random
import time
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import UnusableContentError
from adspark.media.images import inspect_picture
from adspark.media.similarity import SIDE
from adspark.media.store import MediaStore

_FOLDERS = 256  # of pictures, and of thumbnails: by the first two digits of their hash

_STORED = text("""
    SELECT id, path, thumbnail_path, source_url FROM picture_version
    WHERE status = 'stored' AND sha256 >= :digits AND sha256 < :digits || 'g'
""")
_VARIANTS = text("""
    SELECT image_path, thumbnail_path FROM ad_variant
    WHERE starts_with(thumbnail_path, 'thumbnails/' || :digits) AND image_path IS NOT NULL
""")
# Only those that are still stored there; the ad keeps size and hashes of its picture.
_REQUEUE = text("""
    WITH lost AS (
        SELECT v.id FROM picture_version v
        JOIN unnest(CAST(:ids AS bigint[]), CAST(:paths AS text[])) AS l (id, path) USING (id, path)
        WHERE status = 'stored' ORDER BY id FOR UPDATE OF v
    )
    UPDATE picture_version v SET status = 'pending', attempts = 0, next_attempt_at = now(),
        failure = NULL, path = NULL, thumbnail_path = NULL, picture_bytes = NULL,
        thumbnail_bytes = NULL
    FROM lost WHERE v.id = lost.id
""")


@dataclass
class LostFiles:
    """What of the media store was missing and is mended, or will be."""

    requeued: int = 0  # versions whose picture is to be downloaded again
    thumbnails: int = 0  # that were made again


async def requeue_lost(
    database: Database, media: MediaStore, *, most: int, seconds: float
) -> LostFiles:
    """Let stored pictures that the media store lacks wait for their download again.

    A thumbnail that it lacks is made again from its picture, which may be a variant's; where that
    cannot be decoded, nothing is changed. Only for the one run of the archive that there may be,
    before it claims. Folders are looked at in a random order, so that runs whose time is short get
    to all of them.

    Args:
        database: where the versions are.
        media: where their pictures should be.
        most: how many are requeued.
        seconds: after which no further folder is looked at, and no further thumbnail made.

    Raises:
        AdSparkError: the store does not answer or cannot be written, or the database or the decoder
            does not work.
    """
    await media.check_writable()
    ends_at = time.monotonic() + seconds
    lost = LostFiles()
    for number in random.sample(range(_FOLDERS), _FOLDERS):
        if lost.requeued >= most or time.monotonic() >= ends_at:
            break
        await _look_into_folder(database, media, f"{number:02x}", lost, most, ends_at)
    return lost


async def _look_into_folder(
    database: Database, media: MediaStore, digits: str, lost: LostFiles, most: int, ends_at: float
) -> None:
    # The rows before the listing: whatever they name was kept by then.
    async with database.session() as session:
        rows = (await session.execute(_STORED, {"digits": digits})).all()
        variants = (await session.execute(_VARIANTS, {"digits": digits})).all()
    if not (rows or variants):
        return
    thumbnails = (await media.list_folder(f"thumbnails/{digits}")).pictures
    pictures = (await media.list_folder(f"pictures/{digits}")).pictures if rows else {}
    sources = {row.thumbnail_path: row.image_path for row in variants}
    sources |= {row.thumbnail_path: row.path for row in rows if row.path in pictures}
    for thumbnail, picture in sources.items():
        if thumbnail not in thumbnails and time.monotonic() < ends_at:
            lost.thumbnails += await _make_thumbnail(media, picture)
    gone = [row for row in rows if row.path not in pictures and row.source_url is not None]
    if gone := gone[: most - lost.requeued]:
        values = {"ids": [row.id for row in gone], "paths": [row.path for row in gone]}
        async with database.session() as session, session.begin():
            changed = await session.execute(_REQUEUE, values)
        lost.requeued += int(changed.rowcount)  # type: ignore[attr-defined]


async def _make_thumbnail(media: MediaStore, picture: str) -> bool:
    """Whether a thumbnail could be made of the picture."""
    with suppress(UnusableContentError):
        content = await media.read_one_of_many(picture)
        await media.save_thumbnail(await inspect_picture(content, side=SIDE))
        return True
    return False
