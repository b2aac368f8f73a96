"""Sweeping: every due watch is served, most overdue first; nothing is lost or paid twice."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from adspark.creatives.fetch import lock_name
from adspark.db import migrate
from adspark.db.engine import Database, read_now
from adspark.errors import DatabaseUnavailableError
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.serpapi.payloads import AccountPayload
from adspark.watches.admission import SweepGate, searches_left
from adspark.watches.budgets import NEXT_MONTH
from adspark.watches.sharing.due import DueWatch, read_due, read_unchecked
from adspark.watches.stored import list_watches
from adspark.watches.sweep import Sweep
from adspark.watches.sweep_store import SweepSummary, summarise_sweep
from tests.support.factories import query
from tests.support.noticed import add_looks
from tests.support.watching import Place

WATCHES = 12
NEW_PICTURE = "https://tpc.googlesyndication.com/archive/simgad/1"


def advertiser(number: int) -> str:
    """A generated advertiser."""
    return f"AR9{number:019d}"


@pytest.fixture
def url() -> Iterator[str]:
    """A sandbox of the test's own whose every search is a fresh one."""
    with serve(SandboxSettings(cached_for=0, generated_advertisers=60)) as served:
        yield served


@pytest.fixture
async def place(database: Database, url: str) -> Place:
    """A dozen watches, the last the most overdue."""
    made = Place(database, url)
    for number in range(1, WATCHES + 1):
        await made.add(name=f"watch {number}", advertiser_ids=[advertiser(number)])
    await made.change("UPDATE watch SET due_at = now() - id * interval '1 hour'")
    return made


async def checked_ids(place: Place) -> list[int]:
    """The watches in the order in which they were fetched."""
    rows = await place.rows('SELECT watch_id FROM "fetch" ORDER BY started_at, finished_at')
    return [row.watch_id for row in rows]


async def test_all_due_watches_are_checked_the_most_overdue_first(place: Place) -> None:
    await place.change("UPDATE watch SET due_at = now() + interval '1 hour' WHERE id <= 3")
    await place.change("UPDATE watch SET is_active = false WHERE id = 5")
    summary = await place.sweep(at_once=1)
    assert await checked_ids(place) == [12, 11, 10, 9, 8, 7, 6, 4]
    assert (summary.due, summary.checked, summary.is_whole) == (8, 8, True)
    assert summary.events.baseline == 8 * 40
    assert (await place.sweep()).due == 0


class Gathering(httpx.AsyncHTTPTransport):
    """Sends no search before so many are to be sent."""

    def __init__(self, searches: int) -> None:
        super().__init__()
        self._barrier = asyncio.Barrier(searches)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with asyncio.timeout(60):
            await self._barrier.wait()
        return await super().handle_async_request(request)


async def test_many_are_checked_at_once(place: Place) -> None:
    place.transport = Gathering(WATCHES)
    assert (await place.sweep()).checked == WATCHES


async def test_a_watch_that_falls_due_in_a_moment_is_taken_along_but_not_too_early(
    place: Place,
) -> None:
    await place.change("UPDATE watch SET due_at = now() + interval '1 second' WHERE id = 1")
    (due,) = await place.rows("SELECT due_at AS at FROM watch WHERE id = 1")
    await place.sweep()
    (begun,) = await place.rows('SELECT started_at AS at FROM "fetch" WHERE watch_id = 1')
    assert begun.at >= due.at


async def test_what_was_checked_while_the_clock_was_ahead_is_due_unless_it_waits_for_its_budget(
    place: Place,
) -> None:
    await place.change(f"""
        UPDATE watch SET interval_minutes = 60, due_at = now() + CASE id
            WHEN 1 THEN interval '33 hours' WHEN 2 THEN interval '90 days'
            ELSE interval '59 minutes' END, checked_at = now() + interval '32 hours';
        UPDATE watch SET monthly_budget = 5, due_at = {NEXT_MONTH} WHERE id = 3
    """)
    async with place.database.session() as session:
        due = [one.watch_id for one in await read_due(session)]
        again = await read_unchecked(session, watch_ids=due, since=await read_now(session))
        listed = {one.id: one for one in await list_watches(session, watch_ids=[1, 3])}
        now = await read_now(session)
    assert sorted(due) == sorted(one.watch_id for one in again) == [1, 2]
    assert (listed[1].next_look, listed[3].next_look) == (now, listed[3].due_at)
    await place.sweep()
    assert sorted(await checked_ids(place)) == [1, 2]
    assert not await place.rows("SELECT FROM watch WHERE id <= 2 AND due_at > now() + '61 min'")


