"""Look up a watch's new creatives with the ad-details engine, each once, within its bounds."""

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import (
    AdSparkError,
    DatabaseUnavailableError,
    InvalidCredentialsError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceDownError,
    describe_error,
)
from adspark.serpapi.client import Gate, SerpApiClient
from adspark.serpapi.details_payloads import DetailsPayload, NoDetailsError

_MAX_ATTEMPTS = 3
_FRESH = "30 days"  # an ad that was news longer ago is not looked up any more
_CACHED_FOR = "61 minutes"  # SerpApi's hour, and a margin: then a lost answer is lost for good
# Refusals of the account, and a service that is down: they say nothing of the ad, cost nothing
# (what was made after all is in SerpApi's cache), and an outage may take longer than any bound.
_UNCOUNTED = (InvalidCredentialsError, QuotaExhaustedError, RateLimitedError, ServiceDownError)
_log = logging.getLogger(__name__)

WAITING = f"""
    FROM creative_event e
    JOIN creative c USING (ad_creative_id)
    LEFT JOIN creative_detail d USING (ad_creative_id)
    WHERE e.kind = 'new' AND e.occurred_at > now() - interval '{_FRESH}'
        AND (d.ad_creative_id IS NULL
             OR d.answered_at IS NULL AND d.attempts < {_MAX_ATTEMPTS})
"""
"""The news whose ads still have to be looked up, in SQL; `e` is the event."""

_PICK = text(f"""
    SELECT e.ad_creative_id, c.advertiser_id {WAITING} AND e.watch_id = :watch_id
    ORDER BY d.error IS NOT NULL, e.id LIMIT :limit
""")
_COUNT_WAITING = text(f"""
    SELECT count(DISTINCT e.ad_creative_id) {WAITING} AND e.watch_id = :watch_id
""")
# While the answer may be in SerpApi's cache, the time of its search is kept, by which the answer's
# age shows that it is the one that was paid; later it is another search, for this watch.
_ASK = text(f"""
    INSERT INTO creative_detail AS d (ad_creative_id, watch_id)
    VALUES (:ad_creative_id, :watch_id)
    ON CONFLICT (ad_creative_id) DO UPDATE SET attempts = d.attempts + 1, watch_id = :watch_id,
        asked_at = CASE WHEN d.asked_at < now() - interval '{_CACHED_FOR}'
                        THEN now() ELSE d.asked_at END
    WHERE d.answered_at IS NULL
    RETURNING asked_at
""")  # noqa: S608  (put together from a constant)
_UNCOUNT_ATTEMPT = text("""
    UPDATE creative_detail SET attempts = attempts - 1, error = :error
    WHERE ad_creative_id = :ad_creative_id AND answered_at IS NULL
""")
_NOTE_FAILURE = text("""
    UPDATE creative_detail SET error = :error
    WHERE ad_creative_id = :ad_creative_id AND answered_at IS NULL
    RETURNING attempts
""")
# Server clocks have whole seconds; an answer this much older than the question was cached.
_IS_BILLED = ":age <= extract(epoch FROM clock_timestamp() - asked_at) + 2"
_BILLING = f"""
    searches_billed = CASE WHEN {_IS_BILLED} THEN 1 ELSE 0 END,
    searches_cached = CASE WHEN {_IS_BILLED} THEN 0 ELSE 1 END
"""
_ANSWER = text(f"""
    UPDATE creative_detail SET
        answered_at = now(), search_id = :search_id, {_BILLING},
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
    UPDATE creative_detail SET answered_at = now(), error = :error
    WHERE ad_creative_id = :ad_creative_id
""")
_BILL_REFUSAL = text(f"""
    UPDATE creative_detail SET search_id = :search_id, {_BILLING}
    WHERE ad_creative_id = :ad_creative_id
    RETURNING searches_billed
""")  # noqa: S608  (put together from a constant)


