"""What a fetch may believe: ends, order, tokens and the lock that it holds."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from adspark.creatives.fetch import FetchSummary, fetch_query
from adspark.creatives.ledger import finish_fetch, record_page, resume_or_create_fetch
from adspark.creatives.store import SavedCreatives
from adspark.db.engine import Database
from adspark.errors import (
    AdSparkError,
    BusyError,
    DatabaseUnavailableError,
    ServiceRefusedError,
    ServiceUnavailableError,
    SupersededError,
)
from adspark.models import Fetch, StopReason
from adspark.serpapi.payloads import Search, SearchPage
from tests.support.factories import creative_row, query
from tests.support.stand_in import Row, StandIn

# A minute later each.
_LEFT_BEHIND = text("""
    INSERT INTO "fetch" (id, query, query_hash, status, started_at, pages, searches_billed,
        searches_cached, new_count, changed_count, unchanged_count, rejected_count)
    VALUES (gen_random_uuid(), '{}', :hash, :status, now() + make_interval(mins => :age - 5), 1, 0,
        0, 0, 0, 0, 0)
""")
NOW = int(time.time())
DAY = 86_400


def rows(first: int, last: int, **changes: Any) -> list[Row]:  # noqa: ANN401
    """Ads number `first` to `last`, each shown an hour before the last."""
    return [
        creative_row(number, **({"last_shown": NOW - 3600 * number} | changes))
        for number in range(first, last + 1)
    ]


@dataclass
class Place:
    """A database, and a stand-in whose pages have ten ads."""

    database: Database
    service: StandIn
    gates: int = 0
    search: Any = field(default_factory=lambda: query(page_size=10))

    async def fetch(self, max_pages: int = 9, **options: Any) -> FetchSummary:  # noqa: ANN401
        async with self.service.client() as client:
            return await fetch_query(
                self.database, client, self.search, max_pages=max_pages, **options
            )

    async def ledger(self) -> list[Any]:
        return await self.rows('SELECT * FROM "fetch" ORDER BY started_at')

    async def rows(self, statement: str) -> list[Any]:
        async with self.database.session() as session:
            return list(await session.execute(text(statement)))

    async def stored(self) -> int:
        (row,) = await self.rows("SELECT count(*) AS number FROM creative")
        return int(row.number)


@pytest.fixture
def place(database: Database) -> Place:
    """Three pages of ten, nine and six ads short of nothing."""
    return Place(database, StandIn(rows(1, 10), rows(11, 20), rows(21, 26)))


class Died(BaseException):
    """The process is gone."""


def dying_after(page: int) -> Any:  # noqa: ANN401
    """A hook that kills the fetch after a stored page."""

    async def hook(summary: FetchSummary) -> None:
        if summary.pages == page:
            raise Died

    return hook


async def test_a_promised_page_that_stays_empty_is_a_gap_and_no_end(place: Place) -> None:
    place.service.empty = {2}
    summary = await place.fetch()
    assert (summary.stop_reason, summary.new) == (StopReason.GAP, 20)
    assert "SerpApi broke off" in summary.headline
    assert place.service.asked == [0, 1, 2, 2, 2]  # asked again, for nothing
    assert place.service.billed == summary.searches_billed == 3
    (row,) = await place.ledger()
    assert (row.status, row.stop_reason) == ("completed", "gap")


async def test_every_search_for_a_page_that_came_empty_passes_the_gate(place: Place) -> None:
    place.service.empty = {1}
    passed = 0

    async def gate() -> None:
        nonlocal passed
        passed += 1

    await place.fetch(before_search=gate)
    assert passed == len(place.service.asked) == 4


async def test_an_empty_page_behind_all_ads_that_there_are_said_to_be_is_the_end(
    place: Place,
) -> None:
    place.service.pages = [rows(1, 10), rows(11, 20), []]
    place.service.empty = {2}
    summary = await place.fetch()
    assert (summary.stop_reason, summary.new) == (StopReason.END, 20)


@pytest.mark.parametrize("total", [0, 5, 9, 10, 15])
async def test_a_total_below_what_there_is_proves_no_end(place: Place, total: int) -> None:
    place.service.pages = [rows(1, 10), rows(11, 20)]
    place.service.total = total
    place.service.empty = {1}
    assert (await place.fetch()).stop_reason is StopReason.GAP


async def test_a_rounded_total_proves_no_end(place: Place) -> None:
    place.service.total = 300  # may be 349
    place.service.pages = [rows(1 + n * 10, 10 + n * 10) for n in range(30)] + [[]]
    place.service.empty = {30}
    summary = await place.fetch(max_pages=50)
    assert (summary.stop_reason, summary.new) == (StopReason.GAP, 300)


async def test_a_full_page_without_a_next_one_is_no_end_where_more_are_claimed(
    place: Place,
) -> None:
    place.service.following = {0: None}
    summary = await place.fetch()
    assert (summary.stop_reason, summary.new) == (StopReason.GAP, 10)


async def test_rounding_of_a_total_is_no_gap(place: Place) -> None:
    place.service.total = 35
    assert (await place.fetch()).stop_reason is StopReason.END


@pytest.mark.parametrize("back_to", [0, 1])
async def test_a_cycle_of_tokens_ends_a_fetch_with_a_gap(place: Place, back_to: int) -> None:
    place.service.pages = [rows(1, 10), rows(11, 20), rows(21, 30), rows(31, 40)]
    place.service.following = {2: place.service.token(back_to + 1)}
    summary = await place.fetch(max_pages=50)
    assert (summary.stop_reason, summary.pages, summary.new) == (StopReason.GAP, 3, 30)
    assert place.service.billed == 3


async def test_a_cycle_is_noticed_across_a_resume(place: Place) -> None:
    place.service.following = {2: place.service.token(1)}
    with pytest.raises(Died):
        await place.fetch(max_pages=50, after_page=dying_after(2))
    summary = await place.fetch(max_pages=50)
    assert (summary.resumed, summary.stop_reason, summary.pages) == (True, StopReason.GAP, 3)
    assert place.service.billed == 3


@pytest.mark.parametrize("token", ["a\x00b", "a\ud800b", "x" * 100_000])
async def test_a_token_that_cannot_be_used_is_a_gap_and_its_page_is_stored(
    place: Place, token: str
) -> None:
    place.service.following = {0: token}
    summary = await place.fetch()
    assert (summary.stop_reason, summary.new) == (StopReason.GAP, 10)


async def test_tokens_of_a_cached_page_that_have_expired_lead_to_a_fresh_one_once(
    place: Place,
) -> None:
    assert (await place.fetch(max_pages=1)).stop_reason is StopReason.PAGE_LIMIT
    place.service.expire_tokens()
    summary = await place.fetch()
    assert (summary.stop_reason, summary.pages) == (StopReason.END, 3)
    assert place.service.billed == 4  # the first page twice, since its cached answer is of no use
    billed = [row.searches_billed for row in await place.ledger()]
    assert sum(billed) == 4


async def test_tokens_that_stay_dead_are_paid_for_once_and_the_remedy_is_said(
    place: Place,
) -> None:
    await place.fetch(max_pages=1)
    place.service.following = {0: "t9-1"}  # of no epoch
    place.service.expire_tokens()
    with pytest.raises(ServiceRefusedError):
        await place.fetch()
    billed = place.service.billed
    assert billed == 2
    for _ in range(3):
        with pytest.raises(ServiceRefusedError, match="try again in an hour"):
            await place.fetch()
    assert place.service.billed == billed
    (row,) = [row for row in await place.ledger() if row.stop_reason == "error"]
    assert row.searches_billed == 1


@pytest.mark.parametrize("status", [302, 403, 404, 408, 413, 425])
async def test_a_failure_that_says_nothing_of_the_token_pays_for_no_fresh_first_page(
    place: Place, status: int
) -> None:
    await place.fetch(max_pages=1)  # so that its answer is cached
    place.service.failures = [None, status]
    with pytest.raises(AdSparkError) as raised:
        await place.fetch()
    assert "page tokens" not in raised.value.sentence
    assert place.service.billed == 1
    await place.fetch()
    assert place.service.billed == 3


async def test_a_resumed_fetch_with_a_dead_token_begins_anew_from_the_cache(place: Place) -> None:
    with pytest.raises(Died):
        await place.fetch(after_page=dying_after(2))
    async with place.database.session() as session:
        await session.execute(text("UPDATE \"fetch\" SET next_page_token = 't8-2'"))
        await session.commit()
    summary = await place.fetch()
    assert (summary.resumed, summary.pages, summary.stop_reason) == (True, 3, StopReason.END)
    assert place.service.billed == summary.searches_billed == 3


async def test_a_resumed_fetch_whose_page_comes_empty_begins_anew_before_it_says_gap(
    place: Place,
) -> None:
    place.service.pages = [rows(1, 10), rows(11, 20), []]
    place.service.empty = {2}
    with pytest.raises(Died):
        await place.fetch(after_page=dying_after(2))
    summary = await place.fetch()
    assert (summary.stop_reason, summary.new + summary.unchanged) == (StopReason.END, 20)
    assert place.service.billed == summary.searches_billed == 3


async def test_a_token_that_is_refused_after_pages_advanced_does_not_begin_anew(
    place: Place,
) -> None:
    place.service.failures = [None, None, 400]
    with pytest.raises(ServiceRefusedError):
        await place.fetch()
    assert place.service.asked == [0, 1]  # the first page was not asked for again
    (row,) = await place.ledger()
    assert (row.status, row.pages, row.new_count) == ("failed", 2, 20)


async def test_a_refused_token_of_a_resume_does_not_begin_anew_once_pages_advanced(
    place: Place,
) -> None:
    with pytest.raises(Died):
        await place.fetch(after_page=dying_after(1))
    place.service.failures = [None, 400]
    with pytest.raises(ServiceRefusedError):
        await place.fetch()
    assert place.service.asked == [0, 1]
    (row,) = await place.ledger()
    assert (row.status, row.pages) == ("failed", 2)


async def test_a_resumed_fetch_that_has_its_pages_already_pays_for_none(place: Place) -> None:
    with pytest.raises(Died):
        await place.fetch(after_page=dying_after(2))
    summary = await place.fetch(max_pages=2)
    assert (summary.stop_reason, summary.pages, summary.resumed) == (
        StopReason.PAGE_LIMIT, 2, True,
    )  # fmt: skip
    assert place.service.asked == [0, 1]


async def end_lock_connection(url: str) -> None:
    """The server ends whoever holds a session's advisory lock."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks "
            "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        )