async def test_one_that_is_not_due_yet_holds_up_no_other_wherever_it_stands(place: Place) -> None:
    others = asyncio.Event()

    async def count(summary: SweepSummary) -> None:
        if summary.checked == 2:
            others.set()

    due = [DueWatch(3, wait=3600), DueWatch(2), DueWatch(1)]
    async with place.checker() as checker:
        running = asyncio.create_task(
            Sweep(checker, SweepGate(), at_once=1, on_progress=count).run(due)
        )
        async with asyncio.timeout(60):
            await others.wait()
        running.cancel()
    assert await checked_ids(place) == [2, 1]


async def test_one_that_cannot_be_fetched_stops_no_other_and_is_named(place: Place) -> None:
    # Refused by the service: a region that was removed since the watch was saved.
    await place.change("UPDATE watch SET region = '9999' WHERE id = 7")
    summary = await place.sweep()
    assert (summary.checked, summary.failed, summary.is_whole) == (WATCHES - 1, 1, False)
    (problem,) = summary.problems
    assert problem.watch_id == 7
    assert "Unsupported `9999` region" in problem.reason
    assert "1 failed" in summary.headline
    assert "1 × SerpApi refused the request" in summary.headline


async def test_what_failed_for_the_moment_is_tried_again_while_others_go_on(place: Place) -> None:
    place.switch_on({"kind": "server_error_500", "times": 5})
    summary = await place.sweep(retry_delays=[0.2] * 5)
    assert (summary.checked, summary.failed, summary.retried) == (WATCHES, 0, 5)


async def test_without_success_after_all_tries_it_failed_and_is_still_due(place: Place) -> None:
    place.switch_on({"kind": "unavailable_503"})
    summary = await place.sweep(retry_delays=[0.01, 0.01])
    assert (summary.checked, summary.failed) == (0, WATCHES)
    assert place.stats["requests"] == 3 * WATCHES
    place.switch_on()
    assert (await place.sweep()).checked == WATCHES


async def test_an_unforeseen_error_of_one_watch_is_told_and_stops_no_other(place: Place) -> None:
    errors: list[tuple[int, Exception]] = []

    asked = 0

    async def odd() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise TypeError("odd \x00 value\nand more")

    summary = await place.sweep(
        SweepGate(odd), at_once=1, on_error=lambda *told: errors.append(told)
    )
    assert (summary.checked, summary.failed, summary.is_whole) == (WATCHES - 1, 1, False)
    assert "1 × unforeseen TypeError: odd \ufffd value" in summary.headline
    ((watch_id, error),) = errors
    assert (watch_id, type(error)) == (10, TypeError)
    assert error.__traceback__ is not None
    watch = await place.watch(watch_id)
    assert (watch.coverage, watch.problem) == ("none", summary.problems[0].reason)
    assert watch.due_at <= watch.checked_at
    assert (await place.sweep()).checked == 1


async def end_statements(place: Place, which: str = "true") -> None:
    """Have PostgreSQL end the fetch of each watch for which the condition holds on its new row."""
    await place.change(
        "CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014'; "
        "END $$"
    )
    await place.change(
        f'CREATE TRIGGER end_it BEFORE INSERT ON "fetch" FOR EACH ROW WHEN ({which}) '
        "EXECUTE FUNCTION end_it()"
    )


async def test_a_check_that_postgresql_ends_for_its_time_says_so_and_stops_no_other(
    place: Place,
) -> None:
    await end_statements(place, "NEW.watch_id = 7")
    summary = await place.sweep(retry_delays=[0.01])
    assert (summary.checked, summary.failed, summary.retried) == (WATCHES - 1, 1, 0)
    (problem,) = summary.problems
    assert "by statement_timeout, raise that setting" in problem.reason
    assert (await place.watch(7)).problem == problem.reason


async def test_where_postgresql_ends_every_check_the_others_wait(place: Place) -> None:
    await end_statements(place)
    summary = await place.sweep(at_once=1)
    assert (summary.failed, summary.waiting) == (3, WATCHES - 3)
    assert "raise that setting" in summary.problems[-1].reason


