"""Fetching: every page is stored and paid for once, whatever happens in between."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from adspark.creatives.fetch import AfterPage, FetchSummary, fetch_query
from adspark.db.engine import Database
from adspark.errors import AdSparkError, BusyError, RateLimitedError, ServiceUnavailableError
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.serpapi.client import SerpApiClient
from adspark.serpapi.search_query import CreativeQuery
from tests.support import asking
from tests.support.factories import query

KEY = SecretStr("sandbox-key")
TABLES = ("advertiser", "creative", "rejected_row", "rate_slot")


@dataclass(frozen=True)
class Place:
    """Where a test fetches to and from."""

    database: Database
    url: str

    def client(self) -> SerpApiClient:
        return SerpApiClient(KEY, base_url=self.url)

    async def fetch(self, search: CreativeQuery, **options: Any) -> FetchSummary:  # noqa: ANN401
        async with self.client() as client:
            return await fetch_query(self.database, client, search, **options)

    @property
    def billed(self) -> int:
        """What the sandbox would have charged."""
        return int(asking.get(f"{self.url}/sandbox/stats").json()["billed"])

    def switch_on(self, *faults: dict[str, object]) -> None:
        asking.put(f"{self.url}/sandbox/faults", json=list(faults)).raise_for_status()

    async def rows(self, statement: str) -> list[Any]:
        async with self.database.session() as session:
            return list(await session.execute(text(statement)))

    async def change(self, statement: str) -> None:
        async with self.database.session() as session:
            await session.execute(text(statement))
            await session.commit()


@pytest.fixture
def place(database: Database, sandbox_url: str) -> Place:
    """The recorded ads."""
    return Place(database, sandbox_url)


class Died(BaseException):
    """The process of a fetch is gone; nothing in it may tidy up."""


def die_after(pages: int) -> AfterPage:
    """A hook that kills the fetch after so many stored pages."""

    async def hook(summary: FetchSummary) -> None:
        if summary.pages == pages:
            raise Died

    return hook


async def test_pages_are_fetched_to_the_end(place: Place) -> None:
    summary = await place.fetch(query(page_size=15), max_pages=9)
    assert (summary.pages, summary.new, summary.stop_reason) == (3, 40, "end")
    assert summary.searches_billed == place.billed == 3
    assert len(summary.new_creatives) == 20


async def test_a_bound_on_pages_is_kept_and_named(place: Place) -> None:
    summary = await place.fetch(query(page_size=15), max_pages=2)
    assert (summary.pages, summary.new, summary.stop_reason) == (2, 30, "page_limit")
    assert place.billed == 2


async def test_nothing_found_is_a_fetch_that_ended(place: Place) -> None:
    summary = await place.fetch(query(advertiser_ids=None, text="nobody.example"))
    assert (summary.pages, summary.new, summary.stop_reason) == (1, 0, "end")


async def test_the_ledger_holds_what_the_summary_says(place: Place) -> None:
    run_id = uuid4()
    summary = await place.fetch(query(page_size=15), max_pages=2, flow_run_id=run_id)
    (row,) = await place.rows('SELECT * FROM "fetch"')
    assert (row.id, row.flow_run_id, row.status) == (summary.fetch_id, run_id, "completed")
    assert (row.pages, row.new_count, row.searches_billed, row.stop_reason) == (
        2, 30, 2, "page_limit",
    )  # fmt: skip
    assert len(row.search_ids) == 2
    assert row.finished_at >= row.started_at


async def test_a_repeat_within_the_hour_is_cached_and_said_to_be(place: Place) -> None:
    await place.fetch(query())
    summary = await place.fetch(query())
    assert (summary.searches_billed, summary.searches_cached, summary.resumed) == (0, 1, False)
    assert place.billed == 1
    assert len(await place.rows('SELECT id FROM "fetch"')) == 2


@pytest.mark.parametrize("pages", [1, 2, 5, 7])
async def test_a_fetch_that_died_goes_on_from_there_for_the_same_price(
    place: Place, pages: int
) -> None:
    search = query(page_size=5)
    with pytest.raises(Died):
        await place.fetch(search, max_pages=20, after_page=die_after(pages))
    assert place.billed == pages
    summary = await place.fetch(search, max_pages=20)
    assert (summary.resumed, summary.pages, summary.new, summary.stop_reason) == (
        True, 8, 40, "end",
    )  # fmt: skip
    assert summary.searches_billed == place.billed == 8
    assert await place.rows("SELECT count(*) FROM creative") == [(40,)]
    assert await place.rows('SELECT status, pages FROM "fetch"') == [("completed", 8)]


async def test_a_page_that_was_answered_but_not_stored_is_billed_once(place: Place) -> None:
    async with place.client() as client:
        await client.fetch_page(query())  # the answer that nobody stored
    summary = await place.fetch(query())
    assert place.billed == 1
    assert (summary.new, summary.searches_billed + summary.searches_cached) == (40, 1)


async def test_a_fetch_cut_off_while_it_waits_leaves_the_query_free(place: Place) -> None:
    place.switch_on({"kind": "hang", "seconds": 30, "after": 1, "times": 1})
    running = asyncio.create_task(place.fetch(query(page_size=20), max_pages=2))
    while not await place.rows('SELECT 1 FROM "fetch" WHERE pages = 1'):
        await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    place.switch_on()
    summary = await place.fetch(query(page_size=20), max_pages=2)
    assert (summary.resumed, summary.new, summary.searches_billed) == (True, 40, 2)


async def test_an_old_interrupted_fetch_is_abandoned_and_begun_anew(place: Place) -> None:
    search = query(page_size=20)
    with pytest.raises(Died):
        await place.fetch(search, max_pages=2, after_page=die_after(1))
    await place.change("UPDATE \"fetch\" SET updated_at = updated_at - interval '56 minutes'")
    summary = await place.fetch(search, max_pages=2)
    assert (summary.resumed, summary.pages) == (False, 2)
    assert await place.rows("SELECT status FROM \"fetch\" ORDER BY started_at") == [
        ("abandoned",), ("completed",),
    ]  # fmt: skip


async def test_a_page_token_that_expired_means_the_first_page_again(place: Place) -> None:
    search = query(page_size=20)
    with pytest.raises(Died):
        await place.fetch(search, max_pages=2, after_page=die_after(1))
    await place.change("UPDATE \"fetch\" SET next_page_token = 'expired'")
    summary = await place.fetch(search, max_pages=2)
    assert (summary.pages, summary.new + summary.unchanged, summary.stop_reason) == (2, 40, "end")
    assert place.billed == 2


async def test_a_failure_is_in_the_ledger_and_the_next_fetch_goes_on(place: Place) -> None:
    place.switch_on({"kind": "server_error_500", "after": 1})
    with pytest.raises(ServiceUnavailableError):
        await place.fetch(query(page_size=20), max_pages=2)
    (row,) = await place.rows('SELECT status, stop_reason, error, pages FROM "fetch"')
    assert row == ("failed", "error", "SerpApi failed on its side (HTTP 500).", 1)
    place.switch_on()
    summary = await place.fetch(query(page_size=20), max_pages=2)
    assert (summary.resumed, summary.searches_billed, place.billed) == (True, 2, 2)


async def test_one_that_failed_before_its_first_page_stays_in_the_ledger(place: Place) -> None:
    place.switch_on({"kind": "throughput_429", "times": 1})
    with pytest.raises(RateLimitedError):
        await place.fetch(query(), flow_run_id=uuid4())
    await place.fetch(query(), flow_run_id=uuid4())
    assert await place.rows("SELECT status FROM \"fetch\" ORDER BY started_at") == [
        ("failed",), ("completed",),
    ]  # fmt: skip


async def test_two_at_once_on_a_query_and_the_second_is_told_who_has_it(place: Place) -> None:
    place.switch_on({"kind": "latency", "seconds": 1.0})
    run_id = uuid4()
    first = asyncio.create_task(place.fetch(query(), flow_run_id=run_id))
    while not await place.rows('SELECT 1 FROM "fetch"'):
        await asyncio.sleep(0.02)
    with pytest.raises(BusyError, match=str(run_id)):
        await place.fetch(query())
    other = await place.fetch(query(region="US"))
    assert ((await first).new + other.new, place.billed) == (40, 2)


async def test_a_dry_run_counts_the_same_and_stores_no_ads(place: Place) -> None:
    await place.fetch(query(page_size=10))
    before = {name: await place.rows(f'SELECT * FROM "{name}"') for name in TABLES}
    summary = await place.fetch(query(page_size=10), max_pages=3, dry_run=True)
    assert (summary.new, summary.unchanged, summary.pages) == (20, 10, 3)
    assert (summary.searches_billed, summary.searches_cached) == (2, 1)
    assert len(summary.new_creatives) == 20
    (row,) = await place.rows('SELECT * FROM "fetch" WHERE is_dry_run')
    assert (row.id, row.searches_billed, row.searches_cached) == (summary.fetch_id, 2, 1)
    for name in TABLES:
        assert await place.rows(f'SELECT * FROM "{name}"') == before[name], name


async def test_broken_rows_are_kept_with_their_reason_and_stop_nothing(place: Place) -> None:
    place.switch_on({"kind": "broken_rows"})
    summary = await place.fetch(query())
    rejected = await place.rows("SELECT reason, payload FROM rejected_row")
    assert summary.rejected == len(rejected) > 0
    assert summary.new == 40 - summary.rejected
    assert all(row.reason for row in rejected)


async def test_rows_that_stand_on_two_pages_are_stored_and_counted_once(place: Place) -> None:
    place.switch_on({"kind": "duplicates"})
    search = query(page_size=10)
    foreseen = await place.fetch(search, max_pages=20, dry_run=True)
    first = await place.fetch(search, max_pages=20)
    again = await place.fetch(search, max_pages=20)
    assert [(one.new, one.changed, one.unchanged) for one in (foreseen, first, again)] == [
        (40, 0, 0), (40, 0, 0), (0, 0, 40),
    ]  # fmt: skip
    assert first.stop_reason == again.stop_reason == "end"


@pytest.mark.parametrize("dry_run", [False, True])
async def test_an_empty_answer_where_ads_are_stored_is_doubted(place: Place, dry_run: bool) -> None:
    await place.fetch(query())
    place.switch_on({"kind": "no_results"})
    (kind, number), *_ = await place.rows("SELECT format, count(*) FROM creative GROUP BY 1")
    for more, stored in (({}, 40), ({"creative_format": kind}, number)):
        summary = await place.fetch(query(page_size=90, **more), dry_run=dry_run)
        assert summary.stored_unlisted == stored > 0
        doubt = f"no ads at all, though {stored} of this search are stored: that proves nothing"
        assert doubt in summary.headline
    for more in ({"end_date": date(2018, 6, 1)}, {"region": "DE"}):
        summary = await place.fetch(query(page_size=90, **more), dry_run=dry_run)
        assert (summary.stored_unlisted, "proves" in summary.headline) == (0, False)


@pytest.fixture(scope="module")
def big_sandbox() -> Iterator[str]:
    """A sandbox with a generated advertiser of many pages."""
    with serve(SandboxSettings(generated_advertisers=1, creatives_per_advertiser=300)) as url:
        yield url


@contextmanager
def all_faults(url: str) -> Iterator[None]:
    """Every fault that may pass, now and then."""
    kinds = (
        "throughput_429", "server_error_500", "unavailable_503", "reset", "html", "cut_json",
        "empty_page_with_token", "duplicates",
    )  # fmt: skip
    faults = [{"kind": kind, "probability": 0.08} for kind in kinds]
    asking.put(f"{url}/sandbox/faults", json=faults).raise_for_status()
    yield
    asking.put(f"{url}/sandbox/faults", json=[]).raise_for_status()


async def test_with_every_fault_at_once_all_ads_arrive_and_no_stored_page_is_paid_twice(
    database: Database, big_sandbox: str
) -> None:
    place = Place(database, big_sandbox)
    search = query(advertiser_ids=f"AR9{1:019d}", page_size=10)
    failures = 0
    with all_faults(big_sandbox):
        while True:
            try:
                summary = await place.fetch(search, max_pages=100)
            except AdSparkError:
                failures += 1
                assert failures < 100
            else:
                break
    assert failures > 0
    again = await place.fetch(search, max_pages=100)  # without faults, what they hid
    assert await place.rows("SELECT count(*) FROM creative") == [(300,)]
    assert summary.changed == again.changed == 0
    ids = await place.rows('SELECT unnest(search_ids) FROM "fetch" WHERE pages > 0')
    billed = await place.rows('SELECT sum(searches_billed) FROM "fetch"')
    assert billed[0][0] <= len({one[0] for one in ids})  # no answer is counted as billed twice
