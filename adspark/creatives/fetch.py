"""Fetch one query: page after page from SerpApi into the database, paid for once.

Each page's rows and its line in the ledger are one transaction, so a fetch that dies goes on after
its last stored page. Two fetches of one query never run at once: the query is locked in the
database as long as its run is alive, and the lock goes with the run's connection. A run whose lock
was lost pays for no further page, and what it writes is refused once another run has taken over.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.ledger import (
    are_known_unreadable,
    fail_fetch,
    finish_fetch,
    record_page,
    restart_fetch,
    resume_or_create_fetch,
    running_fetch,
)
from adspark.creatives.paging import Bounds, Trail
from adspark.creatives.store import NewCreative, SavedCreatives, describe_creatives, save_creatives
from adspark.db.engine import Database
from adspark.db.locks import Locks
from adspark.errors import AdSparkError, BusyError, ServiceRefusedError
from adspark.models import Fetch, StopReason
from adspark.serpapi.client import Gate, SerpApiClient, no_gate
from adspark.serpapi.payloads import RejectedPayload, Search, SearchPage
from adspark.serpapi.search_query import CreativeQuery, check_max_pages

SAMPLE_SIZE = 20
"""Creatives that a summary names; the database has them all."""


class FetchSummary(BaseModel):
    """What a fetch did: the result of the flow, its artifact and the command's table.

    Counts are creatives, but for `pages` and `searches_…`; they cover the whole fetch, also the
    part before an interruption (`resumed`). `new_creatives` holds at most `SAMPLE_SIZE` of the
    new ones. In a dry run they say what would have happened.
    """

    fetch_id: UUID | None = None
    query: CreativeQuery
    dry_run: bool = False
    resumed: bool = False
    sandbox: bool = False
    pages: int = 0
    searches_billed: int = 0
    searches_cached: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    stop_reason: StopReason | None = None
    warnings: list[str] = Field(default_factory=list)
    new_creatives: list[NewCreative] = Field(default_factory=list)

    @property
    def headline(self) -> str:
        """The summary in one line."""
        found = f"{self.new} new, {self.changed} changed, {self.unchanged} unchanged"
        rejected = f", {self.rejected} rejected" if self.rejected else ""
        pages = f"{self.pages} page{'' if self.pages == 1 else 's'}"
        cost = f"searches: {self.searches_billed} billed, {self.searches_cached} cached"
        notes = [
            note
            for note, holds in (
                ("dry run, no ads were stored", self.dry_run),
                ("taken up where an earlier run stopped", self.resumed),
                ("SerpApi broke off, so ads are missing", self.stop_reason is StopReason.GAP),
                ("sandbox data", self.sandbox),
            )
            if holds
        ]
        return f"{found}{rejected} on {pages}; {cost}" + (f" ({'; '.join(notes)})" if notes else "")


AfterPage = Callable[[FetchSummary], Awaitable[None]]
"""Told of the summary so far after each stored page."""
Follow = Callable[[AsyncSession, Fetch, SearchPage | None, StopReason | None], Awaitable[None]]
"""Work that belongs into the transaction of a page (None: of the end alone), as a watch's."""


async def _no_report(_: FetchSummary) -> None:
    """For a caller that wants none."""


async def _no_follow(*_: object) -> None:
    """For a fetch that belongs to nobody."""