async def test_a_report_that_nobody_takes_ends_no_sweep(place: Place) -> None:
    async def refuse(_: object) -> None:
        raise OSError("away")

    summary = await place.sweep(on_check=refuse, on_progress=refuse)
    assert (summary.checked, summary.failed) == (WATCHES, 0)


async def test_what_an_earlier_run_has_paid_is_not_taken_from_the_others(place: Place) -> None:
    asked = 0

    async def mortal() -> None:
        nonlocal asked
        asked += 1
        if asked == 4:
            raise Died

    with serve(SandboxSettings(generated_advertisers=3, creatives_per_advertiser=350)) as url:
        there = Place(place.database, url)
        await there.change("DELETE FROM watch WHERE id > 3")
        with pytest.raises(BaseExceptionGroup):
            await there.sweep(SweepGate(mortal), at_once=1)
        await there.change("UPDATE watch SET max_pages = 1 WHERE id < 3")
        # One for the last page of the first watch, whose ledger says four, and one for each other.
        summary = await there.sweep(SweepGate(searches=3, shortage="just enough"), at_once=1)
    assert (summary.checked, summary.waiting) == (3, 0)


async def test_searches_that_were_made_before_a_refusal_are_not_given_back(place: Place) -> None:
    with serve(SandboxSettings(generated_advertisers=3, creatives_per_advertiser=350)) as url:
        there = Place(place.database, url)
        await there.change("DELETE FROM watch WHERE id > 3")
        await there.sweep(SweepGate(searches=3, shortage="three"), at_once=1)
        assert there.stats["requests"] == 3


async def test_a_lack_of_searches_is_foreseen_and_the_most_overdue_are_served(place: Place) -> None:
    gate = SweepGate(searches=5, shortage="only 5 searches left in this month's plan")
    summary = await place.sweep(gate, at_once=2)
    assert sorted(await checked_ids(place)) == [8, 9, 10, 11, 12]
    assert (summary.checked, summary.waiting, summary.failed) == (5, 7, 0)
    assert not summary.is_whole
    assert "7 × no searches left (only 5 searches left in this month's plan)" in summary.headline
    assert place.stats["requests"] == 5  # no search was begun in vain
    watch = await place.watch(1)
    assert (watch.coverage, watch.problem) == ("none", next(iter(summary.reasons)))


async def test_searches_that_were_free_or_failed_are_not_held_against_the_account(
    place: Place,
) -> None:
    place.switch_on({"kind": "server_error_500", "times": 3})
    gate = SweepGate(searches=WATCHES)
    assert (await place.sweep(gate, retry_delays=[0.01] * 3)).checked == WATCHES


@pytest.mark.parametrize(
    ("waits", "per_minute", "taken"),
    [
        pytest.param([0.5, 3, 30], 10, [0.5], id="nothing else to check: only the next minute"),
        pytest.param([0, 0, 0, 1.2, 1.4, 3], 10, [0, 0, 0, 1.2, 1.4], id="while three are checked"),
        pytest.param([0] * 3 + [2, 2.4, 9], 2, [0] * 3 + [2, 2.4], id="a slower limit"),
        pytest.param(
            [1, 1.1, 1.2, 1.3, 1.31], 10, [1, 1.1, 1.2, 1.3, 1.31], id="one after another"
        ),
        pytest.param([-5, 1.01], float("inf"), [-5], id="without a limit"),
        pytest.param([5], 10, [], id="none"),
    ],
)
async def test_what_falls_due_while_others_are_checked_is_taken_along(
    place: Place, waits: list[float], per_minute: float, taken: list[float]
) -> None:
    await place.change("DELETE FROM watch")
    for number, minutes in enumerate(waits):
        watch_id = await place.add(name=f"watch {number}")
        at = f"now() + {minutes} * interval '1 minute'"
        await place.change(f"UPDATE watch SET due_at = {at} WHERE id = {watch_id}")
    async with place.database.session() as session:
        due = await read_due(session, per_minute=per_minute)
    assert len(due) == len(taken)
    assert sorted(round(one.wait / 60, 1) for one in due) == [
        round(max(0, one), 1) for one in taken
    ]


