"""Details of new ads: opt-in, bounded, paid once, and never a reason for a watch to fail."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from adspark.creatives.details import DetailsSummary, LookUp
from adspark.db.engine import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.serpapi.client import SerpApiClient, no_gate
from adspark.watches.admission import SweepGate
from adspark.watches.budgets import read_budget, read_watch_costs
from adspark.watches.sweep_store import summarise_sweep
from tests.support.serpapi_answers import client
from tests.support.watching import KEY, Place

# A recorded advertiser whose ads have recorded details with copy.
SAVAGE = "AR03556834903704207361"
WITH_COPY = "CR12260659916586352641"


@pytest.fixture
def place(database: Database) -> Iterator[Place]:
    """A sandbox without a cache, and a database."""
    settings = SandboxSettings(cached_for=0, generated_advertisers=1)
    with serve(settings) as url:
        yield Place(database, url)


def launched(number: int) -> dict[str, Any]:
    """A generated ad put into the first generated advertiser's list just now."""
    now = int(time.time())
    return {
        "action": "add",
        "row": {
            "advertiser_id": f"AR9{1:019d}",
            "advertiser": "Sandbox Advertiser 1",
            "ad_creative_id": f"CR9{1:07d}{1000 + number:012d}",
            "format": "text",
            "image": f"/archive/simgad/{number}",
            "first_shown": now - 86_400,
            "last_shown": now,
        },
    }


async def with_news(place: Place, launches: int, **fields: Any) -> int:  # noqa: ANN401
    """A watch with a baseline, and so many launches since; returns its id."""
    watch_id = await place.add(advertiser_ids=[f"AR9{1:019d}"], **fields)
    await place.check(watch_id)
    place.change_ads(*map(launched, range(launches)))
    return watch_id


async def details(place: Place) -> list[Any]:
    """What is stored of details."""
    return await place.rows("SELECT * FROM creative_detail ORDER BY asked_at")


async def test_nobody_pays_for_details_who_did_not_ask_for_them(place: Place) -> None:
    watch_id = await with_news(place, 3)
    summary = await place.check(watch_id)
    assert (summary.events.new, summary.details) == (3, None)
    assert await details(place) == []


async def test_new_ads_are_looked_up_within_the_bound_of_a_sweep(place: Place) -> None:
    watch_id = await with_news(place, 3, details_per_sweep=2)
    billed = place.stats["billed"]
    first = await place.check(watch_id)
    assert first.details is not None
    assert (first.details.found, first.details.searches_billed) == (2, 2)
    assert place.stats["billed"] - billed == first.searches_billed == 3
    second = await place.check(watch_id)
    assert second.details is not None
    assert second.details.found == 1
    third = await place.check(watch_id)
    assert third.details is not None
    assert (third.details.found, third.searches_billed) == (0, 1)
    assert len(await details(place)) == 3


async def test_the_baseline_is_not_looked_up(place: Place) -> None:
    watch_id = await place.add(details_per_sweep=50)
    summary = await place.check(watch_id)
    assert summary.details is not None
    assert (summary.events.baseline, summary.details.found) == (40, 0)


async def test_copy_landing_address_regions_and_payer_are_stored(place: Place) -> None:
    rows = place.ads(SAVAGE)
    (row,) = [row for row in rows if row["ad_creative_id"] == WITH_COPY]
    place.change_ads({"action": "remove", "ad_creative_id": WITH_COPY})
    watch_id = await place.add(advertiser_ids=[SAVAGE], details_per_sweep=5)
    await place.check(watch_id)
    shown_now = {"last_shown": int(time.time())}
    place.change_ads({"action": "alter", "ad_creative_id": WITH_COPY, "row": shown_now})
    await place.check(watch_id)
    (stored,) = await details(place)
    assert stored.ad_creative_id == row["ad_creative_id"]
    assert stored.headline == "Savage X Fenty"
    assert stored.snippet.startswith("Our Back To Campus Sale is here!")
    assert len(stored.variations) == 4
    regions = {
        one.region: (one.first_shown, one.last_shown, one.times_shown)
        for one in await place.rows("SELECT * FROM creative_region")
    }
    first, last, times = regions["2276"]  # as days, which is how the recorded ones come
    assert (first.isoformat(), last.isoformat(), times) == (
        "2025-10-06",
        "2026-07-29",
        "1000 - 2000",
    )