async def fetch_query(
    database: Database,
    client: SerpApiClient,
    query: CreativeQuery,
    *,
    max_pages: int = 1,
    dry_run: bool = False,
    flow_run_id: UUID | None = None,
    before_search: Gate = no_gate,
    after_page: AfterPage = _no_report,
) -> FetchSummary:
    """Fetch at most `max_pages` pages of a query, going on where an earlier run died.

    Args:
        dry_run: search, but store no ads; what was paid is in the ledger all the same.
        flow_run_id: whose fetch this is, for the ledger.

    Raises:
        InvalidQueryError: `max_pages` is below 1.
        BusyError: another run is fetching this query, or has taken this fetch over.
        AdSparkError: what the client or the database raise; pages stored so far stay.
    """
    check_max_pages(max_pages)
    await database.check_version()
    async with database.locks() as locks, locks.hold(lock_name(query)) as locked:
        if not locked:
            raise await _busy(database, query)
        async with database.session() as session:
            fetch = await resume_or_create_fetch(
                session, query=query, flow_run_id=flow_run_id, is_dry_run=dry_run
            )
            await session.commit()
        fetching = Fetching(
            database,
            client,
            query,
            Bounds(max_pages=max_pages),
            locks=locks,
            before_search=before_search,
            after_page=after_page,
        )
        return await fetching.run(fetch)


def lock_name(query: CreativeQuery) -> str:
    """The lock that whoever fetches this query holds."""
    return f"fetch:{query.hash}"


class _DeadTokenError(Exception):
    """The page that a fetch was to go on with came empty: its token may have expired."""

    def __init__(self, page: SearchPage) -> None:
        super().__init__()
        self.page = page