@pytest.mark.parametrize(("at_once", "seconds"), [(1, 1000.0), (30, 0.5)])
async def test_a_sweep_that_is_out_of_time_begins_no_more_and_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch, at_once: int, seconds: float
) -> None:
    """Whether its time is over between two watches, or while many wait for the rate limit."""
    passed, slots = 0.0, 0
    clock = SimpleNamespace(monotonic=lambda: passed)
    monkeypatch.setattr(f"{SweepGate.__module__}.time", clock)

    async def take_slot() -> None:
        nonlocal passed, slots
        slots += 1
        if slots == 3 and at_once == 1:
            passed += seconds
        if slots > 3:
            await asyncio.Event().wait()

    summary = await place.sweep(SweepGate(take_slot, seconds=seconds), at_once=at_once)
    assert (summary.checked, summary.waiting) == (3, WATCHES - 3)
    assert "no time left in this sweep" in summary.headline


async def test_an_account_that_only_seems_empty_is_asked_again(place: Place) -> None:
    place.switch_on({"kind": "quota_429", "times": 2})
    summary = await place.sweep(retry_delays=[0.1] * 2)
    assert (summary.checked, summary.failed) == (WATCHES, 0)


async def test_an_account_that_is_empty_makes_the_rest_wait(place: Place) -> None:
    place.switch_on({"kind": "quota_429", "after": 4})
    summary = await place.sweep(at_once=1, retry_delays=[0.01])
    assert (summary.checked, summary.failed, summary.waiting) == (4, 1, 7)
    assert "no searches are left" in summary.headline
    assert place.stats["requests"] == 6 + 7  # a retry of each, for nothing is billed


async def test_a_watch_in_another_runs_hands_is_skipped(place: Place) -> None:
    async with place.database.lock("watch:3") as locked:
        assert locked
        summary = await place.sweep()
    assert (summary.checked, summary.skipped, summary.failed) == (WATCHES - 1, 1, 0)


async def test_a_sweep_waits_for_another_runs_fetch_no_longer_than_it_has_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count()  # one passes with each look at the clock
    clock = SimpleNamespace(monotonic=lambda: next(seconds))
    monkeypatch.setattr(f"{SweepGate.__module__}.time", clock)
    await place.change("DELETE FROM watch WHERE id > 1")
    async with (
        place.database.lock(lock_name(query(advertiser_ids=advertiser(1)))) as locked,
        asyncio.timeout(60),
    ):
        assert locked
        summary = await place.sweep(SweepGate(seconds=3))
    assert (summary.waiting, summary.failed) == (1, 0)
    assert "no time left in this sweep to wait for another run's fetch" in summary.headline


async def test_a_watch_that_was_checked_by_hand_meanwhile_is_not_said_to_wait(place: Place) -> None:
    async def check_by_hand(summary: SweepSummary) -> None:
        if summary.waiting == WATCHES - 1:
            await place.check(1)

    gate = SweepGate(searches=1, shortage="only 1")
    summary = await place.sweep(gate, at_once=1, on_progress=check_by_hand)
    assert (summary.checked, summary.waiting) == (1, WATCHES - 1)
    by_hand, waiting = await place.watch(1), await place.watch(2)
    assert (by_hand.coverage, by_hand.problem) == ("complete", None)
    assert (waiting.coverage, waiting.problem) == ("none", "no searches left (only 1)")


async def test_a_sweep_that_stops_says_why_also_of_watches_that_are_due_in_a_moment(
    place: Place,
) -> None:
    await place.change("UPDATE watch SET due_at = now() + interval '50 seconds' WHERE id = 2")
    place.switch_on({"kind": "quota_429"})

    summary = await place.sweep(at_once=1)

    assert (summary.failed, summary.waiting) == (1, WATCHES - 1)
    coming = await place.watch(2)
    assert (coming.coverage, coming.problem) == ("none", (await place.watch(3)).problem)


async def test_two_watches_with_one_search_are_billed_once(database: Database) -> None:
    with serve(SandboxSettings(generated_advertisers=1, latency=0.3)) as url:
        place = Place(database, url)
        for user_id in (1, 2, 3):
            await place.add(user_id=user_id, advertiser_ids=[advertiser(1)])
        summary = await place.sweep()
        assert (summary.checked, summary.searches_billed, summary.searches_cached) == (3, 1, 2)
        assert place.stats["billed"] == 1


