"""Look up ads with the ad-details engine: each is paid once, whoever wants it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.details_store import enter_search, save_details, save_refusal
from adspark.db.engine import Database
from adspark.db.locks import Locks
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
from adspark.serpapi.payloads import Search
from adspark.waits import tell_wait

MAX_ATTEMPTS = 3
"""After so many an ad is given up, unless it is named again."""

_MOST_WAITED = 60.0  # seconds that a search may wait for a free connection
_ANSWERED = 20.0  # seconds after which SerpApi has an answer in its cache, even if nobody reads it
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
             OR d.answered_at IS NULL AND d.attempts < {MAX_ATTEMPTS})
"""
"""The news whose ads still have to be looked up, in SQL; `e` is the event."""

IS_CLAIMED = "d.claimed_until > now() AND d.claimed_until <= now() + interval '1 minute'"
"""Of a `creative_detail d`, in SQL: a run has just asked for it. No claim is made for as long as a
minute: one that ends later was made before the clock was set back."""

_PICK = text(f"""
    SELECT e.ad_creative_id, c.advertiser_id {WAITING} AND e.watch_id = :watch_id
    ORDER BY d.error IS NOT NULL, e.id LIMIT :limit
""")
_COUNT_WAITING = text(f"""
    SELECT count(DISTINCT e.ad_creative_id) {WAITING} AND e.watch_id = :watch_id
""")
# While a run looks up an ad it holds a lock, which ends with its process. What a dead one has asked
# may not be in SerpApi's cache yet, and would be paid twice: so a claim outlasts the lock a while.
# While an answer that was lost may be in SerpApi's cache, the time of its search is kept, by which
# the answer's age shows that it is the one that was paid; else it is another search, this watch's.
_CLAIMED_FOR = text(f"""
    SELECT extract(epoch FROM claimed_until - now()) FROM creative_detail d
    WHERE ad_creative_id = :ad_creative_id AND answered_at IS NULL AND {IS_CLAIMED}
""")  # noqa: S608  (put together from constants)
_ASK = text(f"""
    INSERT INTO creative_detail AS d (ad_creative_id, watch_id, claimed_until)
    VALUES (:ad_creative_id, :watch_id, now() + make_interval(secs => :seconds))
    ON CONFLICT (ad_creative_id) DO UPDATE SET attempts = d.attempts + 1,
        watch_id = excluded.watch_id, claimed_until = excluded.claimed_until,
        asked_at = CASE WHEN d.searches_billed + d.searches_cached > 0
                            OR d.asked_at < now() - interval '{_CACHED_FOR}'
                        THEN now() ELSE d.asked_at END
    WHERE d.answered_at IS NULL AND ({IS_CLAIMED}) IS NOT TRUE
    RETURNING asked_at
""")  # noqa: S608  (put together from a constant)
_UNCOUNT_ATTEMPT = text("""
    UPDATE creative_detail SET attempts = attempts - 1, error = :error, claimed_until = NULL
    WHERE ad_creative_id = :ad_creative_id AND answered_at IS NULL
""")
_NOTE_FAILURE = text("""
    UPDATE creative_detail SET error = :error, claimed_until = NULL
    WHERE ad_creative_id = :ad_creative_id AND answered_at IS NULL
    RETURNING attempts
""")


class DetailsSummary(BaseModel):
    """What looking up ads came to."""

    found: int = 0
    refused: int = Field(default=0, description="Of which the service knows no details.")
    waiting: int = Field(default=0, description="Still to be looked up.")
    given_up: int = Field(default=0, description="Whose last attempt has failed.")
    searches_billed: int = 0
    searches_cached: int = 0
    problem: str | None = Field(default=None, description="Why not all that could be were.")

    @property
    def is_worth_reporting(self) -> bool:
        """Whether there was anything to look up."""
        return bool(self.found or self.refused or self.waiting or self.given_up or self.problem)

    @property
    def headline(self) -> str:
        """The summary with its cost, in one line."""
        return f"{self} (searches: {self.searches_billed} billed, {self.searches_cached} cached)"

    def __str__(self) -> str:
        counts = (
            (self.refused, "without"),
            (self.waiting, "wait"),
            (self.given_up, f"given up after {MAX_ATTEMPTS} attempts"),
        )
        parts = [f"details of {self.found}", *(f"{n} {words}" for n, words in counts if n)]
        return ", ".join(parts) + (f" ({self.problem})" if self.problem else "")


