"""Check a watch: fetch its search back to the watermark, link what it finds, derive the events.

Only one check of a watch runs at once, and only one fetch of a query: a check waits for another
that fetches the same, whose answers it then gets from SerpApi's cache for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.details import DetailsSummary, LookUp
from adspark.creatives.fetch import FetchRun, lock_name, name_running_fetch
from adspark.creatives.ledger import resume_or_create_fetch
from adspark.creatives.paging import Bounds
from adspark.db.engine import Database
from adspark.db.locks import Locks
from adspark.errors import (
    BusyError,
    DatabaseUnavailableError,
    InvalidCredentialsError,
    PermanentError,
    PostponedError,
    QuotaExhaustedError,
    StatementLimitError,
    SupersededError,
    UnknownWatchError,
    describe_error,
)
from adspark.models import Coverage, Fetch, StopReason, Watch
from adspark.serpapi.client import Gate, SerpApiClient, no_gate
from adspark.serpapi.payloads import LAG, SearchPage
from adspark.serpapi.search_query import CreativeQuery
from adspark.text.counts import counted
from adspark.watches.budgets import BILLED_THIS_MONTH, NEXT_MONTH
from adspark.watches.definition import definition_of
from adspark.watches.events import (
    EventCounts,
    KnownAds,
    assess_coverage,
    check_unchanged,
    close_check,
    link_page,
    linked_ads,
    watermark,
)

# The month's billed searches count only where a budget bounds them. A watch that was never covered
# completely is fetched to the end, unless its bounds would cut that off where they have cut off the
# last fetch: then from its baseline on. A watermark of the future is a wrong clock's.
_READ = text(f"""
    SELECT w.*, k.seen, k.running,
        CASE WHEN monthly_budget IS NULL THEN 0 ELSE {BILLED_THIS_MONTH} END AS spent,
        coalesce(
            CASE WHEN complete_at < now() + make_interval(days => {LAG.days}) THEN complete_at END,
            CASE WHEN baseline_at IS NOT NULL AND EXISTS (
        SELECT FROM (
            SELECT stop_reason, pages, started_at FROM "fetch"
            WHERE watch_id = w.id AND status = 'completed' ORDER BY started_at DESC LIMIT 1
        ) f
        WHERE stop_reason = 'page_limit' AND pages >= w.max_pages
            OR stop_reason = 'budget' AND started_at >= w.updated_at
    ) THEN baseline_at END) AS covered_at
    FROM watch w CROSS JOIN LATERAL (
        SELECT count(*) AS seen, count(*) FILTER (WHERE ended_at IS NULL) AS running
        FROM watch_creative WHERE watch_id = w.id
    ) k
    WHERE id = :watch_id
""")  # noqa: S608  (put together from a constant)
# What waits for its budget is due again when the next month begins. A watch that was changed since
# its check began, as to a larger budget, stays as it is; so it does after a failure.
_WAIT = text(f"""
    UPDATE watch SET checked_at = now(), coverage = 'none', problem = :problem,
        due_at = {NEXT_MONTH}
    WHERE id = :watch_id AND updated_at = :updated_at
""")  # noqa: S608  (put together from a constant)
# A failure that may pass leaves the watch due, and more overdue than others; one that is the
# watch's own would stand at the head of every sweep, so it takes its turn.
_FAIL = text("""
    UPDATE watch SET checked_at = now(), coverage = 'none', problem = :problem,
        due_at = CASE WHEN :is_permanent THEN now() + make_interval(mins => interval_minutes)
                      ELSE due_at END
    WHERE id = :watch_id AND updated_at = :updated_at
