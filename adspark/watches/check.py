"""Check a watch: look at its search as far back as needed, link what it finds, derive the events.

Only one check of a watch runs at once, and only one fetch of a query: a check waits for another
that fetches the same, whose answers it then gets from SerpApi's cache for nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.details import DetailsSummary, look_up_new
from adspark.creatives.fetch import Fetching, FetchSummary, lock_name
from adspark.creatives.ledger import resume_or_create_fetch, running_fetch
from adspark.creatives.paging import Bounds
from adspark.db.engine import Database
from adspark.db.locks import Locks
from adspark.errors import (
    BusyError,
    InvalidCredentialsError,
    PermanentError,
    PostponedError,
    QuotaExhaustedError,
    SupersededError,
    UnknownWatchError,
    describe_error,
)
from adspark.models import Coverage, Fetch, StopReason, Watch
from adspark.serpapi.client import Gate, SerpApiClient, no_gate
from adspark.serpapi.payloads import SearchPage
from adspark.serpapi.search_query import CreativeQuery
from adspark.watches.definition import definition_of
from adspark.watches.events import (
    CoverageResult,
    EventCounts,
    check_unchanged,
    close_check,
    follow_page,
    judge,
    read_known,
    watermark,
)

# The month's billed searches of a watch; months are UTC's. Not asked for where nothing bounds them.
# A watch that was never looked at completely is looked at to the end, unless its bounds would cut
# that off where they have cut off the last look: then from its baseline on.
_READ = text("""
    WITH month AS (SELECT date_trunc('month', now(), 'UTC') AS start)
    SELECT w.*, CASE WHEN monthly_budget IS NULL THEN 0 ELSE (
        SELECT coalesce(sum(searches_billed), 0) FROM "fetch", month
        WHERE watch_id = w.id AND started_at >= month.start
    ) + (
        SELECT coalesce(sum(searches_billed), 0) FROM creative_detail, month
        WHERE watch_id = w.id AND asked_at >= month.start
    ) END AS spent, coalesce(complete_at, CASE WHEN baseline_at IS NOT NULL AND EXISTS (
        SELECT FROM (
            SELECT stop_reason, pages, started_at FROM "fetch"
            WHERE watch_id = w.id AND status = 'completed' ORDER BY started_at DESC LIMIT 1
        ) f
        WHERE stop_reason = 'page_limit' AND pages >= w.max_pages
            OR stop_reason = 'budget' AND started_at >= w.updated_at
    ) THEN baseline_at END) AS looked_at
    FROM watch w WHERE id = :watch_id
""")
# What waits for its budget is due again when the next month begins.
_WAIT = text("""
    UPDATE watch SET checked_at = now(), coverage = 'none', problem = :problem,
        due_at = date_trunc('month', now(), 'UTC') + interval '1 month'
    WHERE id = :watch_id
""")
# A failure that may pass leaves the watch due, and more overdue than others; one that is the
# watch's own would stand at the head of every sweep, so it takes its turn.
_FAIL = text("""
    UPDATE watch SET checked_at = now(), coverage = 'none', problem = :problem,
        due_at = CASE WHEN :is_permanent THEN now() + make_interval(mins => interval_minutes)
                      ELSE due_at END
    WHERE id = :watch_id