async def test_a_lost_lock_ends_its_fetch_before_the_next_search_is_paid(
    place: Place, database_url: str
) -> None:
    async def cut(summary: FetchSummary) -> None:
        if summary.pages == 1:
            await end_lock_connection(database_url)

    with pytest.raises(DatabaseUnavailableError):
        await place.fetch(after_page=cut)
    assert place.service.asked == [0]


async def test_two_fetches_on_one_row_are_fenced_and_each_page_is_paid_once(
    place: Place, database_url: str
) -> None:
    """The first has just been let through to its search when its lock is lost."""
    second: list[FetchSummary] = []

    async def after_page(summary: FetchSummary) -> None:
        if summary.pages != 1:
            return
        # As a run does that got the lock:
        fetch = await resume_or_create_fetch(place.database, query=place.search)
        assert (fetch.id, fetch.attempt) == (summary.fetch_id, 2)

    with pytest.raises(SupersededError, match="Another run has resumed this fetch"):
        await place.fetch(after_page=after_page)
    (row,) = await place.ledger()
    assert (row.status, row.pages, row.new_count) == ("running", 1, 10)
    assert await place.stored() == 10  # the second page's rows went with its line
    second.append(await place.fetch())
    (row,) = await place.ledger()
    assert (row.pages, row.searches_billed, row.attempt) == (3, 3, 3)
    assert place.service.billed == 3
    assert await place.stored() == 26