""")
_OTHER_FETCH = "another run's fetch of the same search"  # whose answers this one gets then
# What a watch's summary takes over from its fetch.
_FETCHED = {"stop_reason", "pages", "searches_billed", "searches_cached", "resumed", "sandbox"}


class WatchSummary(BaseModel):
    """What a check came to: the result of `process-watch`.

    `coverage` says how far "nothing new" can be trusted: complete, partial (see `problem`), or
    none, where nothing could be fetched. A check that resumes an interrupted fetch (`resumed`)
    counts the pages and searches of both, and its own events.
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
        found = {
            Coverage.COMPLETE: f"{self.events}; coverage complete",
            Coverage.PARTIAL: f"{self.events}; coverage partial: {self.problem}",
            Coverage.NONE: f"not looked at: {self.problem}",
        }[self.coverage]
        cost = f"searches: {self.searches_billed} billed, {self.searches_cached} cached"
        if self.searches_cached:
            cost += ", which show what there was up to an hour ago"
        details = f"; {self.details}" if self.details and self.details.is_worth_reporting else ""
        return f"{found} ({cost}{details}{'; sandbox data' if self.sandbox else ''})"


@dataclass
class Checker:
    """Checks watches, any number at once, in the name of a flow run."""

    database: Database
    client: SerpApiClient
    locks: Locks
    flow_run_id: UUID | None = None

    async def check(
        self,
        watch_id: int,
        *,
        before_search: Gate = no_gate,
        may_wait: Callable[[], bool] = lambda: True,
    ) -> WatchSummary:
        """Check one watch.

        A watch whose budget is spent waits, and one whose budget is 0 stays as it is; its summary
        says so, and nothing is searched.

        Args:
            watch_id: of the watch.
            before_search: awaited before every search.
            may_wait: whether to wait on for another run's fetch of the same search.

        Raises:
            PostponedError: it may not wait any longer.
            UnknownWatchError: there is none with this id, or it is paused.
            BusyError: another run has claimed it, or it was changed meanwhile.
            AdSparkError: what the fetch raises; the watch then says so, unless it was changed
                meanwhile, and what was stored stays.
        """
        await self.database.check_server()
        async with self.locks.acquire(f"watch:{watch_id}") as claimed:
            watch, known, spent, covered_at = await self._read(watch_id)
            if not claimed:
                run = await name_running_fetch(self.database, definition_of(watch).query)
                raise BusyError(
                    f"Watch {watch.id} ({watch.name}) is being processed{run} just now."
                )
            try:
                left = None if watch.monthly_budget is None else watch.monthly_budget - spent
                check = _Check(self, before_search, may_wait, watch, known, left, covered_at)
                return await check.run()
            except StatementLimitError as error:
                await self._note_failure(watch, error)
                raise
            except (DatabaseUnavailableError, PostponedError, SupersededError):
                raise
            except Exception as error:  # whatever else, the watch says that it was not checked
                await self._note_failure(watch, error)
                raise

    async def _read(self, watch_id: int) -> tuple[Watch, KnownAds, int, datetime | None]:
        """The watch, its ads, its billed searches of this month, and when they were covered."""
        async with self.database.autocommit() as connection:
            found = (await connection.execute(_READ, {"watch_id": watch_id})).mappings().first()
        if found is None:
            raise UnknownWatchError(
                f"There is no watch {watch_id}.", command="list them with: adspark watch list"
            )
        watch = Watch.model_validate(found)
        if not watch.is_active:
            raise UnknownWatchError(
                f"Watch {watch_id} ({watch.name}) is paused.",
                command=f"adspark watch resume {watch_id}",
            )
        known = KnownAds(seen=found["seen"], running=found["running"])
        return watch, known, int(found["spent"]), found["covered_at"]

    async def _note_failure(self, watch: Watch, error: Exception) -> None:
        is_the_accounts = isinstance(error, QuotaExhaustedError | InvalidCredentialsError)
        values = {
            "watch_id": watch.id,
            "updated_at": watch.updated_at,
            "problem": describe_error(error),
            "is_permanent": isinstance(error, PermanentError) and not is_the_accounts,
        }
        async with self.database.transaction() as session:
            await session.execute(_FAIL, values)


