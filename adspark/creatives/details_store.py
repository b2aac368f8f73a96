"""Store what the ad-details engine said of an ad, and what that cost."""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.serpapi.details_payloads import DetailsPayload, NoDetailsError
from adspark.serpapi.payloads import Search

# Server clocks have whole seconds; an answer this much older than the question was cached.
_ENTER = text("""
    WITH search AS (
        SELECT (:age <= extract(epoch FROM clock_timestamp() - asked_at) + 2)::int AS billed
        FROM creative_detail WHERE ad_creative_id = :ad_creative_id
    )
    UPDATE creative_detail SET search_id = :search_id,
        searches_billed = searches_billed + billed,
        searches_cached = searches_cached + 1 - billed
    FROM search WHERE ad_creative_id = :ad_creative_id
    RETURNING billed
""")
_ANSWER = text("""
    UPDATE creative_detail SET
        answered_at = now(), claimed_until = NULL,
        headline = :headline, snippet = :snippet, call_to_action = :call_to_action,
        landing_url = :landing_url, funded_by = :funded_by,
        variations = CAST(:variations AS jsonb), error = NULL
    WHERE ad_creative_id = :ad_creative_id
""")
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


async def enter_search(session: AsyncSession, *, ad_creative_id: str, search: Search) -> int:
    """Enter a search that was answered; returns 1 where it was billed, 0 where it was cached.

    Does not commit.

    Args:
        ad_creative_id: of the ad that it was made for.
        search: the search.
    """
    values = {"ad_creative_id": ad_creative_id, "search_id": search.id, "age": search.age}
    return int(await session.scalar(_ENTER, values) or 0)


async def save_details(
    session: AsyncSession, *, ad_creative_id: str, details: DetailsPayload
) -> None:
    """Store an answer and its regions. Does not commit.

    Args:
        ad_creative_id: of the ad.
        details: the answer.
    """
    variations = [
        one.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        for one in details.variations
    ]
    await session.execute(
        _ANSWER,
        {
            "ad_creative_id": ad_creative_id,
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


async def save_refusal(
    session: AsyncSession, *, ad_creative_id: str, refusal: NoDetailsError
) -> None:
    """Remember that there are no details of an ad. Does not commit.

    Args:
        ad_creative_id: of the ad.
        refusal: the answer.
    """
    values = {"ad_creative_id": ad_creative_id, "error": str(refusal)}
    await session.execute(_REFUSE, values)