async def test_dates_as_seconds_are_read_as_well(place: Place) -> None:
    watch_id = await with_news(place, 1, details_per_sweep=1)
    await place.check(watch_id)
    (stored,) = await details(place)
    assert stored.landing_url.startswith("https://sandbox-1.example/")
    assert stored.call_to_action
    (region,) = await place.rows("SELECT * FROM creative_region")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert (region.region, region.last_shown.isoformat()) == ("2840", today)


async def test_details_count_in_the_watchs_budget(place: Place) -> None:
    watch_id = await with_news(place, 5, details_per_sweep=5, monthly_budget=4)
    summary = await place.check(watch_id)  # one search for the baseline, one now
    assert summary.details is not None
    assert summary.details.found == 2
    assert (await place.check(watch_id)).coverage == "none"


async def test_a_second_watch_does_not_pay_for_the_same_details(place: Place) -> None:
    one = await with_news(place, 2, details_per_sweep=5)
    place.change_ads()
    two = await place.add(name="two", advertiser_ids=[f"AR9{1:019d}"], details_per_sweep=5)
    await place.check(two)
    place.change_ads(launched(0), launched(1))
    first, second = await place.check(one), await place.check(two)
    assert (first.events.new, second.events.new) == (2, 2)
    assert first.details is not None
    assert second.details is not None
    assert (first.details.found, second.details.found) == (2, 0)


async def test_an_ad_without_details_is_asked_for_once(place: Place) -> None:
    watch_id = await with_news(place, 1, details_per_sweep=1)
    await place.check(watch_id, gate_that_lets_through(1))
    place.change_ads()  # gone again, so that nothing is known of it
    summary = await place.check(watch_id)
    assert summary.details is not None
    assert (summary.details.refused, summary.coverage) == (1, "complete")
    again = await place.check(watch_id)
    assert again.details is not None
    assert again.details.refused == 0
    (stored,) = await details(place)
    assert "has no details" in stored.error


FOUND = {
    "search_metadata": {"id": "d1", "status": "Success"},
    "search_information": {"regions": []},
    "ad_creatives": [{"headline": "Hi"}],
}


async def look_up_twice(place: Place, error: str) -> tuple[DetailsSummary, DetailsSummary]:
    """Look up one ad by an answer with this error, and again by one with details."""
    watch_id = await with_news(place, 1, details_per_sweep=1)
    await place.check(watch_id, gate_that_lets_through(1))
    answers = iter(({"error": error}, FOUND))
    async with (
        client(lambda _: httpx.Response(200, json=next(answers))) as serpapi,
        place.database.locks() as locks,
    ):
        one, two = (LookUp(place.database, serpapi, locks, watch_id, no_gate) for _ in range(2))
        return await one.look_up_news(1), await two.look_up_news(1)


@pytest.mark.parametrize(
    "error",
    [
        "Your account has run out of searches.",
        "Google Ads Transparency Center is temporarily unavailable.",
        "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key",
    ],
)
async def test_an_error_that_says_nothing_of_the_ad_is_told_and_the_ad_looked_up_later(
    place: Place, error: str
) -> None:
    first, second = await look_up_twice(place, error)
    assert (first.refused, first.waiting, first.problem) == (0, 1, f"SerpApi: {error}")
    assert (second.found, second.waiting, second.problem) == (1, 0, None)
    (stored,) = await details(place)
    assert (stored.headline, stored.error) == ("Hi", None)


@pytest.mark.parametrize(
    "error",
    [
        "Google Ads Transparency Center Ad Details hasn't returned any results for this query.",
        "Failed to retrieve data.",
    ],
)
async def test_that_an_ad_has_no_details_is_believed_in_the_words_for_it_only(
    place: Place, error: str
) -> None:
    first, second = await look_up_twice(place, error)
    assert (first.refused, first.waiting, first.problem) == (1, 0, None)
    assert (second.found, second.refused) == (0, 0)


