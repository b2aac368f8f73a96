"""The thumbnails of ads, as far as the archive has them: how an ad looks, and how it looked."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Of an ad that is gone, the last one is what it looked like.
_READ = text("""
    SELECT v.ad_creative_id, v.thumbnail_path,
        coalesce(v.content_hash = c.content_hash, true) AS is_present
    FROM picture_version v LEFT JOIN creative c USING (ad_creative_id)
    WHERE v.ad_creative_id = ANY (:ids) AND v.status = 'stored'
    ORDER BY v.first_seen_at, v.id
""")


@dataclass
class Thumbnails:
    """Paths in the media store; None: not archived."""

    present: str | None = None
    before: str | None = None


async def read_thumbnails(session: AsyncSession, *, ids: Collection[str]) -> dict[str, Thumbnails]:
    """The thumbnails of these ads, by ad; one without any is left out."""
    found: dict[str, Thumbnails] = {}
    for row in await session.execute(_READ, {"ids": list(ids)}):
        one = found.setdefault(row.ad_creative_id, Thumbnails())
        if row.is_present:
            one.present = row.thumbnail_path
        else:
            one.before = row.thumbnail_path
    return found