async def test_two_sweeps_at_once_check_each_watch_once(place: Place) -> None:
    place.switch_on({"kind": "latency", "seconds": 0.2})
    one, two = await asyncio.gather(place.sweep(), place.sweep())
    assert one.events.baseline + two.events.baseline == WATCHES * 40
    assert await place.events() == {}


async def test_a_lost_database_ends_the_sweep_at_once(place: Place) -> None:
    place.timeout = 5
    place.switch_on({"kind": "hang"})
    running = asyncio.create_task(place.sweep(at_once=3))
    while not await place.rows('SELECT 1 FROM "fetch"'):
        await asyncio.sleep(0.02)
    await place.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(DatabaseUnavailableError):
        await running


@pytest.mark.parametrize(
    ("account", "left", "words"),
    [
        ({}, None, ""),
        ({"total_searches_left": 7}, 7, "only 7 searches left in this month's plan"),
        ({"total_searches_left": 90, "account_rate_limit_per_hour": 50, "this_hour_searches": 20},
         30, "only 30 searches left of 50 an hour"),
        ({"account_rate_limit_per_hour": 50, "this_hour_searches": 51}, 0, "only 0 searches left"),
    ],
)  # fmt: skip
def test_the_account_says_how_many_searches_there_are(
    account: dict[str, Any], left: int | None, words: str
) -> None:
    found, why = searches_left(AccountPayload(**account))
    assert found == left
    assert words in why


async def test_what_others_did_of_a_sweep_is_gathered_from_the_database(place: Place) -> None:
    await add_looks(place.database, 8, [1])
    (began,) = await place.rows("SELECT now() AS at")
    await place.change("UPDATE watch SET region = '9999' WHERE id = 7")
    await place.change("UPDATE watch SET monthly_budget = 1 WHERE id = 8")
    await place.change("UPDATE watch SET due_at = now() + interval '1 hour' WHERE id <= 2")
    there = await place.sweep()
    await place.change("UPDATE watch SET due_at = now() WHERE id <= 2")
    async with place.database.session() as session:
        everything = list(range(1, WATCHES + 1))
        left = await read_unchecked(session, watch_ids=everything, since=began.at)
        found = await summarise_sweep(session, watch_ids=everything, since=began.at)
    assert {one.watch_id for one in left} == {1, 2}
    counted = ("checked", "failed", "over_budget", "pages", "searches_billed", "events")
    for name in counted:
        assert getattr(found, name) == getattr(there, name), name
    assert found.waiting == 2 + there.waiting
    assert found.reasons["not begun"] == 2
    assert {one.watch_id for one in found.problems} == {7, 8}


async def test_a_failure_whose_next_turn_is_next_month_is_not_taken_for_a_spent_budget(
    place: Place,
) -> None:
    (began,) = await place.rows("SELECT now() AS at")
    month = 31 * 24 * 60
    await place.change(f"UPDATE watch SET region = '9999', interval_minutes = {month} WHERE id = 7")
    await place.sweep()
    async with place.database.session() as session:
        found = await summarise_sweep(session, watch_ids=[6, 7], since=began.at)
    assert (found.checked, found.failed, found.over_budget) == (1, 1, 0)
    assert not found.is_whole


async def test_a_sweep_leaves_alone_what_has_no_budget(place: Place) -> None:
    await place.change("UPDATE watch SET monthly_budget = 0 WHERE id = 8")
    before = await place.watch(8)
    summary = await place.sweep()
    assert (summary.due, summary.checked, summary.waiting) == (WATCHES - 1, WATCHES - 1, 0)
    assert await place.watch(8) == before


class Hours:
    """A clock for a sandbox, so that its cache forgets when the test says so."""

    def __init__(self) -> None:
        self._passed = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._passed

    def pass_one(self) -> None:
        self._passed += timedelta(minutes=61)


PAGES = 3  # of each generated advertiser


@contextmanager
def world() -> Iterator[tuple[str, Hours]]:
    """A sandbox with a cache, and its clock."""
    hours = Hours()
    settings = SandboxSettings(
        generated_advertisers=WATCHES, creatives_per_advertiser=PAGES * 100 - 50, clock=hours
    )
    with serve(settings) as url:
        yield url, hours


