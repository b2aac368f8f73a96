"""Rows of picture versions as an archive leaves them, without its pictures."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_ADD = text("""
    INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path, thumbnail_path,
        picture_bytes, thumbnail_bytes, stored_at)
    SELECT 'CR' || lpad(n::text, 20, '0'), :status, :status, md5(n::text),
        CASE WHEN :status = 'stored' THEN 'pictures/' || n END,
        CASE WHEN :status = 'stored' THEN 'thumbnails/' || n END,
        :bytes, 0, now()
    FROM generate_series(1, CAST(:count AS int)) AS n
""")


async def add_versions(
    session: AsyncSession, *, status: str, count: int, size: int = 2**20
) -> None:
    """So many versions of a status, each with a picture of so many bytes; does not commit."""
    await session.execute(_ADD, {"status": status, "count": count, "bytes": size})
