"""Look up a watch's new creatives with the ad-details engine, each once, within its bounds."""

import json
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.database import Database
from adspark.errors import AdSparkError, DatabaseUnavailableError, ServiceRefusedError
from adspark.serpapi import Gate, SerpApiClient
from adspark.serpapi_details import DetailsPayload

_MOST_ATTEMPTS = 3
_FRESH = "30 days"  # an ad that was news longer ago is not looked up any more

_PICK = text(f"""
    SELECT e.ad_creative_id, c.advertiser_id
    FROM creative_event e
    JOIN creative c USING (ad_creative_id)
    LEFT JOIN creative_detail d USING (ad_creative_id)
    WHERE e.watch_id = :watch_id AND e.kind = 'new'
        AND e.occurred_at > now() - interval '{_FRESH}'
        AND (d.ad_creative_id IS NULL
             OR d.answered_at IS NULL AND d.attempts < {_MOST_ATTEMPTS})
    ORDER BY e.id LIMIT :limit
""")  # noqa: S608  (put together from constants)
_ASK = text("""
    INSERT INTO creative_detail AS d (ad_creative_id, watch_id)
    VALUES (:ad_creative_id, :watch_id)
    ON CONFLICT (ad_creative_id) DO UPDATE SET attempts = d.attempts + 1
    WHERE d.answered_at IS NULL
    RETURNING asked_at
""")
# Server clocks have whole seconds; an answer this much older than the question was cached.
_ANSWER = text("""
    UPDATE creative_detail SET
        answered_at = now(), search_id = :search_id,
        searches_billed = CASE WHEN :age <= extract(epoch FROM clock_timestamp() - asked_at) + 2
                               THEN 1 ELSE 0 END,
        searches_cached = CASE WHEN :age <= extract(epoch FROM clock_timestamp() - asked_at) + 2
                               THEN 0 ELSE 1 END,
        headline = :headline, snippet = :snippet, call_to_action = :call_to_action,
        landing_url = :landing_url, funded_by = :funded_by,
        variations = CAST(:variations AS jsonb), error = NULL
    WHERE ad_creative_id = :ad_creative_id
    RETURNING searches_billed
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
    UPDATE creative_detail SET answered_at = now(), error = :error
    WHERE ad_creative_id = :ad_creative_id
""")


class DetailsSummary(BaseModel):
    """What looking up a watch's new creatives came to."""

    found: int = 0
    refused: int = 0
    searches_billed: int = 0
    searches_cached: int = 0
    problem: str | None = None

    @property
    def is_worth_telling(self) -> bool:
        """Whether there was anything to look up."""
        return bool(self.found or self.refused or self.problem)

    def __str__(self) -> str:
        refused = f", {self.refused} without" if self.refused else ""
        return f"details of {self.found}{refused}" + (f" ({self.problem})" if self.problem else "")


async def look_up_new(
    database: Database,
    client: SerpApiClient,
    *,
    watch_id: int,
    limit: int,
    before_search: Gate,
) -> DetailsSummary:
    """Look up at most `limit` of the watch's new creatives, oldest news first.

    A failure ends it for this time and is said in the summary: the watch itself has been looked
    at. Whoever calls it has claimed the watch.

    Raises:
        DatabaseUnavailableError: Postgres does not answer.
    """
    summary = DetailsSummary()
    async with database.session() as session:
        values = {"watch_id": watch_id, "limit": limit}
        picked = (await session.execute(_PICK, values)).all()
    for ad_creative_id, advertiser_id in picked:
        if not await _ask(database, ad_creative_id=ad_creative_id, watch_id=watch_id):
            continue
        try:
            await before_search()
            details = await client.details(advertiser_id=advertiser_id, creative_id=ad_creative_id)
        except ServiceRefusedError as error:
            summary.refused += 1
            async with database.session() as session:
                refused = {"ad_creative_id": ad_creative_id, "error": str(error)}
                await session.execute(_REFUSE, refused)
                await session.commit()
        except DatabaseUnavailableError:
            raise
        except AdSparkError as error:
            summary.problem = str(error)
            break
        else:
            async with database.session() as session:
                billed = await save_details(session, ad_creative_id=ad_creative_id, details=details)
                await session.commit()
            summary.found += 1
            summary.searches_billed += billed
            summary.searches_cached += 1 - billed
    return summary


async def save_details(
    session: AsyncSession, *, ad_creative_id: str, details: DetailsPayload
) -> int:
    """Store an answer and its regions; returns how many searches it was billed. Does not commit."""
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
            "variations": _as_json(variations),
        },
    )
    regions = [one.model_dump(mode="json") for one in details.regions]
    await session.execute(
        _REGIONS, {"ad_creative_id": ad_creative_id, "regions": _as_json(regions)}
    )
    return int(billed or 0)


async def _ask(database: Database, *, ad_creative_id: str, watch_id: int) -> bool:
    """Note that the creative is being asked for; False where another watch has the answer."""
    async with database.session() as session:
        values = {"ad_creative_id": ad_creative_id, "watch_id": watch_id}
        asked: datetime | None = await session.scalar(_ASK, values)
        await session.commit()
    return asked is not None


def _as_json(values: list[dict[str, object]]) -> str:
    return json.dumps(values, ensure_ascii=False)