def news_until(turn: int) -> list[dict[str, Any]]:
    """What has happened in the world after so many turns: launches and other pictures, but for
    the first three advertisers."""
    now = int(time.time())
    changes: list[dict[str, Any]] = []
    for earlier in range(1, turn + 1):
        for number in range(4, WATCHES + 1):
            row = {
                "advertiser_id": advertiser(number),
                "advertiser": f"Sandbox Advertiser {number}",
                "ad_creative_id": f"CR{earlier * 1000 + number:020d}",
                "format": "text",
                "image": NEW_PICTURE,
                "first_shown": now,
                "last_shown": now,
            }
            changes.append({"action": "add", "row": row})
        known = f"CR9{4:07d}{earlier:012d}"
        altered = {"image": f"https://example.com/{earlier}.png", "link": None}
        changes.append({"action": "alter", "ad_creative_id": known, "row": altered})
    return changes


async def three_sweeps(
    place: Place, hours: Hours, retry_delays: Sequence[float] = ()
) -> list[SweepSummary]:
    """A baseline and two sweeps with news, an hour apart."""
    for number in range(1, WATCHES + 1):
        name, ids = f"watch {number}", [advertiser(number)]
        await place.add(name=name, advertiser_ids=ids, max_pages=20)
    summaries = []
    for turn in range(3):
        place.change_ads(*news_until(turn))
        await place.make_due()
        summaries.append(await place.sweep(retry_delays=retry_delays))
        hours.pass_one()
    return summaries


FAULTS = (
    "latency", "throughput_429", "quota_429", "server_error_500", "unavailable_503", "hang",
    "reset", "html", "cut_json", "empty_page_with_token", "duplicates", "broken_rows",
)  # fmt: skip
SECONDS = {"latency": 0.05, "hang": 0.2}


class TimingOut(httpx.AsyncHTTPTransport):
    """One request in twenty gets no answer in time, however quick the machine is."""

    def __init__(self) -> None:
        super().__init__()
        self._requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._requests += 1
        if self._requests % 20 == 0:
            raise httpx.ReadTimeout("no answer", request=request)
        return await super().handle_async_request(request)


async def test_with_every_fault_three_sweeps_end_with_the_events_of_a_faultless_run(
    database: Database, empty_database_url: str
) -> None:
    migrate.upgrade(empty_database_url)
    with world() as (url, hours):
        async with Database(empty_database_url) as other:
            faultless = Place(other, url)
            summaries = await three_sweeps(faultless, hours)
            expected = await faultless.events(baseline=True)
    assert [one.events.news for one in summaries] == [0, 10, 10]

    with world() as (url, hours):
        place = Place(database, url, transport=TimingOut())
        place.switch_on(
            *({"kind": kind, "probability": 0.05, "seconds": SECONDS.get(kind)} for kind in FAULTS)
        )
        summaries = await three_sweeps(place, hours, retry_delays=[0.02] * 15)
        billed = place.stats["billed"]

    assert sum(one.retried for one in summaries) > 0
    assert [(one.checked, one.failed, one.waiting) for one in summaries] == [(WATCHES, 0, 0)] * 3
    assert await place.events(baseline=True) == expected
    (ledger,) = await place.rows('SELECT sum(searches_billed), sum(pages) FROM "fetch"')
    assert ledger[0] == billed <= ledger[1]
    overpaid = await place.rows(
        'SELECT query FROM "fetch" GROUP BY 1 HAVING sum(searches_billed) > sum(pages)'
    )
    assert overpaid == []


class Died(BaseException):
    """The process is gone; nothing in it may tidy up."""


@pytest.mark.parametrize("dies_at", [1, 5, 16, 30])
async def test_a_sweep_that_died_is_completed_by_the_next_for_the_same_price(
    database: Database, dies_at: int
) -> None:
    asked = 0

    async def mortal() -> None:
        nonlocal asked
        asked += 1
        if asked == dies_at:
            raise Died

    with world() as (url, _):
        place = Place(database, url)
        for number in range(1, WATCHES + 1):
            await place.add(name=f"watch {number}", advertiser_ids=[advertiser(number)])
        with pytest.raises(BaseExceptionGroup):
            await place.sweep(SweepGate(mortal), at_once=4)
        summary = await place.sweep()
        assert place.stats["billed"] == PAGES * WATCHES
    events = await place.events(baseline=True)
    assert summary.is_whole
    assert set(events.values()) == {1}
    assert {kind for _, kind, _ in events} == {"baseline"}
    assert len(events) == WATCHES * (PAGES * 100 - 50)
