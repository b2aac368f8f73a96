"""Lost archived pictures are downloaded again, and lost thumbnails, those of variants too, are made
again from their pictures."""

import random
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

from sqlalchemy import text

from adspark.archive.summary import ArchiveSummary
from adspark.db.engine import Database
from adspark.errors import UnusableContentError
from adspark.media.images import inspect_picture
from adspark.media.paths import thumbnail_path
from adspark.media.store import MediaStore

_FOLDERS = 256  # of pictures, and of thumbnails: by the first two digits of their hash

_STORED = text("""
    SELECT id, path, thumbnail_path, source_url FROM picture_version
    WHERE status = 'stored' AND sha256 >= :digits AND sha256 < :digits || 'g'
""")
_VARIANTS = text("""
    SELECT image_path, thumbnail_path FROM ad_variant
    WHERE thumbnail_path IS NOT NULL AND image_path IS NOT NULL
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


async def requeue_lost(
    database: Database, media: MediaStore, summary: ArchiveSummary, *, most: int, seconds: float
) -> None:
    """Let stored pictures that the media store lacks wait for their download again.

    A thumbnail that it lacks is made again from its picture, which may be a variant's; where that
    cannot be decoded, nothing is changed. Only for the one run of the archive that there may be,
    before it claims. Folders are looked at in a random order, so that runs whose time is short get
    to all of them.

    Args:
        database: where the versions are.
        media: where their pictures should be.
        summary: counts what is requeued, and thumbnails that are made again.
        most: how many are requeued.
        seconds: after which no further folder is looked at, and no further thumbnail made.

    Raises:
        AdSparkError: the store does not answer or cannot be written, or the database or the decoder
            does not work.
    """
    await media.check_writable()
    ends_at = time.monotonic() + seconds
    sources = await _read_variants(database)
    for number in random.sample(range(_FOLDERS), _FOLDERS):
        if summary.requeued >= most or time.monotonic() >= ends_at:
            break
        digits = f"{number:02x}"
        of_variants = sources[f"thumbnails/{digits}"]
        await _look_into_folder(database, media, digits, of_variants, summary, most, ends_at)


async def _read_variants(database: Database) -> Mapping[str, dict[str, str]]:
    """By folder, the thumbnails of variants and the pictures that they were made from."""
    async with database.session() as session:
        rows = (await session.execute(_VARIANTS)).all()
    sources: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        sources[row.thumbnail_path.rpartition("/")[0]][row.thumbnail_path] = row.image_path
    return sources


async def _look_into_folder(
    database: Database,
    media: MediaStore,
    digits: str,
    of_variants: dict[str, str],
    summary: ArchiveSummary,
    most: int,
    ends_at: float,
) -> None:
    # The rows before the listing: whatever they name was kept by then.
    async with database.session() as session:
        rows = (await session.execute(_STORED, {"digits": digits})).all()
    if not (rows or of_variants):
        return
    thumbnails = (await media.list_folder(f"thumbnails/{digits}")).pictures
    pictures = (await media.list_folder(f"pictures/{digits}")).pictures if rows else {}
    sources = of_variants | {row.thumbnail_path: row.path for row in rows if row.path in pictures}
    for thumbnail, picture in sources.items():
        if thumbnail not in thumbnails and time.monotonic() < ends_at:
            summary.thumbnails += await _make_thumbnail(media, thumbnail, picture)
    gone = [row for row in rows if row.path not in pictures and row.source_url is not None]
    if gone := gone[: most - summary.requeued]:
        values = {"ids": [row.id for row in gone], "paths": [row.path for row in gone]}
        async with database.transaction() as session:
            changed = await session.execute(_REQUEUE, values)
        summary.requeued += int(changed.rowcount)  # type: ignore[attr-defined]


async def _make_thumbnail(media: MediaStore, thumbnail: str, picture: str) -> bool:
    """Whether the thumbnail could be made of the picture, which may have been written over."""
    with suppress(UnusableContentError):
        inspected = await inspect_picture(await media.read_one_of_many(picture))
        if thumbnail_path(inspected.info) == thumbnail:
            await media.save_thumbnail(inspected)
            return True
    return False
