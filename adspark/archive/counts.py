"""How much the archive keeps, and how far the rest is."""

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.text.counts import counted

# Pictures that several creatives share are kept, and counted, once.
_COUNT = text("""
    WITH kept AS (
        SELECT max(picture_bytes + thumbnail_bytes) AS bytes
        FROM picture_version WHERE status = 'stored' GROUP BY sha256
    )
    SELECT count(*) FILTER (WHERE status = 'stored') AS versions,
        count(*) FILTER (WHERE status = 'pending') + (
            SELECT count(*) FROM creative c
            WHERE coalesce(c.image_url, c.video_link) IS NOT NULL AND NOT EXISTS (
                SELECT FROM picture_version v
                WHERE v.ad_creative_id = c.ad_creative_id AND v.content_hash = c.content_hash
            )
        ) AS waiting,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        count(*) FILTER (WHERE status = 'removed') AS removed,
        (SELECT count(*) FROM kept) AS pictures,
        (SELECT coalesce(sum(bytes), 0)::bigint FROM kept) AS bytes
    FROM picture_version
""")
# Of an index each: a run needs no more, and the table may be long.
_KEPT_BYTES = text("""
    SELECT coalesce(sum(bytes), 0)::bigint FROM (
        SELECT max(picture_bytes + thumbnail_bytes) AS bytes
        FROM picture_version WHERE status = 'stored' GROUP BY sha256
    ) AS kept
""")


class ArchiveCounts(BaseModel):
    """What is kept, and how far the rest is."""

    versions: int = 0  # of creatives' pictures that are kept
    pictures: int = 0  # different ones among them, as they are kept
    bytes: int = 0  # of these, with their thumbnails
    waiting: int = 0  # versions that are not kept yet, those among them that no run has looked at
    failed: int = 0  # that were given up
    removed: int = 0  # that clean-up took away since the disk bound was reached

    def describe(self, most_bytes: int) -> str:
        """What is kept, in one line, beside the bound on its bytes."""
        parts = [f"{counted(self.pictures, 'picture')}, {show_megabytes(self.bytes)} of at most "]
        parts += [f"{show_megabytes(most_bytes)}; {self.waiting:,} wait, {self.failed:,} failed"]
        removed = f", {self.removed:,} removed for want of room" if self.removed else ""
        return "".join(parts) + removed


def show_megabytes(count: int) -> str:
    """Bytes as a person reads them."""
    return f"{count / 2**20:,.1f} MB"


async def count_archive(session: AsyncSession) -> ArchiveCounts:
    """What is kept, and how far the rest is."""
    return ArchiveCounts.model_validate((await session.execute(_COUNT)).mappings().one())


async def read_kept_bytes(session: AsyncSession) -> int:
    """The bytes of the pictures that are kept, with their thumbnails."""
    return int(await session.scalar(_KEPT_BYTES) or 0)
