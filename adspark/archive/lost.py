"""Archived pictures that the media store has lost: they are to be downloaded again."""

import random
import time

from sqlalchemy import text

from adspark.db.engine import Database
from adspark.media.store import MediaStore

_FOLDERS = 256  # of pictures, and of thumbnails: by the first two digits of their hash

_STORED = text("""
    SELECT id, path, thumbnail_path FROM picture_version
    WHERE status = 'stored' AND sha256 >= :digits AND sha256 < :digits || 'g'
        AND source_url IS NOT NULL
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


async def requeue_lost(database: Database, media: MediaStore, *, most: int, seconds: float) -> int:
    """Let stored pictures that the media store lacks wait for their download again.

    Only for the one run of the archive that there may be, before it claims. Folders are looked at
    in a random order, so that runs whose time is short get to all of them.

    Args:
        database: where the versions are.
        media: where their pictures should be.
        most: how many are requeued.
        seconds: after which no further folder is looked at.

    Returns:
        How many were requeued.

    Raises:
        AdSparkError: the store does not answer or cannot be written, or the database does not work.
    """
    await media.check_writable()
    ends_at = time.monotonic() + seconds
    requeued = 0
    for number in random.sample(range(_FOLDERS), _FOLDERS):
        if requeued >= most or time.monotonic() >= ends_at:
            break
        requeued += await _requeue_folder(database, media, f"{number:02x}", most - requeued)
    return requeued


async def _requeue_folder(database: Database, media: MediaStore, digits: str, most: int) -> int:
    # The rows before the listing: whatever they name was kept by then.
    async with database.session() as session:
        rows = (await session.execute(_STORED, {"digits": digits})).all()
    if not rows:
        return 0
    pictures = (await media.list_folder(f"pictures/{digits}")).pictures
    thumbnails = (await media.list_folder(f"thumbnails/{digits}")).pictures
    lost = [
        row for row in rows if row.path not in pictures or row.thumbnail_path not in thumbnails
    ][:most]
    if not lost:
        return 0
    values = {"ids": [row.id for row in lost], "paths": [row.path for row in lost]}
    async with database.session() as session, session.begin():
        changed = await session.execute(_REQUEUE, values)
    return int(changed.rowcount)  # type: ignore[attr-defined]
