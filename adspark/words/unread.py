"""How many stored ads have words that are yet to be read from their pictures."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.words.copy_statements import IS_BOUGHT

_COUNT = text(f"""
    SELECT count(*) FROM (
        SELECT ad_creative_id FROM new_version
        UNION SELECT ad_creative_id FROM picture_version WHERE status = 'pending'
        UNION SELECT v.ad_creative_id FROM picture_version v JOIN picture_words w USING (sha256)
        WHERE v.status = 'stored' AND w.status = 'pending'
        UNION SELECT v.ad_creative_id FROM picture_version v
        WHERE v.status = 'stored'
            AND NOT EXISTS (SELECT FROM picture_words w WHERE w.sha256 = v.sha256)
    ) AS unread JOIN creative USING (ad_creative_id)
        LEFT JOIN creative_detail d USING (ad_creative_id)
    WHERE ({IS_BOUGHT}) IS NOT TRUE
""")  # noqa: S608  (put together from a constant)


async def count_unread_ads(session: AsyncSession) -> int:
    """Ads whose picture waits to be fetched or to be read, and whose copy was not bought."""
    return int(await session.scalar(_COUNT) or 0)