async def test_a_superseded_fetch_does_not_fail_the_one_that_goes_on(place: Place) -> None:
    async def fail(summary: FetchSummary) -> None:
        await resume_or_create_fetch(place.database, query=place.search)
        raise ServiceUnavailableError("something else")

    with pytest.raises(ServiceUnavailableError):
        await place.fetch(after_page=fail)
    (row,) = await place.ledger()
    assert (row.status, row.error, row.attempt) == ("running", None, 2)


async def test_two_that_open_at_once_without_a_lock_share_one_row_and_one_is_fenced(
    place: Place,
) -> None:
    opened = await asyncio.gather(
        *(resume_or_create_fetch(place.database, query=place.search) for _ in range(4))
    )
    assert len({fetch.id for fetch in opened}) == 1
    assert sorted(fetch.attempt for fetch in opened) == [1, 2, 3, 4]


@pytest.mark.parametrize("ends", [(), (0,), (0, 2, 4)])
@pytest.mark.parametrize(
    "before", [("running",), ("failed",), ("running", "failed"), ("completed",)]
)
async def test_whatever_was_left_one_fetch_runs_of_those_that_open_at_once(
    place: Place, before: tuple[str, ...], ends: tuple[int, ...]
) -> None:
    async with place.database.transaction() as session:
        for age, status in enumerate(before):
            values = {"status": status, "hash": place.search.hash, "age": age}
            await session.execute(_LEFT_BEHIND, values)

    async def open_one(number: int) -> Fetch:
        fetch = await resume_or_create_fetch(place.database, query=place.search)
        if number in ends:
            with suppress(SupersededError):
                async with place.database.transaction() as session:
                    await finish_fetch(session, fetch=fetch, stop_reason=StopReason.END)
        return fetch

    opened = await asyncio.gather(*map(open_one, range(6)))
    assert len({(fetch.id, fetch.attempt) for fetch in opened}) == 6
    running = [row for row in await place.ledger() if row.status == "running"]
    assert len(running) <= 1