class DetailsSummary(BaseModel):
    """What looking up a watch's new creatives came to."""

    found: int = 0
    refused: int = Field(default=0, description="Of which the service knows no details.")
    waiting: int = Field(default=0, description="Still to be looked up, by the next checks.")
    given_up: int = Field(default=0, description="Whose last attempt has failed.")
    searches_billed: int = 0
    searches_cached: int = 0
    problem: str | None = Field(default=None, description="Why not all that could be were.")

    @property
    def is_worth_reporting(self) -> bool:
        """Whether there was anything to look up."""
        return bool(self.found or self.refused or self.waiting or self.given_up or self.problem)

    def __str__(self) -> str:
        counts = (
            (self.refused, "without"),
            (self.waiting, "wait"),
            (self.given_up, f"given up after {_MAX_ATTEMPTS} attempts"),
        )
        parts = [f"details of {self.found}", *(f"{n} {words}" for n, words in counts if n)]
        return ", ".join(parts) + (f" ({self.problem})" if self.problem else "")


@dataclass
class LookUp:
    """Looks up new creatives of a watch that the caller has claimed; a gate before each search."""

    database: Database
    client: SerpApiClient
    watch_id: int
    before_search: Gate
    summary: DetailsSummary = field(default_factory=DetailsSummary)

    async def run(self, limit: int) -> DetailsSummary:
        """Look up at most `limit` creatives, oldest news first.

        A failure ends it for this time and is the summary's problem: the watch itself has been
        fetched. Only searches that were made count as attempts.
        """
        async with self.database.session() as session:
            values = {"watch_id": self.watch_id, "limit": limit}
            picked = (await session.execute(_PICK, values)).all()
        for ad_creative_id, advertiser_id in picked:
            if not await self._try(ad_creative_id, advertiser_id):
                break
        async with self.database.session() as session:
            waiting = await session.scalar(_COUNT_WAITING, {"watch_id": self.watch_id})
        self.summary.waiting = int(waiting or 0)
        return self.summary

    async def _try(self, ad_creative_id: str, advertiser_id: str) -> bool:
        """Look up a creative; returns whether the next can be tried as well."""
        is_asked = False
        try:
            await self.before_search()
            asked_at = await self._execute(_ASK, ad_creative_id, watch_id=self.watch_id)
            is_asked = asked_at is not None
            if not is_asked:  # another watch has the answer
                return True
            details = await self.client.details(
                advertiser_id=advertiser_id, creative_id=ad_creative_id
            )
        except NoDetailsError as error:
            await self._execute(_REFUSE, ad_creative_id, error=str(error))
            if search := error.search:
                values = {"search_id": search.id, "age": search.age}
                self._count(await self._execute(_BILL_REFUSAL, ad_creative_id, **values))
            self.summary.refused += 1
            return True
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # whatever it is, the watch itself has been fetched
            if not isinstance(error, AdSparkError):
                _log.exception("Details of %s could not be looked up", ad_creative_id)
            self.summary.problem = describe_error(error)
            if is_asked:
                await self._note_failure(ad_creative_id, error)
            return False
        async with self.database.session() as session, session.begin():
            billed = await _save(session, ad_creative_id, details)
        self.summary.found += 1
        self._count(billed)
        return True

    def _count(self, billed: int) -> None:
        self.summary.searches_billed += billed
        self.summary.searches_cached += 1 - billed

    async def _note_failure(self, ad_creative_id: str, error: Exception) -> None:
        reason = describe_error(error)
        if isinstance(error, _UNCOUNTED):
            await self._execute(_UNCOUNT_ATTEMPT, ad_creative_id, error=reason)
            return
        attempts = await self._execute(_NOTE_FAILURE, ad_creative_id, error=reason)
        self.summary.given_up += attempts == _MAX_ATTEMPTS

    async def _execute(self, statement: TextClause, ad_creative_id: str, **values: object) -> Any:  # noqa: ANN401  (what the statement returns, if anything)
        async with self.database.session() as session, session.begin():
            done = await session.execute(statement, {"ad_creative_id": ad_creative_id, **values})
            return done.scalar() if done.returns_rows else None  # type: ignore[attr-defined]


async def _save(session: AsyncSession, ad_creative_id: str, details: DetailsPayload) -> int:
    """Store an answer and its regions; returns how many searches it was billed."""
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
