"""Details of new ads: opt-in, bounded, paid once, and never a reason for a watch to fail."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from adspark.database import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from tests.watching import Place

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