@dataclass
class LookUp:
    """Looks up ads, a gate before each search.

    `watch_id` is the watch whose searches they are, which the caller has claimed; None: nobody's.
    """

    database: Database
    client: SerpApiClient
    locks: Locks
    watch_id: int | None
    before_search: Gate
    summary: DetailsSummary = field(default_factory=DetailsSummary)

    async def look_up_news(self, limit: int) -> DetailsSummary:
        """Look up at most `limit` new ads of the watch, oldest news first.

        A failure ends it for this time and is the summary's problem: the watch itself has been
        fetched.
        """
        async with self.database.session() as session:
            values = {"watch_id": self.watch_id, "limit": limit}
            picked = (await session.execute(_PICK, values)).tuples().all()
        try:
            await self.look_up(picked)
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # whatever it is, the watch itself has been fetched
            if not isinstance(error, AdSparkError):
                _log.exception("Details of new ads could not be looked up")
            self.summary.problem = describe_error(error)
        async with self.database.session() as session:
            waiting = await session.scalar(_COUNT_WAITING, {"watch_id": self.watch_id})
        self.summary.waiting = int(waiting or 0)
        return self.summary

    async def look_up(self, ads: Iterable[tuple[str, str]]) -> None:
        """Look up ads, each named with its advertiser; the first failure ends it.

        One that is known, or that another run looks up at the moment, is left alone. Only searches
        that were made count as attempts.

        Raises:
            AdSparkError: the failure; what was found is stored.
        """
        for ad_creative_id, advertiser_id in ads:
            async with self.locks.acquire(f"details:{ad_creative_id}") as is_free:
                if is_free:
                    await self._look_up(ad_creative_id, advertiser_id)

    async def _look_up(self, ad_creative_id: str, advertiser_id: str) -> None:
        if left := await self._execute(_CLAIMED_FOR, ad_creative_id):
            tell_wait(
                f"for what a run that has ended had asked SerpApi of {ad_creative_id}, so that it "
                "is not paid twice",
                seconds=float(left),
            )
            await asyncio.sleep(float(left))
        await self.before_search()
        asking = {"watch_id": self.watch_id, "seconds": _ANSWERED}
        if await self._execute(_ASK, ad_creative_id, **asking) is None:
            return
        answered: list[Search] = []
        try:
            details = await self._fetch(ad_creative_id, advertiser_id, answered)
        except NoDetailsError as error:
            async with self._entering(ad_creative_id, answered) as session:
                await save_refusal(session, ad_creative_id=ad_creative_id, refusal=error)
            self.summary.refused += 1
        except Exception as error:
            async with self._entering(ad_creative_id, answered) as session:
                await self._note_failure(session, ad_creative_id, error)
            raise
        else:
            async with self._entering(ad_creative_id, answered) as session:
                await save_details(session, ad_creative_id=ad_creative_id, details=details)
            self.summary.found += 1

    async def _fetch(
        self, ad_creative_id: str, advertiser_id: str, answered: list[Search]
    ) -> DetailsPayload:
        """The details; the search is `answered` where it was, whatever came."""
        seconds = self.client.timeout + _MOST_WAITED
        try:
            async with asyncio.timeout(seconds):
                return await self.client.details(
                    advertiser_id=advertiser_id, creative_id=ad_creative_id, answered=answered
                )
        except TimeoutError as error:
            raise ServiceDownError(f"SerpApi did not answer within {seconds:g} s.") from error

    @asynccontextmanager
    async def _entering(
        self, ad_creative_id: str, answered: Sequence[Search]
    ) -> AsyncIterator[AsyncSession]:
        """A transaction for what became of a search, in which what was answered is entered."""
        billed = 0
        async with self.database.transaction() as session:
            for search in answered:
                billed += await enter_search(session, ad_creative_id=ad_creative_id, search=search)
            yield session
        self.summary.searches_billed += billed
        self.summary.searches_cached += len(answered) - billed

    async def _note_failure(
        self, session: AsyncSession, ad_creative_id: str, error: Exception
    ) -> None:
        values = {"ad_creative_id": ad_creative_id, "error": describe_error(error)}
        if isinstance(error, _UNCOUNTED):
            await session.execute(_UNCOUNT_ATTEMPT, values)
            return
        attempts = await session.scalar(_NOTE_FAILURE, values)
        self.summary.given_up += attempts == MAX_ATTEMPTS

    async def _execute(self, statement: TextClause, ad_creative_id: str, **values: object) -> Any:  # noqa: ANN401  (what the statement returns, if anything)
        async with self.database.transaction() as session:
            done = await session.execute(statement, {"ad_creative_id": ad_creative_id, **values})
            return done.scalar() if done.returns_rows else None  # type: ignore[attr-defined]