async def test_a_search_whose_answer_holds_no_details_counts_each_time_it_is_billed(
    place: Place,
) -> None:
    watch_id = await with_news(place, 1, details_per_sweep=1)
    await place.check(watch_id, gate_that_lets_through(1))
    made = {"id": "d1", "status": "Success", "created_at": "2026-11-28 03:00:00 UTC"}
    minutes = iter(("00", "20", "00"))  # since the search was made

    def answer(_: httpx.Request) -> httpx.Response:
        date = f"Sat, 28 Nov 2026 03:{next(minutes)}:00 GMT"
        return httpx.Response(200, json={"search_metadata": made}, headers={"date": date})

    counts = []
    async with client(answer) as serpapi, place.database.locks() as locks:
        for _ in range(3):
            look_up = LookUp(place.database, serpapi, locks, watch_id, no_gate)
            summary = await look_up.look_up_news(1)
            counts.append((summary.searches_billed, summary.searches_cached, summary.given_up))
    assert counts == [(1, 0, 0), (0, 1, 0), (1, 0, 1)]
    async with place.database.session() as session:
        (cost,) = await read_watch_costs(session, watch_ids=[watch_id])
    assert (cost.billed, cost.cached) == (4, 1)  # and a fetch of each of two checks


async def test_a_failure_is_said_fails_no_watch_and_is_made_good_later(place: Place) -> None:
    watch_id = await with_news(place, 2, details_per_sweep=2)
    place.switch_on({"kind": "server_error_500", "after": 1})
    summary = await place.check(watch_id)
    assert summary.details is not None
    assert (summary.coverage, summary.events.new, summary.details.found) == ("complete", 2, 0)
    assert "HTTP 500" in (summary.details.problem or "")
    assert "HTTP 500" in summary.headline
    place.switch_on()
    again = await place.check(watch_id)
    assert again.details is not None
    assert again.details.found == 2


@pytest.mark.parametrize("refusal", ["gate", "quota_429", "throughput_429"])
async def test_a_look_up_that_is_refused_before_it_is_made_is_no_attempt(
    place: Place, refusal: str
) -> None:
    watch_id = await with_news(place, 2, details_per_sweep=2)
    for number in range(5):
        if refusal == "gate":
            summary = await place.check(watch_id, gate_that_lets_through(1))
        else:
            place.switch_on({"kind": refusal, "after": 1})
            summary = await place.check(watch_id)
        assert summary.coverage == "complete", number
        assert summary.details is not None
        assert (summary.details.found, summary.details.waiting) == (0, 2)
        assert "details of 0, 2 wait (" in summary.headline
    place.switch_on()
    last = await place.check(watch_id)
    assert last.details is not None
    assert (last.details.found, last.details.waiting) == (2, 0)


async def test_a_budget_that_is_spent_is_no_attempt_and_is_named(place: Place) -> None:
    watch_id = await with_news(place, 2, details_per_sweep=2, monthly_budget=2)
    summary = await place.check(watch_id)
    assert "details of 0, 2 wait (the month's budget is spent)" in summary.headline
    await place.change("UPDATE watch SET monthly_budget = 9")
    again = await place.check(watch_id)
    assert again.details is not None
    assert again.details.found == 2
    assert "budget" not in (await place.check(watch_id)).headline


async def test_after_three_failures_a_look_up_is_given_up_and_that_is_said(place: Place) -> None:
    watch_id = await with_news(place, 1, details_per_sweep=1)
    told = []
    for _ in range(4):
        place.switch_on({"kind": "cut_json", "after": 1})
        summary = await place.check(watch_id)
        assert summary.details is not None
        told.append((summary.details.waiting, summary.details.given_up))
    assert told == [(1, 0), (1, 0), (0, 1), (0, 0)]
    (stored,) = await details(place)
    assert (stored.attempts, stored.answered_at) == (3, None)
    assert "is not the JSON" in stored.error


