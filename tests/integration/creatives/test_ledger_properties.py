"""The ledger under whatever may happen: each page is paid once, and what is billed is entered once.

A machine fetches one search from a stand-in that bills, and is stopped in every way: killed before
a search, between its answer and the commit, in the commit and after it; overtaken, cut off from its
lock, refused. After every step the ledger, the stand-in's bill and the stored ads have to agree.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, text

from adspark.creatives.fetch import FetchSummary, fetch_query
from adspark.creatives.ledger import resume_or_create_fetch
from adspark.db.engine import Database
from adspark.errors import AdSparkError, SupersededError
from adspark.models import StopReason
from tests.support.factories import creative_row, query
from tests.support.stand_in import StandIn

SIZE = 3  # ads a page
SEARCH = query(page_size=SIZE)
MOMENTS = st.sampled_from(["before a search", "after an answer", "in a commit", "after a page"])
Value = TypeVar("Value")


class Died(BaseException):
    """The process of the fetch is gone."""


class Countdown:
    """Raises `Died` at the n-th call."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise Died

    async def wait(self, *_: object) -> None:
        """The same, awaited."""
        self()


class Ledger(RuleBasedStateMachine):
    """One search, its stand-in, and a database of the test's own.

    `lost` counts answers that were billed and may have gone with their run.
    """

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.database = Database(self.url)
        self.service = StandIn()
        self.lost = 0
        self.tokens_are_dead = False

    def teardown(self) -> None:
        """At the end, once nothing stands in the way, all ads that there are get stored."""
        try:
            self.come_to_an_end()
        finally:
            self.run(self.database.__aexit__())
            self.loop.close()

    def come_to_an_end(self) -> None:
        """Two fetches without faults: one may have dead tokens to find out about."""
        self.service.empty = set()
        self.cache_goes()
        with suppress(AdSparkError):
            self.run(self._fetch(max_pages=50))
        summary = self.run(self._fetch(max_pages=50))
        assert summary.stop_reason is StopReason.END
        self.ledger_and_bill_agree()
        there_are = {row["ad_creative_id"] for page in self.service.pages for row in page}
        assert there_are <= set(self.column("SELECT ad_creative_id FROM creative"))

    @initialize(pages=st.integers(1, 5), last=st.integers(1, SIZE))
    def begin(self, pages: int, last: int) -> None:
        """Empty tables, and so many full pages but for the last."""
        self.run(self._change('TRUNCATE "fetch", creative, advertiser, rejected_row CASCADE'))
        self.service.pages = []
        self.grow(ads=(pages - 1) * SIZE + last)

    @rule(max_pages=st.integers(1, 6))
    def fetch(self, max_pages: int) -> None:
        """A fetch that nothing happens to; what is stored of an unfinished one is not asked for."""
        unfinished = self.unfinished()
        asked = len(self.service.asked)
        try:
            summary = self.run(self._fetch(max_pages=max_pages))
        except AdSparkError:
            assert self.may_restart
            return
        assert summary.searches_billed <= self.service.billed
        if unfinished and not self.may_restart:
            assert summary.resumed == (unfinished > 0)
            assert all(number >= unfinished for number in self.service.asked[asked:])
        if not self.service.empty and not self.may_restart:
            wanted = min(max_pages, len(self.service.pages))
            assert summary.pages == max(wanted, unfinished or 0)

    @rule(max_pages=st.integers(1, 6))
    def dry_run(self, max_pages: int) -> None:
        """It is paid for and stores no ad."""
        before = self.column("SELECT ad_creative_id FROM creative ORDER BY 1")
        with suppress(AdSparkError):
            self.run(self._fetch(max_pages=max_pages, dry_run=True))
        assert self.column("SELECT ad_creative_id FROM creative ORDER BY 1") == before

    @rule(moment=MOMENTS, number=st.integers(1, 5), dry=st.booleans())
    def crash(self, moment: str, number: int, dry: bool) -> None:
        """The fetch is killed; its transaction goes with it."""
        between_questions = moment == "before a search" and bool(self.service.empty)
        self.lost += moment in ("after an answer", "in a commit") or between_questions
        dies = Countdown(number)
        options: dict[str, Any] = {"dry_run": dry, "max_pages": 6}
        with suppress(Died, AdSparkError):
            if moment == "before a search":
                self.run(self._fetch(before_search=dies.wait, **options))
            elif moment == "after a page":
                self.run(self._fetch(after_page=dies.wait, **options))
            elif moment == "after an answer":
                self.service.after_answer = dies
                self.run(self._fetch(**options))
            else:
                with self.at_commit(dies):
                    self.run(self._fetch(**options))
        self.service.after_answer = lambda: None
        self.run(self.database.__aexit__())  # a process's connections go with it
        self.database = Database(self.url)

    @rule(number=st.integers(1, 4))
    def overtaken(self, number: int) -> None:
        """A second run, which believes that the first is dead, goes on with the same fetch."""
        passed = 0

        async def overtake() -> None:
            nonlocal passed
            passed += 1
            if passed == number:
                await resume_or_create_fetch(self.database, query=SEARCH)

        try:
            self.run(self._fetch(max_pages=6, before_search=overtake))
        except SupersededError:
            self.lost += 1
            # It paid for nothing after the page that was refused; an empty one was asked for again.
            assert passed <= number + 2 * bool(self.service.empty)
        except AdSparkError:
            assert self.may_restart

    @rule(number=st.integers(1, 4))
    def loses_its_lock(self, number: int) -> None:
        """The connection that holds the lock is ended before a search, which is not made."""
        passed, asked = 0, len(self.service.asked)

        async def cut() -> None:
            nonlocal passed, asked
            passed += 1
            if passed == number:
                asked = len(self.service.asked)
                self.lost += bool(self.service.empty)  # between two questions for an empty page
                self.end_locks()

        with suppress(AdSparkError):
            self.run(self._fetch(max_pages=6, before_search=cut))
        if passed >= number:
            assert len(self.service.asked) == asked

    @rule(status=st.sampled_from([500, 503, 403]), number=st.integers(0, 3))
    def fails(self, status: int, number: int) -> None:
        """SerpApi fails on its side, or refuses, which is not billed."""
        self.service.failures = [*[None] * number, status]
        self.lost += bool(self.service.empty)  # between two questions for an empty page
        with suppress(AdSparkError):
            self.run(self._fetch(max_pages=6))
        self.service.failures = []

    @rule()
    def tokens_expire(self) -> None:
        """Tokens in the ledger and in cached answers lead nowhere."""
        self.service.expire_tokens()
        self.tokens_are_dead = True

    @rule()
    def cache_goes(self) -> None:
        """Every further search is a fresh one."""
        self.service.let_an_hour_pass()
        self.tokens_are_dead = self.tokens_are_dead and bool(self.unfinished())

    @rule(page=st.integers(1, 4))
    def page_comes_empty(self, page: int) -> None:
        """A page that was promised says that there are no results, from now on."""
        self.service.empty.add(page)

    @rule()
    def pages_come_again(self) -> None:
        """They have their ads again, once the cache has gone."""
        self.service.empty.clear()
        self.cache_goes()

    @rule(ads=st.integers(1, 4))
    def grow(self, ads: int) -> None:
        """New ads come in front; SerpApi does not know the old pages any more."""
        number = sum(map(len, self.service.pages))
        rows = [row for page in self.service.pages for row in page]
        for one in range(number + 1, number + ads + 1):
            rows.insert(0, creative_row(one, last_shown=1_760_000_000 + one))
        self.service.pages = [rows[at : at + SIZE] for at in range(0, len(rows), SIZE)]
        self.tokens_expire()
        self.cache_goes()

    @invariant()
    def ledger_and_bill_agree(self) -> None:
        """Every answer taken in is billed to one fetch; of the bill only lost answers lack."""
        taken = self.column('SELECT DISTINCT unnest(search_ids) FROM "fetch"')
        (billed,) = self.column('SELECT coalesce(sum(searches_billed), 0)::int FROM "fetch"')
        assert billed == len(taken)
        assert self.service.billed - billed <= self.lost
        (asked,) = self.column(
            "SELECT coalesce(sum(cardinality(search_ids)), 0)::int - "
            'coalesce(sum(searches_billed + searches_cached), 0)::int FROM "fetch"'
        )
        assert asked == 0

    @invariant()
    def stored_ads_are_the_served(self) -> None:
        """An ad is stored exactly where an answer with it is in the ledger of a real fetch."""
        taken = self.column('SELECT DISTINCT unnest(search_ids) FROM "fetch" WHERE NOT is_dry_run')
        served = {ad for search in taken for ad in self.service.ads[search]}
        assert set(self.column("SELECT ad_creative_id FROM creative")) == served

    @invariant()
    def one_at_most_is_running(self) -> None:
        """Of fetches that store ads."""
        (running,) = self.column(
            "SELECT count(*) FROM \"fetch\" WHERE status = 'running' AND NOT is_dry_run"
        )
        assert running <= 1

    @property
    def may_restart(self) -> bool:
        """Whether a token that the ledger or the cache holds may be dead, or its page empty."""
        return bool(self.tokens_are_dead or self.service.empty)

    def unfinished(self) -> int | None:
        """Stored pages of the fetch that would be resumed; None where there is none."""
        found = self.column(
            "SELECT pages FROM \"fetch\" AS f WHERE status IN ('running', 'failed') "
            "AND NOT is_dry_run AND (pages > 0 OR status = 'running') AND NOT EXISTS ("
            "SELECT FROM \"fetch\" l WHERE l.status = 'completed' AND NOT l.is_dry_run "
            "AND l.started_at > f.started_at) ORDER BY started_at DESC LIMIT 1"
        )
        return found[0] if found else None

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Carry out to the end."""
        return self.loop.run_until_complete(work)

    async def _fetch(self, **options: Any) -> FetchSummary:  # noqa: ANN401
        async with self.service.client() as client:
            return await fetch_query(self.database, client, SEARCH, **options)

    async def _change(self, statement: str) -> None:
        async with self.database.session() as session:
            await session.execute(text(statement))
            await session.commit()

    def column(self, statement: str) -> list[Any]:
        """The only column of a query."""

        async def read() -> list[Any]:
            async with self.database.session() as session:
                return list(await session.scalars(text(statement)))

        return self.run(read())

    @contextmanager
    def at_commit(self, hook: Callable[..., None]) -> Iterator[None]:
        """Called before each commit."""
        engine = self.database._engine.sync_engine  # the border at which a process dies
        event.listen(engine, "commit", hook)
        try:
            yield
        finally:
            event.remove(engine, "commit", hook)

    def end_locks(self) -> None:
        """The server ends whoever holds a session's advisory lock."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
                "WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
            )


def test_each_page_is_paid_once_and_what_is_billed_is_what_was_billed(database_url: str) -> None:
    machine = type("LedgerHere", (Ledger,), {"url": database_url})
    run_state_machine_as_test(machine)
