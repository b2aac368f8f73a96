"""Fetch one query: page after page from SerpApi into the database, paid for once.

Each page's rows and its line in the ledger are one transaction, so a fetch that dies goes on after
its last stored page. Two fetches of one query never run at once: the query is locked in the
database as long as its run is alive, and the lock goes with the run's connection.
"""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives import NewCreative, SavedCreatives, describe_creatives, save_creatives
from adspark.database import Database
from adspark.errors import AdSparkError, BusyError, ServiceRefusedError
from adspark.fetches import (
    count_page,
    fail_fetch,
    finish_fetch,
    open_fetch,
    record_page,
    restart_fetch,
    running_fetch,
)
from adspark.models import Fetch, StopReason
from adspark.queries import CreativeQuery, check_max_pages
from adspark.serpapi import Gate, SerpApiClient, no_gate
from adspark.serpapi_payloads import SearchPage

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
                ("dry run, nothing was written", self.dry_run),
                ("taken up where an earlier run stopped", self.resumed),
                ("sandbox data", self.sandbox),
            )
            if holds
        ]
        return f"{found}{rejected} on {pages}; {cost}" + (f" ({'; '.join(notes)})" if notes else "")


@dataclass(frozen=True)
class Bounds:
    """How far a fetch goes.

    Attributes:
        max_pages: pages at most.
        watermark: no page after one that reaches further back than this (last_shown).
        max_billed: no page after so many billed searches.
        reread: ask again, from SerpApi's cache, for a page with rows that cannot be read.
    """

    max_pages: int = 1
    watermark: datetime | None = None
    max_billed: int | None = None
    reread: bool = True


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
        dry_run: search, but leave the database as it is.
        flow_run_id: whose fetch this is, for the ledger.

    Raises:
        InvalidQueryError: `max_pages` is below 1.
        BusyError: another run is fetching this query.
        AdSparkError: what the client or the database raise; pages stored so far stay.
    """
    check_max_pages(max_pages)
    await database.check_version()
    fetching = Fetching(
        database,
        client,
        query,
        Bounds(max_pages=max_pages),
        before_search=before_search,
        after_page=after_page,
    )
    async with database.lock(lock_name(query)) as locked:
        if not locked:
            raise await _busy(database, query)
        if dry_run:
            return await fetching.try_out()
        async with database.session() as session:
            fetch = await open_fetch(session, query=query, flow_run_id=flow_run_id)
            await session.commit()
        return await fetching.run(fetch)


def lock_name(query: CreativeQuery) -> str:
    """The lock that whoever fetches this query holds."""
    return f"fetch:{query.hash}"


def stop_reason(page: SearchPage, *, pages: int, billed: int, bounds: Bounds) -> StopReason | None:
    """Why no page is asked for after `page`, the `pages`-th; None to go on."""
    if page.next_page_token is None:
        return StopReason.END
    if bounds.watermark and page.oldest_shown and page.oldest_shown < bounds.watermark:
        return StopReason.WATERMARK
    if bounds.max_billed is not None and billed >= bounds.max_billed:
        return StopReason.BUDGET
    if pages >= bounds.max_pages:
        return StopReason.PAGE_LIMIT
    return None


class Fetching:
    """One fetch of a query; whoever runs it holds the query's lock."""

    def __init__(
        self,
        database: Database,
        client: SerpApiClient,
        query: CreativeQuery,
        bounds: Bounds,
        *,
        before_search: Gate = no_gate,
        after_page: AfterPage = _no_report,
        follow: Follow = _no_follow,
    ) -> None:
        self._database = database
        self._client = client
        self._bounds = bounds
        self._before_search = before_search
        self._after_page = after_page
        self._follow = follow
        self._summary = FetchSummary(query=query)

    async def run(self, fetch: Fetch) -> FetchSummary:
        """Store page by page, in the name of `fetch`, just opened in the ledger."""
        self._summary.fetch_id = fetch.id
        self._summary.resumed = fetch.pages > 0
        try:
            await self._run_from(fetch)
        except AdSparkError as error:
            async with self._database.session() as session:
                await fail_fetch(session, fetch_id=fetch.id, error=str(error))
                await session.commit()
            raise
        return self._summary

    async def try_out(self) -> FetchSummary:
        """Store every page in a transaction that is rolled back, and count the same way."""
        self._summary.dry_run = True
        fetch = Fetch(query={}, query_hash=self._summary.query.hash, started_at=datetime.now(UTC))

        async def store(page: SearchPage) -> StopReason | None:
            async with self._database.session() as session:
                saved = await self._save(session, page)
                await count_page(session, fetch=fetch, page=page, saved=saved)
                await session.rollback()
            stop = self._stop_after(page, fetch)
            self._tell(fetch, page, saved, stop)
            return stop

        await self._drive(store, token=None)
        return self._summary

    async def _run_from(self, fetch: Fetch) -> None:
        if fetch.pages >= self._bounds.max_pages:
            async with self._database.session() as session:
                await finish_fetch(session, fetch=fetch, stop_reason=StopReason.PAGE_LIMIT)
                await self._follow(session, fetch, None, StopReason.PAGE_LIMIT)
                await session.commit()
            self._tell(fetch, None, None, StopReason.PAGE_LIMIT)
            return
        taken_up = fetch.next_page_token
        try:
            await self._drive(self._storing(fetch), token=taken_up)
        except ServiceRefusedError:
            if taken_up is None or fetch.next_page_token != taken_up:
                raise
            # The old page token has expired: from the first page again, which costs little.
            async with self._database.session() as session:
                await restart_fetch(session, fetch=fetch)
                await session.commit()
            await self._drive(self._storing(fetch), token=None)

    def _storing(self, fetch: Fetch) -> "Store":
        async def store(page: SearchPage) -> StopReason | None:
            async with self._database.session() as session:
                saved = await self._save(session, page)
                await record_page(session, fetch=fetch, page=page, saved=saved)
                stop = self._stop_after(page, fetch)
                if stop:
                    await finish_fetch(session, fetch=fetch, stop_reason=stop)
                await self._follow(session, fetch, page, stop)
                await session.commit()
            self._tell(fetch, page, saved, stop)
            return stop

        return store

    async def _drive(self, store: "Store", *, token: str | None) -> None:
        """Get page after page and hand each to `store`, until that says to stop."""
        pages = self._client.pages(
            self._summary.query,
            token=token,
            before_search=self._before_search,
            reread=self._bounds.reread,
        )
        async with aclosing(pages) as answers:
            stop = None
            while stop is None:
                stop = await store(await anext(answers))
                await self._after_page(self._summary)

    def _stop_after(self, page: SearchPage, fetch: Fetch) -> StopReason | None:
        return stop_reason(
            page, pages=fetch.pages, billed=fetch.searches_billed, bounds=self._bounds
        )

    async def _save(self, session: AsyncSession, page: SearchPage) -> SavedCreatives:
        query = self._summary.query
        return await save_creatives(
            session, rows=page.rows, region=query.region, platform=query.platform
        )

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


Store = Callable[[SearchPage], Awaitable[StopReason | None]]


async def _busy(database: Database, query: CreativeQuery) -> BusyError:
    async with database.session() as session:
        fetch = await running_fetch(session, query=query)
    run = f" by flow run {fetch.flow_run_id}" if fetch and fetch.flow_run_id else ""
    return BusyError(f"This search is being fetched{run} just now; wait for it to end.")
