"""Fetch one query: page after page from SerpApi into the database, paid for once.

Each page's rows and its line in the ledger are one transaction, so a fetch that dies is resumed
after its last stored page. Two fetches of one query never run at once: the query is locked in the
database as long as its run is alive, and the lock ends with the run's connection. A run whose lock
was lost pays for no further page, and what it writes is refused once another run has taken over.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
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
from adspark.creatives.paging import Bounds, PageOrder
from adspark.creatives.store import (
    NewCreative,
    SavedCreatives,
    count_stored,
    describe_creatives,
    save_creatives,
)
from adspark.db.engine import Database
from adspark.db.locks import Locks
from adspark.errors import AdSparkError, BusyError, InvalidRequestError, ServiceRefusedError
from adspark.models import Fetch, StopReason
from adspark.serpapi.client import Gate, SerpApiClient, no_gate
from adspark.serpapi.payloads import RejectedPayload, Search, SearchPage
from adspark.serpapi.search_query import CreativeQuery
from adspark.tracing import identify, span
from adspark.validation.bounds import MAX_PAGES

IN_SUMMARY = "is_in_summary"
"""An attribute of the log records whose text the summary has too."""

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
    stored_unlisted: int = Field(
        default=0, description="Stored ads of this search, where SerpApi has listed none at all."
    )
    warnings: list[str] = Field(default_factory=list)
    new_creatives: list[NewCreative] = Field(default_factory=list)

    @property
    def headline(self) -> str:
        """The summary in one line."""
        found = f"{self.new} new, {self.changed} changed, {self.unchanged} unchanged"
        rejected = f", {self.rejected} rejected" if self.rejected else ""
        pages = f"{self.pages} page{'' if self.pages == 1 else 's'}"
        cost = f"searches: {self.searches_billed} billed, {self.searches_cached} cached"
        notes = {
            "dry run, no ads were stored": self.dry_run,
            "resumed where an earlier run stopped": self.resumed,
            f"SerpApi lists no ads at all, though {self.stored_unlisted:,} of this search are "
            "stored: that proves nothing": self.stored_unlisted > 0,
            "SerpApi broke off, so ads are missing": self.stop_reason is StopReason.GAP,
            "sandbox data": self.sandbox,
        }
        noted = "; ".join(note for note, holds in notes.items() if holds)
        return f"{found}{rejected} on {pages}; {cost}" + (f" ({noted})" if noted else "")

    def update(self, fetch: Fetch) -> None:
        """Take over the ledger's figures."""
        self.pages = fetch.pages
        self.searches_billed = fetch.searches_billed
        self.searches_cached = fetch.searches_cached
        self.new = fetch.new_count
        self.changed = fetch.changed_count
        self.unchanged = fetch.unchanged_count
        self.rejected = fetch.rejected_count
        self.stop_reason = fetch.stop_reason


AfterPage = Callable[[FetchSummary], Awaitable[None]]
"""Called with the summary so far after each stored page."""
InTransaction = Callable[[AsyncSession, Fetch, SearchPage | None], Awaitable[None]]
"""Work that belongs into the transaction of a page (None: of the end alone), as a watch's."""


async def _nothing(*_: object) -> None:
    """The hook of a caller that needs none."""