""")


class WatchSummary(BaseModel):
    """What a check came to: the result of `process-watch`.

    `coverage` says how far "nothing new" can be trusted: complete, partial (see `problem`), or
    none, where nothing could be looked at. A check that goes on after an interruption (`resumed`)
    counts the pages and searches of both, and the events of its own part.
    """

    watch_id: int
    name: str
    coverage: Coverage = Coverage.NONE
    problem: str | None = None
    events: EventCounts = Field(default_factory=EventCounts)
    stop_reason: StopReason | None = None
    pages: int = 0
    searches_billed: int = 0
    searches_cached: int = 0
    resumed: bool = False
    sandbox: bool = False
    details: DetailsSummary | None = None
    is_out_of_budget: bool = Field(default=False, description="It waits for the next month.")
    began_at: datetime | None = Field(default=None, description="None where nothing was fetched.")

    @property
    def headline(self) -> str:
        """The summary in one line."""
        looked = {
            Coverage.COMPLETE: f"{self.events}; everything was looked at",
            Coverage.PARTIAL: f"{self.events}; only a part was looked at: {self.problem}",
            Coverage.NONE: f"could not look: {self.problem}",
        }[self.coverage]
        cost = f"searches: {self.searches_billed} billed, {self.searches_cached} cached"
        details = f"; {self.details}" if self.details and self.details.is_worth_telling else ""
        return f"{looked} ({cost}{details}{'; sandbox data' if self.sandbox else ''})"


@dataclass
class Checker:
    """What checks need, and `check`. One serves any number of them at once.

    Args:
        locks: of the process; see `Database.locks`.
        flow_run_id: whose checks these are, for the ledger.
    """

    database: Database
    client: SerpApiClient
    locks: Locks
    flow_run_id: UUID | None = None

    async def check(self, watch_id: int, *, before_search: Gate = no_gate) -> WatchSummary:
        """Check one watch.

        A watch whose budget is spent waits; its summary says so, and nothing is searched.

        Args:
            before_search: awaited before every search.

        Raises:
            UnknownWatchError: there is none with this id, or it is paused.
            BusyError: another run is at it.
            AdSparkError: what the fetch raises; the watch then says so, and what was stored stays.
        """
        await self.database.check_version()
        async with self.locks.hold(f"watch:{watch_id}") as claimed:
            watch, spent, looked_at = await self._read(watch_id)
            if not claimed:
                raise await self._busy(watch)
            try:
                return await _Check(self, before_search, watch, spent, looked_at).run()
            except (PostponedError, SupersededError):
                raise
            except Exception as error:  # whatever it is: a watch that was not looked at says so
                await self._note_failure(watch, error)
                raise

    async def _read(self, watch_id: int) -> tuple[Watch, int, datetime | None]:
        """The watch, what it has spent this month, and when the look began that it goes on from."""
        async with self.database.session() as session:
            found = (await session.execute(_READ, {"watch_id": watch_id})).mappings().first()
        if found is None:
            raise UnknownWatchError(
                f"There is no watch {watch_id}; list them with: adspark watch list"
            )
        values = dict(found)
        spent, looked_at = int(values.pop("spent")), values.pop("looked_at")
        watch = Watch(**values)
        if not watch.is_active:
            raise UnknownWatchError(
                f"Watch {watch_id} ({watch.name}) is paused; adspark watch resume {watch_id}"
            )
        return watch, spent, looked_at

    async def _busy(self, watch: Watch) -> BusyError:
        async with self.database.session() as session:
            fetch = await running_fetch(session, query=definition_of(watch).query)
        run = f" by flow run {fetch.flow_run_id}" if fetch and fetch.flow_run_id else ""
        return BusyError(f"Watch {watch.id} ({watch.name}) is being processed{run} just now.")

    async def _note_failure(self, watch: Watch, error: Exception) -> None:
        is_the_accounts = isinstance(error, QuotaExhaustedError | InvalidCredentialsError)
        values = {
            "watch_id": watch.id,
            "problem": describe_error(error),
            "is_permanent": isinstance(error, PermanentError) and not is_the_accounts,
        }
        async with self.database.session() as session:
            await session.execute(_FAIL, values)
            await session.commit()


@dataclass
class _Check:
    """One check of a claimed watch."""

    parts: Checker
    before_search: Gate
    watch: Watch
    spent: int
    looked_at: datetime | None
    events: EventCounts = field(default_factory=EventCounts)
    verdict: CoverageResult = field(default_factory=CoverageResult)
    began_at: datetime | None = None

    async def run(self) -> WatchSummary:
        """Wait for the budget, or fetch, follow and look up details."""
        budget = self.watch.monthly_budget
        left = None if budget is None else budget - self.spent
        if left is not None and left <= 0:
            return await self._wait_for_budget()
        query = definition_of(self.watch).query
        async with self.parts.locks.hold(lock_name(query), wait=True):
            fetched = await self._fetch(query, left)
        details = await self._look_up(None if left is None else left - fetched.searches_billed)
        return self._summarise(fetched, details)

    async def _wait_for_budget(self) -> WatchSummary:
        problem = (
            f"the month's budget of {self.watch.monthly_budget} searches is spent; it waits for "
            f"the next month, or a larger monthly_budget"
        )
        async with self.parts.database.session() as session:
            await session.execute(_WAIT, {"watch_id": self.watch.id, "problem": problem})
            await session.commit()
        return WatchSummary(
            watch_id=self.watch.id or 0,
            name=self.watch.name,
            problem=problem,
            is_out_of_budget=True,
        )

    async def _fetch(self, query: CreativeQuery, left: int | None) -> FetchSummary:
        async with self.parts.database.session() as session:
            fetch = await resume_or_create_fetch(
                session,
                query=query,
                flow_run_id=self.parts.flow_run_id,
                watch_id=self.watch.id,
            )
            await session.commit()
        self.began_at = fetch.started_at
        fetching = Fetching(
            self.parts.database,
            self.parts.client,
            query,
            Bounds(
                max_pages=self.watch.max_pages,
                watermark=watermark(self.looked_at),
                max_billed=None if left is None else fetch.searches_billed + left,
            ),
            locks=self.parts.locks,
            before_search=self.before_search,
            follow=self._follow,
        )
        try:
            return await fetching.run(fetch)
        except SupersededError:  # a change of the watch gives up its fetches
            async with self.parts.database.session() as session:
                await check_unchanged(session, watch=self.watch)
            raise

    async def _follow(
        self,
        session: AsyncSession,
        fetch: Fetch,
        page: SearchPage | None,
        stop: StopReason | None,
    ) -> None:
        """The watch's part of a page's transaction."""
        if page:
            self.events.add(await follow_page(session, watch=self.watch, fetch=fetch, page=page))
        if stop:
            known = await read_known(session, watch=self.watch)
            self.verdict = judge(fetch, stop, self.watch.max_pages, known)
            self.events.add(
                await close_check(session, watch=self.watch, fetch=fetch, verdict=self.verdict)
            )

    async def _look_up(self, left: int | None) -> DetailsSummary | None:
        wanted = self.watch.details_per_sweep
        limit = wanted if left is None else max(0, min(wanted, left))
        if not wanted:
            return None
        details = await look_up_new(
            self.parts.database,
            self.parts.client,
            watch_id=self.watch.id or 0,
            limit=limit,
            before_search=self.before_search,
        )
        if details.waiting and limit < wanted and details.problem is None:
            details.problem = "the month's budget is spent"
        return details

    def _summarise(self, fetched: FetchSummary, details: DetailsSummary | None) -> WatchSummary:
        return WatchSummary(
            watch_id=self.watch.id or 0,
            name=self.watch.name,
            coverage=self.verdict.coverage,
            problem=self.verdict.problem,
            events=self.events,
            stop_reason=fetched.stop_reason,
            pages=fetched.pages,
            searches_billed=fetched.searches_billed + (details.searches_billed if details else 0),
            searches_cached=fetched.searches_cached + (details.searches_cached if details else 0),
            resumed=fetched.resumed,
            sandbox=fetched.sandbox,
            details=details,
            began_at=self.began_at,
        )
