"""The versions of ads' pictures that wait to be archived, and what is noted of those that are.

A version comes with the page that stores it, in the same transaction, into `new_version`, where it
costs that page nearly nothing; a run of the archive moves it from there into `picture_version`.
"""

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.picture_queue.queue import ClaimedPicture, PictureQueue

_MOST_ENQUEUED = 100_000  # versions a run, so that the transaction stays short; newest first

_ENQUEUE = text("""
    WITH taken AS (
        DELETE FROM new_version
        WHERE id IN (SELECT id FROM new_version ORDER BY id DESC LIMIT :most)
        RETURNING *
    )
    INSERT INTO picture_version
        (ad_creative_id, content_hash, status, source_url, is_preview, first_seen_at)
    SELECT DISTINCT ON (ad_creative_id, content_hash)
        ad_creative_id, content_hash, 'pending', source_url, is_preview, seen_at
    FROM taken ORDER BY ad_creative_id, content_hash, id
    ON CONFLICT (ad_creative_id, content_hash) DO NOTHING
""")


class ClaimedVersion(ClaimedPicture):
    """A version that this run archives; the size is that which the creative is shown in."""

    source_url: str
    is_preview: bool
    width: int | None
    height: int | None


class StoredPicture(BaseModel):
    """A picture that is kept in the media store, its size in pixels."""

    sha256: str
    path: str
    thumbnail_path: str
    width: int
    height: int
    perceptual_hash: str
    picture_bytes: int
    thumbnail_bytes: int


PICTURES = PictureQueue(
    ClaimedVersion,
    table="picture_version",
    key=("id", "bigint"),
    seen="first_seen_at",
    condition="(NOT is_preview OR :with_previews)",
    columns="q.ad_creative_id, q.source_url, q.is_preview, c.width, c.height",
    joins="LEFT JOIN creative c USING (ad_creative_id, content_hash)",
    done="status = 'stored', stored_at = now(), "
    + ", ".join(f"{name} = :{name}" for name in StoredPicture.model_fields),
    most_attempts=5,
)
"""The versions whose picture is to be archived."""


async def enqueue_versions(session: AsyncSession) -> int:
    """Enqueue what was stored since the last run; returns how many came. Does not commit."""
    added = await session.execute(_ENQUEUE, {"most": _MOST_ENQUEUED})
    return int(added.rowcount)  # type: ignore[attr-defined]