async def fetch_query(
    database: Database,
    client: SerpApiClient,
    query: CreativeQuery,
    *,
    max_pages: int = 1,
    dry_run: bool = False,
    flow_run_id: UUID | None = None,
    before_search: Gate = no_gate,
    after_page: AfterPage = _nothing,
) -> FetchSummary:
    """Fetch at most `max_pages` pages of a query; resumes where an earlier run died.

    Args:
        database: where the pages and the ledger are stored.
        client: of SerpApi.
        query: the search.
        max_pages: pages of the whole fetch, those of an earlier run included.
        dry_run: search, but store no ads; what was paid is in the ledger all the same.
        flow_run_id: whose fetch this is, for the ledger.
        before_search: awaited before every search.
        after_page: see `AfterPage`.

    Raises:
        InvalidQueryError: `max_pages` is below 1.
        BusyError: another run is fetching this query, or has taken this fetch over.
        AdSparkError: what the client or the database raise; pages stored so far stay.
    """
    MAX_PAGES.check("max_pages", max_pages)
    await database.check_server()
    async with database.locks() as locks, locks.acquire(lock_name(query)) as locked:
        if not locked:
            other = await name_running_fetch(database, query)
            raise BusyError(f"This search is being fetched{other} just now; wait for it to end.")
        fetch = await resume_or_create_fetch(
            database, query=query, flow_run_id=flow_run_id, is_dry_run=dry_run
        )
        bounds = Bounds(max_pages=max_pages)
        run = FetchRun(database, client, locks, query, bounds, before_search, after_page)
        summary = await run.run(fetch)
        if not fetch.listed:
            async with database.session() as session:
                summary.stored_unlisted = await count_stored(session, query)
        return summary


def lock_name(query: CreativeQuery) -> str:
    """The lock that whoever fetches this query holds."""
    return f"fetch:{query.hash}"


class _DeadTokenError(Exception):
    """The next page's token is dead, so that the fetch has to restart from its first page.

    It `needs_fresh` where the cached one would lead to a dead token again; `searches` found it out.
    """

    def __init__(self, searches: Sequence[Search] = (), *, needs_fresh: bool = False) -> None:
        super().__init__()
        self.searches = searches
        self.needs_fresh = needs_fresh


