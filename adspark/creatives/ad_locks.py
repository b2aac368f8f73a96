"""Lock stored ads while something refers to them, so that a clean-up leaves them alone.

An ad that the clean-up has locked is waited for, and is then no longer stored.
"""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.validation.stored import check_storable, missing_ads

# In the order of their keys, so that two at once cannot deadlock.
_LOCK = """
    SELECT ad_creative_id FROM creative
    WHERE ad_creative_id = ANY (CAST(:ids AS text[])) ORDER BY 1 FOR {}
"""
_KEEP = text(_LOCK.format("KEY SHARE"))
_KEEP_ALONE = text(_LOCK.format("NO KEY UPDATE"))


async def lock_ads(
    session: AsyncSession, *, ids: Collection[str], alone: bool = False
) -> list[str]:
    """Lock stored ads until the end of the transaction; returns their ids, each once, in order.

    Args:
        ids: of the ads.
        alone: whether others that lock them so have to wait, as before a trigger changes the rows.

    Raises:
        InvalidQueryError: an ad is not stored, or was cleaned up just now; names some of them.
    """
    for ad_creative_id in ids:
        check_storable("ads", ad_creative_id)
    wanted = sorted(set(ids))
    locked = await session.scalars(_KEEP_ALONE if alone else _KEEP, {"ids": wanted})
    if missing := sorted(set(wanted) - set(locked)):
        raise missing_ads("ads", missing)
    return wanted
