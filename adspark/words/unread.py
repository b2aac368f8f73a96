"""How many stored ads have words that are yet to be read from their pictures."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.words.copy_statements import IS_BOUGHT

MOST_COUNTED = 1000
"""Ads: that there are as many is all that anybody wants to know."""

# What waits in a queue, and what was archived since a run has last enqueued it. So many of each
# at most are looked at, that a search which finds nothing stays quick.
_LOOKED_AT = 5 * MOST_COUNTED
_COUNT = text(f"""
    SELECT count(*) FROM (
        SELECT FROM (
            (SELECT ad_creative_id FROM new_version LIMIT {_LOOKED_AT})
            UNION (
                SELECT ad_creative_id FROM picture_version WHERE status = 'pending'
                LIMIT {_LOOKED_AT}
            ) UNION (
                SELECT v.ad_creative_id FROM picture_words w JOIN picture_version v USING (sha256)
                WHERE v.status = 'stored' AND w.status = 'pending' LIMIT {_LOOKED_AT}
            ) UNION (
                SELECT v.ad_creative_id FROM picture_version v
                WHERE v.status = 'stored' AND v.stored_at > now() - interval '1 day'
                    AND NOT EXISTS (SELECT FROM picture_words w WHERE w.sha256 = v.sha256)
                ORDER BY v.stored_at DESC LIMIT {_LOOKED_AT}
            )
        ) AS unread JOIN creative USING (ad_creative_id)
            LEFT JOIN creative_detail d USING (ad_creative_id)
        WHERE ({IS_BOUGHT}) IS NOT TRUE LIMIT {MOST_COUNTED}
    ) AS counted
""")  # noqa: S608  (put together from constants)


async def count_unread_ads(session: AsyncSession) -> int:
    """Ads whose picture waits to be fetched or to be read, and whose copy was not bought.

    Counted are `MOST_COUNTED` at most.
    """
    return int(await session.scalar(_COUNT) or 0)