async def test_a_fetch_under_way_is_told_to_a_second_one(place: Place) -> None:
    async def second(_: FetchSummary) -> None:
        with pytest.raises(BusyError, match="being fetched"):
            await place.fetch()

    await place.fetch(max_pages=1, after_page=second)


async def test_a_dry_run_is_in_the_ledger_and_a_fetch_after_it_is_cached(place: Place) -> None:
    dry = await place.fetch(dry_run=True)
    assert (dry.new, dry.searches_billed, dry.dry_run) == (26, 3, True)
    assert await place.stored() == 0
    assert await place.rows("SELECT 1 FROM advertiser") == []
    real = await place.fetch()
    assert (real.new, real.searches_billed, real.searches_cached) == (26, 0, 3)
    first, second = await place.ledger()
    assert (first.is_dry_run, first.searches_billed, first.status) == (True, 3, "completed")
    assert (second.is_dry_run, second.searches_billed) == (False, 0)
    assert place.service.billed == 3


async def test_a_dry_run_neither_resumes_nor_ends_a_fetch_that_waits_to_be_resumed(
    place: Place,
) -> None:
    with pytest.raises(Died):
        await place.fetch(after_page=dying_after(1))
    dry = await place.fetch(dry_run=True)
    assert (dry.resumed, dry.pages) == (False, 3)
    summary = await place.fetch()
    assert (summary.resumed, summary.pages) == (True, 3)
    assert sum(row.searches_billed for row in await place.ledger()) == place.service.billed == 3


async def test_a_dry_run_that_died_is_paid_once(place: Place) -> None:
    with pytest.raises(Died):
        await place.fetch(dry_run=True, after_page=dying_after(2))
    dry = await place.fetch(dry_run=True)
    assert (dry.pages, dry.searches_billed, dry.searches_cached) == (3, 1, 2)
    assert [row.status for row in await place.ledger()] == ["abandoned", "completed"]


async def test_an_answer_that_a_dead_run_had_paid_is_billed_to_whoever_stores_it(
    place: Place,
) -> None:
    """A watch's run and a fetch by hand have rows of their own, and one cache."""
    async with place.database.session() as session:
        await session.execute(
            text("INSERT INTO watch (user_id, name, text, political_ads, is_active) "
                 "VALUES (1, 'w', 'example.com', false, true)")
        )  # fmt: skip
        await session.commit()
    await resume_or_create_fetch(place.database, query=place.search, watch_id=1)
    async with place.service.client() as client:
        await client.fetch_page(place.search)  # paid by the watch's run, which dies now
    summary = await place.fetch(max_pages=1)
    assert (summary.searches_billed, summary.searches_cached) == (1, 0)


async def test_an_answer_that_waited_before_it_was_stored_is_dated_by_when_it_came(
    place: Place,
) -> None:
    """It was made 30 s ago for a run that ended a second later, and came from the cache since."""
    dead = await resume_or_create_fetch(place.database, query=place.search)
    async with place.database.session() as session:
        await session.execute(
            text("UPDATE \"fetch\" SET status = 'failed', started_at = now() - interval '31 s', "
                 "finished_at = now() - interval '29 s' WHERE id = :id"),
            {"id": dead.id},
        )  # fmt: skip
        await session.commit()
    fetch = await resume_or_create_fetch(place.database, query=place.search)
    async with place.database.session() as session:
        search = Search(id="s", age=10.0, came_at=time.time() - 20)
        saved = SavedCreatives(new=[], changed=[], unchanged=0)
        await record_page(session, fetch=fetch, page=SearchPage(searches=[search]), saved=saved)
    assert (fetch.id != dead.id, fetch.searches_billed) == (True, 1)
