"""Store what the ad-details engine said of an ad, and what that cost."""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.serpapi.details_payloads import DetailsPayload, NoDetailsError

# Server clocks have whole seconds; an answer this much older than the question was cached.
_IS_BILLED = ":age <= extract(epoch FROM clock_timestamp() - asked_at) + 2"
_BILLING = f"""
    searches_billed = CASE WHEN {_IS_BILLED} THEN 1 ELSE 0 END,
    searches_cached = CASE WHEN {_IS_BILLED} THEN 0 ELSE 1 END
"""
_ANSWER = text(f"""
    UPDATE creative_detail SET
        answered_at = now(), claimed_until = NULL, search_id = :search_id, {_BILLING},
        headline = :headline, snippet = :snippet, call_to_action = :call_to_action,
        landing_url = :landing_url, funded_by = :funded_by,
        variations = CAST(:variations AS jsonb), error = NULL
    WHERE ad_creative_id = :ad_creative_id
    RETURNING searches_billed
""")  # noqa: S608  (put together from constants)
_REGIONS = text("""
    INSERT INTO creative_region AS r
        (ad_creative_id, region, first_shown, last_shown, times_shown)
    SELECT DISTINCT ON (region) :ad_creative_id, region, first_shown, last_shown, times_shown
    FROM json_to_recordset(CAST(:regions AS json))
        AS t (region text, first_shown date, last_shown date, times_shown text)
    ON CONFLICT (ad_creative_id, region) DO UPDATE SET
        first_shown = least(excluded.first_shown,
            CASE WHEN r.first_shown <= current_date + 1 THEN r.first_shown END),
        last_shown = greatest(excluded.last_shown,
            CASE WHEN r.last_shown <= current_date + 1 THEN r.last_shown END),
        times_shown = coalesce(excluded.times_shown, r.times_shown)
""")
_REFUSE = text("""
    UPDATE creative_detail SET answered_at = now(), claimed_until = NULL, error = :error
    WHERE ad_creative_id = :ad_creative_id
""")
_BILL_REFUSAL = text(f"""
    UPDATE creative_detail SET search_id = :search_id, {_BILLING}
    WHERE ad_creative_id = :ad_creative_id
    RETURNING searches_billed
""")  # noqa: S608  (put together from a constant)


async def save_details(
    session: AsyncSession, *, ad_creative_id: str, details: DetailsPayload
) -> int:
    """Store an answer and its regions; returns how many searches it was billed. Does not commit.

    Args:
        session: of the database.
        ad_creative_id: of the ad.
        details: the answer.
    """
    variations = [
        one.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        for one in details.variations
    ]
    billed = await session.scalar(
        _ANSWER,
        {
            "ad_creative_id": ad_creative_id,
            "search_id": details.search.id,
            "age": details.search.age,
            "headline": details.first("headline", "title", "long_headline"),
            "snippet": details.first("snippet"),
            "call_to_action": details.first("call_to_action"),
            "landing_url": details.first("link"),
            "funded_by": details.funded_by,
            "variations": json.dumps(variations, ensure_ascii=False),
        },
    )
    regions = json.dumps([one.model_dump(mode="json") for one in details.regions])
    await session.execute(_REGIONS, {"ad_creative_id": ad_creative_id, "regions": regions})
    return int(billed or 0)


async def save_refusal(
    session: AsyncSession, *, ad_creative_id: str, refusal: NoDetailsError
) -> int | None:
    """Remember that there are no details of an ad. Does not commit.

    Args:
        session: of the database.
        ad_creative_id: of the ad.
        refusal: the answer.

    Returns:
        How many searches it was billed; None where none was made.
    """
    values = {"ad_creative_id": ad_creative_id, "error": str(refusal)}
    await session.execute(_REFUSE, values)
    if refusal.search is None:
        return None
    values = {"ad_creative_id": ad_creative_id, "search_id": refusal.search.id}
    billed = await session.scalar(_BILL_REFUSAL, {**values, "age": refusal.search.age})
    return int(billed or 0)