async def test_an_outage_takes_no_attempt_however_long_it_lasts(place: Place) -> None:
    watch_id = await with_news(place, 2, details_per_sweep=2)
    for _ in range(5):
        place.switch_on({"kind": "server_error_500", "after": 1})
        summary = await place.check(watch_id)
        assert summary.details is not None
        assert (summary.details.waiting, summary.details.given_up) == (2, 0)
        assert "HTTP 500" in (summary.details.problem or "")
    place.switch_on()
    last = await place.check(watch_id)
    assert last.details is not None
    assert (last.details.found, last.details.waiting) == (2, 0)


async def test_an_address_that_nobody_answers_at_is_no_attempt(place: Place) -> None:
    watch_id = await with_news(place, 1, details_per_sweep=1)
    await place.check(watch_id, gate_that_lets_through(1))
    with serve(SandboxSettings()) as url:
        pass  # gone, and its port with it
    async with SerpApiClient(KEY, base_url=url) as client:
        for _ in range(4):
            async with place.database.locks() as locks:
                look_up = LookUp(place.database, client, locks, watch_id, no_gate)
                summary = await look_up.look_up_news(1)
            assert (summary.waiting, summary.given_up) == (1, 0)
            assert "cannot be reached" in (summary.problem or "")


async def test_an_unforeseen_error_of_a_look_up_leaves_the_watch_looked_at(place: Place) -> None:
    asked = 0

    async def broken() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise RuntimeError("odd")

    watch_id = await with_news(place, 1, details_per_sweep=1)
    summary = await place.check(watch_id, broken)
    assert (summary.coverage, summary.events.new) == ("complete", 1)
    assert "1 wait (unforeseen RuntimeError: odd" in summary.headline
    assert (await place.watch(watch_id)).coverage == "complete"


async def test_a_lost_answer_is_counted_for_who_gets_it_when_it_is_asked_for_again(
    place: Place,
) -> None:
    other = await with_news(place, 1, name="other", details_per_sweep=1)
    place.switch_on({"kind": "server_error_500", "after": 1})
    await place.check(other)
    place.switch_on()
    await place.change("UPDATE creative_detail SET asked_at = asked_at - interval '1 month'")
    mine = await place.add(advertiser_ids=[f"AR9{1:019d}"], details_per_sweep=1)
    await place.change(
        f"INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash) "
        f"SELECT {mine}, ad_creative_id, 'new', '' FROM creative_event WHERE kind = 'new'"
    )
    await place.check(mine)
    async with place.database.session() as session:
        costs = {one.watch_id: one.billed for one in (await read_budget(session)).watches}
    assert costs == {other: 2, mine: 2}


async def test_a_sweep_says_what_was_looked_up_and_what_could_not_be(place: Place) -> None:
    await with_news(place, 3, details_per_sweep=2)
    await place.make_due()
    first = await place.sweep(SweepGate(searches=2, shortage="only 2 searches left"))
    assert (first.details, first.details_waiting) == (1, 2)
    assert "details of 1, 2 wait (1 × no searches left (only 2 searches left))" in first.headline
    await place.make_due()
    (began,) = await place.rows("SELECT now() AS at")
    second = await place.sweep()
    assert "details of 2. " in second.headline
    async with place.database.session() as session:
        gathered = await summarise_sweep(session, watch_ids=[1], since=began.at)
    assert (gathered.details, gathered.details_waiting) == (2, 0)
    await place.change("DELETE FROM creative_detail")
    async with place.database.session() as session:
        gathered = await summarise_sweep(session, watch_ids=[1], since=began.at)
    assert "details of 0, 3 wait" in gathered.headline


def gate_that_lets_through(number: int) -> Any:  # noqa: ANN401
    """A gate that refuses every search after so many."""
    from adspark.errors import PostponedError  # noqa: PLC0415

    passed = 0

    async def gate() -> None:
        nonlocal passed
        passed += 1
        if passed > number:
            raise PostponedError("not now")

    return gate