class Fetching:
    """One fetch of a query; whoever runs it holds the query's lock.

    Args:
        locks: that hold the query's lock; asked before every search whether they still do.
        follow: see `Follow`; a dry run, which stores no rows, has none.
    """

    def __init__(
        self,
        database: Database,
        client: SerpApiClient,
        query: CreativeQuery,
        bounds: Bounds,
        *,
        locks: Locks,
        before_search: Gate = no_gate,
        after_page: AfterPage = _no_report,
        follow: Follow = _no_follow,
    ) -> None:
        self._database = database
        self._client = client
        self._bounds = bounds
        self._locks = locks
        self._before_search = before_search
        self._after_page = after_page
        self._follow = follow
        self._trail = Trail()
        self._was_cached = False
        self._summary = FetchSummary(query=query)

    async def run(self, fetch: Fetch) -> FetchSummary:
        """Store page by page, in the name of `fetch`, just opened in the ledger."""
        self._summary.fetch_id = fetch.id
        self._summary.dry_run = fetch.is_dry_run
        self._summary.resumed = fetch.pages > 0
        try:
            if fetch.pages >= self._bounds.max_pages:
                await self._close(fetch, StopReason.PAGE_LIMIT)
            else:
                await self._run_from(fetch)
        except AdSparkError as error:
            async with self._database.session() as session:
                await fail_fetch(session, fetch=fetch, error=str(error))
                await session.commit()
            raise
        return self._summary

    async def _run_from(self, fetch: Fetch) -> None:
        """Go on after the last stored page; from the first one again where its token is dead.

        Beginning anew costs nothing as long as SerpApi answers from its cache. Where the cached
        first page leads to a dead token as well, a fresh one is paid for, once in a fetch.
        """
        resumed_at = fetch.pages
        self._trail = Trail(shown_to=fetch.shown_to, is_resumed=resumed_at > 0)
        fresh = False
        while True:
            searches: list[Search] = []
            try:
                await self._store_pages(fetch, resumed_at, fresh=fresh)
            except _DeadTokenError as dead:
                searches = dead.page.searches
            except ServiceRefusedError as error:
                if fetch.pages == 0:
                    raise
                if fetch.pages != resumed_at:
                    fresh = self._can_refresh(fetch, error)
            else:
                return
            if fresh and self._bounds.are_spent(fetch):
                await self._close(fetch, StopReason.BUDGET)
                return
            async with self._database.session() as session:
                await restart_fetch(session, fetch=fetch, searches=searches, fresh=fresh)
                await session.commit()
            resumed_at = 0
            self._trail = Trail()

    def _can_refresh(self, fetch: Fetch, error: ServiceRefusedError) -> bool:
        """Whether a fresh first page can help; else the refusal is the fetch's end."""
        if not self._was_cached:
            raise error
        if fetch.is_refreshed:
            raise ServiceRefusedError(
                f"SerpApi refuses the page tokens of its own answers, of a fresh one too; try "
                f"again in an hour, when its cache has gone. ({error})"
            ) from error
        return True

    async def _store_pages(self, fetch: Fetch, resumed_at: int, *, fresh: bool) -> None:
        pages = self._client.pages(
            self._summary.query,
            token=fetch.next_page_token,
            seen_tokens=fetch.token_hashes,
            before_search=self._pass_gates,
            reread=self._can_be_read,
            fresh=fresh,
        )
        async with aclosing(pages) as answers:
            stop = None
            while stop is None:
                page = await anext(answers)
                if page.is_empty and page.broke_off and 0 < resumed_at == fetch.pages:
                    raise _DeadTokenError(page)
                stop = await self._store(fetch, page)
                await self._after_page(self._summary)

    async def _store(self, fetch: Fetch, page: SearchPage) -> StopReason | None:
        """The page's rows and its line in the ledger, or neither; returns why it is the last."""
        billed = fetch.searches_billed
        async with self._database.session() as session:
            saved = await self._save(session, page, keep=not fetch.is_dry_run)
            await record_page(session, fetch=fetch, page=page, saved=saved)
            stop = self._trail.stop_after(page, fetch, self._bounds)
            if stop:
                await finish_fetch(session, fetch=fetch, stop_reason=stop)
            await self._follow(session, fetch, page, stop)
            await session.commit()
        self._was_cached = fetch.searches_billed == billed
        self._tell(fetch, page, saved, stop)
        return stop

    async def _close(self, fetch: Fetch, stop: StopReason) -> None:
        """End without a further page."""
        async with self._database.session() as session:
            await finish_fetch(session, fetch=fetch, stop_reason=stop)
            await self._follow(session, fetch, None, stop)
            await session.commit()
        self._tell(fetch, None, None, stop)

    async def _pass_gates(self) -> None:
        """What stands before every search; the last look is whether the lock is still held."""
        await self._before_search()
        await self._locks.check()

    async def _can_be_read(self, rejected: Sequence[RejectedPayload]) -> bool:
        """Whether asking again may help, as it does not where it has been in vain before."""
        async with self._database.session() as session:
            return not await are_known_unreadable(session, rejected=rejected)

    async def _save(self, session: AsyncSession, page: SearchPage, *, keep: bool) -> SavedCreatives:
        """Store the rows; without `keep`, only find out what that would do."""
        query = self._summary.query
        savepoint = None if keep else await session.begin_nested()
        saved = await save_creatives(
            session, rows=page.rows, region=query.region, platform=query.platform
        )
        if savepoint:
            await savepoint.rollback()
        return saved

    def _tell(
        self,
        fetch: Fetch,
        page: SearchPage | None,
        saved: SavedCreatives | None,
        stop: StopReason | None,
    ) -> None:
        """Bring the summary up to the ledger's figures."""
        summary = self._summary
        summary.pages = fetch.pages
        summary.searches_billed = fetch.searches_billed
        summary.searches_cached = fetch.searches_cached
        summary.new = fetch.new_count
        summary.changed = fetch.changed_count
        summary.unchanged = fetch.unchanged_count
        summary.rejected = fetch.rejected_count
        summary.stop_reason = stop
        if page and saved:
            summary.sandbox = page.sandbox
            room = SAMPLE_SIZE - len(summary.new_creatives)
            if room > 0 and saved.new:
                summary.new_creatives += describe_creatives(page.rows, only=saved.new, most=room)


async def _busy(database: Database, query: CreativeQuery) -> BusyError:
    async with database.session() as session:
        fetch = await running_fetch(session, query=query)
    run = f" by flow run {fetch.flow_run_id}" if fetch and fetch.flow_run_id else ""
    return BusyError(f"This search is being fetched{run} just now; wait for it to end.")