@dataclass
class FetchRun:
    """One run of a fetch, whose caller holds the query's lock by `locks`.

    These are checked before every search, behind the gate `before_search`. A dry run, which stores
    no rows, has nothing `in_transaction`. `seen` are ads of the pages before a resume.
    """

    database: Database
    client: SerpApiClient
    locks: Locks
    query: CreativeQuery
    bounds: Bounds
    before_search: Gate = no_gate
    after_page: AfterPage = _nothing
    in_transaction: InTransaction = _nothing
    seen: Collection[str] = ()
    _summary: FetchSummary = field(init=False)
    _order: PageOrder = field(init=False)
    _resumed_at: int = field(init=False)
    _was_cached: bool = field(init=False, default=False)
    _answered: list[Search] = field(init=False, default_factory=list)  # not in the ledger yet

    @property
    def is_steady(self) -> bool:
        """See `PageOrder.is_steady`."""
        return self._order.is_steady

    async def run(self, fetch: Fetch) -> FetchSummary:
        """Store page by page, in the name of `fetch`, in the ledger, which notes errors."""
        self._resumed_at = fetch.pages
        self._order = PageOrder(shown_to=fetch.shown_to, is_resumed=fetch.pages > 0, seen=self.seen)
        self._summary = FetchSummary(
            fetch_id=fetch.id, query=self.query, dry_run=fetch.is_dry_run, resumed=fetch.pages > 0
        )
        try:
            with identify(fetch=fetch.id, watch=fetch.watch_id), span("fetch"):
                await self._fetch_pages(fetch)
        except AdSparkError as error:
            async with self.database.transaction() as session:
                await fail_fetch(session, fetch=fetch, error=str(error), searches=self._answered)
            raise
        return self._summary

    async def _fetch_pages(self, fetch: Fetch) -> None:
        """Fetch and store the next page, until the fetch has a reason to stop."""
        if fetch.pages >= self.bounds.max_pages:
            await self._finish(fetch, StopReason.PAGE_LIMIT)
        fresh = False
        while fetch.stop_reason is None:
            try:
                page = await self._fetch_page(fetch, fresh=fresh)
            except _DeadTokenError as dead:
                fresh = dead.needs_fresh
                await self._restart(fetch, dead)
                continue
            fresh = False
            await self._store(fetch, page)
            await self.after_page(self._summary)

    async def _fetch_page(self, fetch: Fetch, *, fresh: bool) -> SearchPage:
        """The page after the last stored one; raises _DeadTokenError where its token is dead."""
        is_resuming = 0 < fetch.pages == self._resumed_at
        self._answered = []
        try:
            page = await self.client.fetch_page(
                self.query,
                token=fetch.next_page_token,
                seen_tokens=fetch.token_hashes,
                before_search=self._pass_gates,
                reread=self._can_be_read,
                answered=self._answered,
                fresh=fresh,
            )
        except InvalidRequestError as error:
            if fetch.pages == 0:
                raise
            needs_fresh = not is_resuming and self._can_refresh(fetch, error)
            raise _DeadTokenError(self._answered, needs_fresh=needs_fresh) from error
        if is_resuming and page.is_empty and page.broke_off:
            raise _DeadTokenError(page.searches)
        return page

    def _can_refresh(self, fetch: Fetch, error: InvalidRequestError) -> bool:
        """Whether a fresh first page can help; else the refusal is the fetch's end."""
        if not self._was_cached:
            raise error
        if fetch.is_refreshed:
            raise ServiceRefusedError(
                f"SerpApi refuses the page tokens of its own answers, of a fresh one too; try "
                f"again in an hour, when its cache has expired. ({error})"
            ) from error
        return True

    async def _restart(self, fetch: Fetch, dead: _DeadTokenError) -> None:
        """Go back to the first page: the cached one for nothing, once in a fetch a fresh one."""
        if dead.needs_fresh and self.bounds.are_spent(fetch):
            await self._finish(fetch, StopReason.BUDGET)
            return
        async with self.database.transaction() as session:
            await restart_fetch(
                session, fetch=fetch, searches=dead.searches, fresh=dead.needs_fresh
            )
        self._resumed_at = 0
        self._order = PageOrder()

    async def _store(self, fetch: Fetch, page: SearchPage) -> None:
        """Store the page's rows and its line in the ledger, or neither.

        An ad that an earlier page has listed was stored and counted with that.
        """
        billed = fetch.searches_billed
        listed = self._order.without_repeated(page)
        with span("store"):
            async with self.database.transaction() as session:
                saved = await self._save(session, listed, keep=not fetch.is_dry_run)
                stop = self._order.stop_after(page, fetch, watermark=self.bounds.watermark)
                await record_page(session, fetch=fetch, page=page, saved=saved, stop_reason=stop)
                if stop is None and (bound := self.bounds.stop_after(fetch)):
                    await finish_fetch(session, fetch=fetch, stop_reason=bound)
                await self.in_transaction(session, fetch, listed)
        self._answered = []
        self._was_cached = fetch.searches_billed == billed
        self._summary.update(fetch)
        self._summary.sandbox = page.sandbox
        self._summary.new_creatives += describe_creatives(
            listed.rows, only=saved.new, most=SAMPLE_SIZE - len(self._summary.new_creatives)
        )

    async def _save(self, session: AsyncSession, page: SearchPage, *, keep: bool) -> SavedCreatives:
        """Store the rows; without `keep`, only find out what that would do."""
        savepoint = None if keep else await session.begin_nested()
        saved = await save_creatives(
            session, rows=page.rows, region=self.query.region, platform=self.query.platform
        )
        if savepoint:
            await savepoint.rollback()
        return saved

    async def _finish(self, fetch: Fetch, stop: StopReason) -> None:
        """End without a further page."""
        async with self.database.transaction() as session:
            await finish_fetch(session, fetch=fetch, stop_reason=stop)
            await self.in_transaction(session, fetch, None)
        self._summary.update(fetch)

    async def _pass_gates(self) -> None:
        """What stands before every search, the check of the lock last."""
        await self.before_search()
        await self.locks.check()

    async def _can_be_read(self, rejected: Sequence[RejectedPayload]) -> bool:
        """Whether to fetch the page again, which has not helped where a row was rejected before."""
        async with self.database.session() as session:
            return not await are_known_unreadable(session, rejected=rejected)


async def name_running_fetch(database: Database, query: CreativeQuery) -> str:
    """` by flow run …`, the run that fetches this query now; empty where it is not known."""
    async with database.session() as session:
        fetch = await running_fetch(session, query=query)
    return f" by flow run {fetch.flow_run_id}" if fetch and fetch.flow_run_id else ""