@dataclass
class _Check:
    """One check of a claimed watch; `left` are the searches of its budget, if it has one."""

    checker: Checker
    before_search: Gate
    may_wait: Callable[[], bool]
    watch: Watch
    known: KnownAds
    left: int | None
    covered_at: datetime | None

    def __post_init__(self) -> None:
        self.database, self.client = self.checker.database, self.checker.client
        self.summary = WatchSummary(watch_id=self.watch.id, name=self.watch.name)

    async def run(self) -> WatchSummary:
        """Wait for the budget, or fetch, derive the events and look up details."""
        if self.left is not None and self.left <= 0:
            await self._wait_for_budget()
            return self.summary
        query = definition_of(self.watch).query
        async with self.checker.locks.acquire(
            lock_name(query), wait_for=_OTHER_FETCH, may_wait=self.may_wait
        ) as is_locked:
            if not is_locked:
                raise PostponedError(f"no time left in this sweep to wait for {_OTHER_FETCH}")
            try:
                await self._fetch(query)
            except SupersededError:  # a change of the watch gives up its fetches
                async with self.database.session() as session:
                    await check_unchanged(session, watch=self.watch)
                raise
        if self.watch.details_per_sweep:
            await self._look_up_details()
        return self.summary

    async def _wait_for_budget(self) -> None:
        if not self.watch.monthly_budget:
            self.summary.problem = (
                "its budget is 0, so that it is never checked; give it a larger one, or pause it"
            )
            return
        self.summary.is_out_of_budget = True
        self.summary.problem = (
            f"the month's budget of {counted(self.watch.monthly_budget, 'search')} is spent; it "
            f"waits for the next month, or a larger budget"
        )
        values = {
            "watch_id": self.watch.id,
            "updated_at": self.watch.updated_at,
            "problem": self.summary.problem,
        }
        async with self.database.transaction() as session:
            await session.execute(_WAIT, values)
            await check_unchanged(session, watch=self.watch)

    async def _fetch(self, query: CreativeQuery) -> None:
        fetch = await resume_or_create_fetch(
            self.database,
            query=query,
            flow_run_id=self.checker.flow_run_id,
            watch_id=self.watch.id,
        )
        billed_before = fetch.searches_billed
        self.fetch_run = FetchRun(
            self.database,
            self.client,
            self.checker.locks,
            query,
            Bounds(
                max_pages=self.watch.max_pages,
                watermark=watermark(self.covered_at),
                max_billed=None if self.left is None else billed_before + self.left,
            ),
            before_search=self.before_search,
            in_transaction=self._link,
            seen=await self._seen_of(fetch),
        )
        fetched = await self.fetch_run.run(fetch)
        if self.left is not None:
            self.left -= fetched.searches_billed - billed_before
        figures = fetched.model_dump(include=_FETCHED) | {"began_at": fetch.started_at}
        self.summary = self.summary.model_copy(update=figures)

    async def _seen_of(self, fetch: Fetch) -> list[str]:
        """The ads of the pages before a resume; of a baseline, for only there moves matter."""
        if not fetch.pages or self.watch.baseline_at is not None:
            return []
        async with self.database.session() as session:
            return await linked_ads(session, watch=self.watch)

    async def _link(self, session: AsyncSession, fetch: Fetch, page: SearchPage | None) -> None:
        """The watch's part of a page's transaction."""
        summary, watch = self.summary, self.watch
        if page:
            summary.events.add(await link_page(session, watch=watch, fetch=fetch, page=page))
        if fetch.stop_reason:
            result = assess_coverage(
                fetch,
                fetch.stop_reason,
                watch.max_pages,
                self.known,
                is_steady=self.fetch_run.is_steady,
            )
            summary.coverage, summary.problem = result.coverage, result.problem
            summary.events.add(await close_check(session, watch=watch, fetch=fetch, result=result))

    async def _look_up_details(self) -> None:
        wanted = self.watch.details_per_sweep
        limit = wanted if self.left is None else max(0, min(wanted, self.left))
        look_up = LookUp(
            self.database,
            self.client,
            self.checker.locks,
            self.watch.id,
            self.before_search,
        )
        details = await look_up.look_up_news(limit)
        if details.waiting and limit < wanted and details.problem is None:
            details.problem = "the month's budget is spent"
        self.summary.details = details
        self.summary.searches_billed += details.searches_billed
        self.summary.searches_cached += details.searches_cached
