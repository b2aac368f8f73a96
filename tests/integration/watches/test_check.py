"""Checking a watch: what is new is told once, and silence says whether it can be trusted."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from adspark.db.engine import Database
from adspark.errors import (
    BusyError,
    PostponedError,
    QuotaExhaustedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UnknownWatchError,
)
from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.sandbox.serpapi.query import Query
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.watches.simulation.month import due_after
from adspark.watches.store import change_watch
from tests.support.factories import ADVERTISER_ID
from tests.support.watching import BLOCKED, Died, Place

DAY = 86_400
GENERATED = f"AR9{1:019d}"
RECORDED = tuple(one.id for one in RecordedCatalogue().advertisers(100))
PICTURED = {
    "image": "https://tpc.googlesyndication.com/archive/simgad/2",
    "link": "https://displayads-formats.googleusercontent.com/ads/preview/content.js?client=1",
}
NEW_PICTURE = "https://tpc.googlesyndication.com/archive/simgad/1"


@pytest.fixture(scope="module")
def never_cached() -> Iterator[str]:
    """A sandbox whose every search is a fresh one, with a generated advertiser of four pages."""
    settings = SandboxSettings(cached_for=0, generated_advertisers=1, creatives_per_advertiser=350)
    with serve(settings) as url:
        yield url


@pytest.fixture
def place(database: Database, never_cached: str) -> Iterator[Place]:
    """A database of the test's own, and the sandbox as it was at first."""
    made = Place(database, never_cached)
    yield made
    made.change_ads()
    made.switch_on()


def launched(number: int, advertiser_id: str = GENERATED, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """An ad that was first shown just now."""
    now = int(time.time())
    row = {
        "advertiser_id": advertiser_id,
        "advertiser": "Sandbox Advertiser 1",
        "ad_creative_id": f"CR{number:020d}",
        "format": "text",
        "image": f"https://example.com/{number}.png",
        "first_shown": now,
        "last_shown": now,
    }
    return {"action": "add", "row": row | changes}


def altered(ad: dict[str, Any], **row: Any) -> dict[str, Any]:  # noqa: ANN401
    """The ad with other values."""
    return {"action": "alter", "ad_creative_id": ad["ad_creative_id"], "row": row}


def removed(ad: dict[str, Any]) -> dict[str, Any]:
    """The ad gone."""
    return {"action": "remove", "ad_creative_id": ad["ad_creative_id"]}


async def test_the_first_check_is_the_baseline_and_alerts_nobody(place: Place) -> None:
    watch_id = await place.add()
    summary = await place.check(watch_id)
    assert (summary.events.baseline, summary.events.news) == (40, 0)
    assert (summary.coverage, summary.stop_reason, summary.problem) == ("complete", "end", None)
    assert await place.rows("SELECT 1 FROM creative_event WHERE notified_at IS NULL") == []
    watch = await place.watch(watch_id)
    assert watch.baseline_at == watch.complete_at
    assert (watch.coverage, watch.has_gaps) == ("complete", False)


async def test_a_second_check_without_news_says_so_and_that_it_has_looked(place: Place) -> None:
    watch_id = await place.add()
    await place.check(watch_id)
    summary = await place.check(watch_id)
    assert (summary.events.baseline, summary.events.news, summary.coverage) == (0, 0, "complete")
    assert summary.headline.startswith("nothing new; coverage complete")
    summary.searches_billed, summary.searches_cached = 0, 1
    assert "1 cached, which show what there was up to an hour ago;" in summary.headline


@pytest.mark.parametrize(
    ("interval", "late", "wait"),
    [
        pytest.param(90, 0, 90, id="in time"),
        pytest.param(90, 10, 80, id="late by the sweep: its time of day stays"),
        pytest.param(1440, 29, 1411, id="once a day"),
        pytest.param(1440, 600, 1410, id="later than a sweep: from its check on"),
        pytest.param(60, 10, 60, id="within the hour SerpApi has no news"),
        pytest.param(30, 10, 30, id="every half hour"),
        pytest.param(90, -30, 90, id="by hand, before it was due"),
    ],
)
async def test_a_checked_watch_is_due_again_an_interval_after_it_was_due(
    place: Place, interval: int, late: int, wait: int
) -> None:
    watch_id = await place.add(interval_minutes=interval)
    await place.change(f"UPDATE watch SET due_at = now() - interval '{late} minutes'")
    await place.check(watch_id)
    (row,) = await place.rows("SELECT due_at - checked_at AS wait FROM watch")
    assert round(row.wait.total_seconds() / 60) == wait
    assert due_after(min(0, -late), 0, interval) == wait


async def test_after_removing_adding_and_altering_ads_there_are_exactly_those_events(
    place: Place,
) -> None:
    ads = place.ads()
    later, gone, changed, kept = ads[0], ads[3], ads[7], ads[9]
    place.change_ads(removed(later))
    watch_id = await place.add()
    assert (await place.check(watch_id)).events.baseline == 39

    place.change_ads(
        removed(gone),
        altered(changed, image=NEW_PICTURE),
        altered(kept, last_shown=kept["last_shown"] + DAY, total_days_shown=900),
        altered(later, last_shown=int(time.time())),
        launched(5, ADVERTISER_ID),
    )
    summary = await place.check(watch_id)
    assert await place.events(watch_id) == {
        ("new", later["ad_creative_id"]): 1,  # it was shown before, but is new to the watch
        ("new", f"CR{5:020d}"): 1,
        ("changed", changed["ad_creative_id"]): 1,
    }
    assert str(summary.events) == "2 new, 1 changed"
    assert (await place.check(watch_id)).events.news == 0


async def test_an_ad_that_changes_back_has_changed_twice(place: Place) -> None:
    watch_id = await place.add()
    ad = place.ads()[0]
    await place.check(watch_id)
    place.change_ads(altered(ad, image=NEW_PICTURE))
    await place.check(watch_id)
    place.change_ads()
    await place.check(watch_id)
    assert await place.events(watch_id) == {("changed", ad["ad_creative_id"]): 2}


async def test_a_picture_that_was_not_told_at_first_is_no_change(place: Place) -> None:
    ad = place.ads()[0]
    place.change_ads(altered(ad, image=None, width=None, height=None))
    watch_id = await place.add()
    await place.check(watch_id)
    place.change_ads()
    await place.check(watch_id)
    assert await place.events(watch_id) == {}


async def test_each_of_two_watches_is_told_of_the_same_ad(place: Place) -> None:
    one, two = await place.add(), await place.add(name="another", region="2840")
    ad = place.ads()[0]
    await place.check(one)
    await place.check(two)
    place.change_ads(altered(ad, image=NEW_PICTURE))
    await place.check(one)
    await place.check(two)
    changed = ("changed", ad["ad_creative_id"])
    assert await place.events(one) == await place.events(two) == {changed: 1}


async def test_ads_that_move_between_pages_make_no_events(place: Place) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED], max_pages=20)
    await place.check(watch_id)
    place.switch_on({"kind": "duplicates"})
    await place.change("UPDATE watch SET complete_at = NULL")  # so that every page is looked at
    summary = await place.check(watch_id)
    assert summary.pages > 4
    assert (summary.events.news, summary.coverage) == (0, "complete")


async def test_an_ad_has_ended_once_it_was_not_shown_for_so_many_days(place: Place) -> None:
    now = int(time.time())
    ads = place.ads()
    fresh = [altered(ad, last_shown=now - 6 * DAY) for ad in ads]
    place.change_ads(*fresh)
    watch_id = await place.add(ended_after_days=7)
    await place.check(watch_id)
    await place.change("UPDATE watch_creative SET last_shown = last_shown - interval '2 days'")
    place.change_ads(*[altered(ad, last_shown=now - DAY) for ad in ads[:-2]],
                     altered(ads[-2], last_shown=now - 8 * DAY), removed(ads[-1]))  # fmt: skip
    ended = {("ended", ad["ad_creative_id"]): 1 for ad in ads[-2:]}
    assert (await place.check(watch_id)).events.ended == 2
    assert await place.events(watch_id) == ended
    assert (await place.check(watch_id)).events.news == 0

    place.change_ads(altered(ads[-2], last_shown=now))
    assert (await place.check(watch_id)).events.reactivated == 1
    assert await place.events(watch_id) == ended | {("reactivated", ads[-2]["ad_creative_id"]): 1}
    assert (await place.check(watch_id)).events.news == 0


async def test_ads_that_had_ended_before_the_baseline_are_no_news(place: Place) -> None:
    watch_id = await place.add()
    await place.check(watch_id)  # the recorded ads were last shown months ago
    await place.check(watch_id)
    assert await place.events(watch_id) == {}


async def test_a_later_check_goes_back_to_the_watermark_and_no_further(place: Place) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED], max_pages=10)
    first = await place.check(watch_id)
    assert (first.pages, first.stop_reason) == (4, "end")
    (deep,) = await place.rows("SELECT last_shown FROM creative ORDER BY 1 DESC OFFSET 150 LIMIT 1")
    await place.change(
        f"UPDATE watch SET complete_at = '{deep.last_shown.isoformat()}'::timestamptz + '2 days'"
    )
    second = await place.check(watch_id)
    assert (second.pages, second.stop_reason, second.coverage) == (2, "watermark", "complete")
    third = await place.check(watch_id)
    assert (third.pages, third.stop_reason) == (1, "watermark")


async def test_a_check_that_a_wrong_clock_dated_in_the_future_is_no_bound(place: Place) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED])
    await place.check(watch_id)
    await place.change("UPDATE watch SET complete_at = now() + interval '9 days'")
    summary = await place.check(watch_id)
    assert (summary.stop_reason, summary.pages) == ("end", 4)


async def test_an_ad_that_the_source_tells_of_two_days_late_is_still_found(place: Place) -> None:
    looked = int(time.time()) - 3 * DAY
    # A full page down to a day before the last look, of ads that were known then.
    known = [launched(one, ADVERTISER_ID, first_shown=looked - 9 * DAY) for one in range(100)]
    for place_in_list, ad in enumerate(known):
        ad["row"]["last_shown"] = looked - DAY * place_in_list // 99
    place.change_ads(*known)
    watch_id = await place.add()
    await place.check(watch_id)
    await place.change(f"UPDATE watch SET complete_at = to_timestamp({looked})")
    late = looked - DAY * 3 // 2
    place.change_ads(*known, launched(777, ADVERTISER_ID, first_shown=late, last_shown=late))
    assert (await place.check(watch_id)).pages == 2
    assert await place.events(watch_id) == {("new", f"CR{777:020d}"): 1}


async def test_where_the_page_bound_cuts_off_it_is_said_and_only_launches_are_news(
    place: Place,
) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED], max_pages=2)
    first = await place.check(watch_id)
    assert (first.coverage, first.stop_reason, first.events.baseline) == (
        "partial", "page_limit", 200,
    )  # fmt: skip
    assert "max_pages = 2" in (first.problem or "")
    assert (await place.watch(watch_id)).has_gaps

    hidden = await place.rows("SELECT ad_creative_id FROM creative")
    old = {"ad_creative_id": f"CR9{1:07d}{340:012d}"}  # on the fourth page, so never seen
    assert (old["ad_creative_id"],) not in hidden
    now = int(time.time())
    place.change_ads(altered(old, last_shown=now), launched(7, first_shown=now + 60))
    await place.check(watch_id)
    assert await place.events(watch_id) == {("new", f"CR{7:020d}"): 1}
    await place.change("UPDATE watch SET complete_at = NULL, max_pages = 10")
    whole = await place.check(watch_id)
    assert (whole.coverage, whole.events.news) == ("complete", 0)
    assert not (await place.watch(watch_id)).has_gaps


async def test_rows_that_cannot_be_read_are_said_and_are_no_news_later(place: Place) -> None:
    place.switch_on({"kind": "broken_rows", "times": 3})
    watch_id = await place.add()
    first = await place.check(watch_id)
    assert (first.coverage, first.events.baseline) == ("partial", 28)
    assert "12 ads could not be read" in (first.problem or "")
    second = await place.check(watch_id)
    assert (second.events.baseline, second.events.news, second.coverage) == (12, 0, "complete")


async def test_an_ad_that_could_not_be_read_is_not_said_to_have_ended(place: Place) -> None:
    ads = place.ads()
    now = int(time.time())
    place.change_ads(*[altered(ad, last_shown=now - 6 * DAY) for ad in ads])
    watch_id = await place.add()
    await place.check(watch_id)
    await place.change("UPDATE watch_creative SET last_shown = last_shown - interval '2 days'")
    place.change_ads(*[altered(ad, last_shown=now) for ad in ads])
    place.switch_on({"kind": "broken_rows", "times": 3})
    await place.check(watch_id)
    assert (await place.events(watch_id)).total() == 0
    place.switch_on()
    assert (await place.check(watch_id)).events.news == 0


async def test_a_row_whose_id_is_never_readable_does_not_keep_other_ads_from_ending(
    place: Place,
) -> None:
    ads = place.ads()
    old = int(time.time()) - 6 * DAY
    place.change_ads(*[altered(ad, last_shown=old) for ad in ads])
    place.switch_on({"kind": "broken_rows"})
    watch_id = await place.add()
    readable = (await place.check(watch_id)).events.baseline
    assert 0 < readable < len(ads)
    await place.change("UPDATE watch SET ended_after_days = 5")
    await place.change("UPDATE rejected_row SET created_at = created_at - interval '1 day'")
    (row,) = await place.rows(
        "SELECT count(*) AS undated FROM watch_creative WHERE last_shown IS NULL"
    )
    assert (await place.check(watch_id)).events.ended == readable - row.undated


@pytest.mark.parametrize("medium", ["image", "link"])
async def test_a_medium_that_an_answer_leaves_out_is_no_change(place: Place, medium: str) -> None:
    ads = place.ads()
    both = [altered(ad, **PICTURED) for ad in ads]
    without = [altered(ad, **PICTURED | {medium: None}) for ad in ads]
    place.change_ads(*without)
    watch_id = await place.add()
    await place.check(watch_id)
    for answer in (both, without, both):
        place.change_ads(*answer)
        summary = await place.check(watch_id)
        assert (summary.events.news, summary.coverage) == (0, "complete")
    place.change_ads(*[altered(ad, **PICTURED | {medium: NEW_PICTURE}) for ad in ads])
    assert (await place.check(watch_id)).events.changed == len(ads)


async def test_pages_that_break_off_are_not_taken_for_the_end(place: Place) -> None:
    place.switch_on({"kind": "empty_page_with_token", "after": 2})
    watch_id = await place.add(advertiser_ids=[GENERATED])
    summary = await place.check(watch_id)
    assert (summary.coverage, summary.events.baseline) == ("partial", 200)
    assert "broke off" in (summary.problem or "")
    place.switch_on()
    await place.change("UPDATE watch SET complete_at = NULL")
    assert (await place.check(watch_id)).events.news == 0


async def test_a_budget_stops_the_pages_and_then_the_watch_until_it_is_raised(
    place: Place,
) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED], monthly_budget=3)
    first = await place.check(watch_id)
    assert (first.searches_billed, first.stop_reason, first.coverage) == (3, "budget", "partial")
    before = place.stats["requests"]
    second = await place.check(watch_id)
    assert (second.coverage, second.events.news, second.searches_billed) == ("none", 0, 0)
    assert "budget of 3 searches is spent" in (second.problem or "")
    assert second.headline.startswith("not looked at: the month's budget")
    assert place.stats["requests"] == before
    (row,) = await place.rows(
        "SELECT due_at = date_trunc('month', now(), 'UTC') + interval '1 month' AS waits FROM watch"
    )
    assert row.waits
    await place.change("UPDATE watch SET monthly_budget = 10")
    assert (await place.check(watch_id)).coverage == "complete"


async def test_a_watch_without_any_budget_does_not_wait_for_a_month(place: Place) -> None:
    watch_id = await place.add(monthly_budget=0)
    before = await place.watch(watch_id)
    summary = await place.check(watch_id)
    assert await place.watch(watch_id) == before
    assert (summary.is_out_of_budget, summary.problem) == (
        False,
        "its budget is 0, so that it is never checked; give it a larger one, or pause it",
    )


async def test_a_check_that_died_has_what_is_left_of_its_budget_when_it_goes_on(
    place: Place,
) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED], monthly_budget=4)
    with pytest.raises(Died):
        await place.check(watch_id, die_at_search(3))
    summary = await place.check(watch_id)
    assert (summary.resumed, summary.stop_reason, summary.pages) == (True, "end", 4)
    assert (summary.coverage, summary.searches_billed) == ("complete", 4)


async def test_a_check_that_died_does_not_go_beyond_its_budget(place: Place) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED], monthly_budget=3)
    with pytest.raises(Died):
        await place.check(watch_id, die_at_search(2))
    summary = await place.check(watch_id)
    assert (summary.resumed, summary.stop_reason, summary.searches_billed) == (True, "budget", 3)


async def test_what_was_paid_before_a_resume_is_taken_from_the_budget_once(place: Place) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED], monthly_budget=8, details_per_sweep=3)
    await place.change("UPDATE watch SET baseline_at = '2001-01-01', complete_at = '2001-01-01'")
    with pytest.raises(Died):
        await place.check(watch_id, die_at_search(4))
    summary = await place.check(watch_id)
    assert (summary.resumed, summary.pages) == (True, 4)
    assert summary.details is not None
    assert (summary.details.found, summary.details.problem) == (3, None)  # 8 - 4 allow four


async def test_last_months_searches_are_not_held_against_a_budget(place: Place) -> None:
    watch_id = await place.add(monthly_budget=1)
    await place.check(watch_id)
    await place.change("UPDATE \"fetch\" SET started_at = started_at - interval '1 month'")
    assert (await place.check(watch_id)).coverage == "complete"


def die_at_search(number: int) -> Any:  # noqa: ANN401
    """A gate that kills the check at its n-th search."""
    asked = 0

    async def gate() -> None:
        nonlocal asked
        asked += 1
        if asked == number:
            raise Died

    return gate


@pytest.mark.parametrize("dies_at", [1, 2, 3, 4])
async def test_a_check_that_died_is_completed_for_the_same_price_and_the_same_events(
    place: Place, dies_at: int
) -> None:
    watch_id = await place.add(advertiser_ids=[GENERATED])
    await place.check(watch_id)
    await place.change("UPDATE watch SET complete_at = NULL")
    changes = [launched(1), launched(2, last_shown=1_770_000_000)]
    ad = {"ad_creative_id": f"CR9{1:07d}{120:012d}"}
    place.change_ads(*changes, altered(ad, image=NEW_PICTURE, link=None))
    billed = place.stats["billed"]
    with pytest.raises(Died):
        await place.check(watch_id, die_at_search(dies_at))
    summary = await place.check(watch_id)
    assert (summary.pages, summary.resumed) == (4, dies_at > 1)
    assert place.stats["billed"] - billed == summary.searches_billed == 4
    assert await place.events(watch_id) == {
        ("new", f"CR{1:020d}"): 1,
        ("new", f"CR{2:020d}"): 1,
        ("changed", ad["ad_creative_id"]): 1,
    }


async def test_a_fetch_by_hand_that_died_is_not_taken_up_by_a_watch(place: Place) -> None:
    from adspark.creatives.fetch import fetch_query  # noqa: PLC0415
    from tests.support.factories import query  # noqa: PLC0415

    async with place.checker() as checker:
        with pytest.raises(Died):
            await fetch_query(
                place.database, checker.client, query(advertiser_ids=GENERATED), max_pages=9,
                before_search=die_at_search(3),
            )  # fmt: skip
    watch_id = await place.add(advertiser_ids=[GENERATED])
    assert (await place.check(watch_id)).events.baseline == 350


async def test_an_unknown_and_a_paused_watch_are_clear_errors(place: Place) -> None:
    with pytest.raises(UnknownWatchError, match=r"no watch 77; .* adspark watch list"):
        await place.check(77)
    watch_id = await place.add(is_active=False)
    with pytest.raises(UnknownWatchError, match=r"\(a watch\) is paused; adspark watch resume"):
        await place.check(watch_id)


async def test_a_watch_that_is_being_processed_is_a_clear_error(place: Place) -> None:
    watch_id = await place.add()
    place.switch_on({"kind": "latency", "seconds": 0.5})
    first = asyncio.create_task(place.check(watch_id))
    while not await place.rows('SELECT 1 FROM "fetch"'):
        await asyncio.sleep(0.02)
    with pytest.raises(BusyError, match=r"\(a watch\) is being processed"):
        await place.check(watch_id)
    assert (await first).events.baseline == 40


async def test_a_watch_that_is_changed_meanwhile_gets_no_events_of_its_old_search(
    place: Place,
) -> None:
    watch_id = await place.add()
    place.switch_on({"kind": "latency", "seconds": 0.5})
    first = asyncio.create_task(place.check(watch_id))
    while not await place.rows('SELECT 1 FROM "fetch"'):
        await asyncio.sleep(0.02)
    await place.change("UPDATE watch SET text = 'tesla.com', updated_at = clock_timestamp()")
    with pytest.raises(BusyError, match="was changed while it was processed"):
        await first
    assert await place.events(watch_id, baseline=True) == {}
    assert (await place.watch(watch_id)).baseline_at is None


async def test_a_budget_that_is_raised_while_its_end_is_found_leaves_the_watch_due(
    place: Place,
) -> None:
    watch_id = await place.add(monthly_budget=1)
    await place.check(watch_id)
    await place.make_due()
    async with place.database.session() as session:
        await change_watch(session, watch_id=watch_id, changes={"monthly_budget": 100})
        check = asyncio.create_task(place.check(watch_id))
        while not await place.rows(BLOCKED):
            await asyncio.sleep(0.01)
        await session.commit()
    with pytest.raises(BusyError, match="was changed while it was processed; it is due again"):
        await check
    assert (await place.sweep()).checked == 1


async def test_a_search_that_is_mended_while_it_is_refused_leaves_the_watch_due(
    place: Place,
) -> None:
    watch_id = await place.add(region="9999")  # that is no region

    async def mend() -> None:
        async with place.database.transaction() as session:
            await change_watch(session, watch_id=watch_id, changes={"region": "US"})

    with pytest.raises(ServiceRefusedError):
        await place.check(watch_id, mend)
    assert (await place.watch(watch_id)).coverage is None
    assert (await place.sweep()).checked == 1


async def test_a_failure_is_on_the_watch_and_leaves_it_due(place: Place) -> None:
    watch_id = await place.add()
    place.switch_on({"kind": "server_error_500"})
    with pytest.raises(ServiceUnavailableError):
        await place.check(watch_id)
    watch = await place.watch(watch_id)
    assert (watch.coverage, watch.problem) == ("none", "SerpApi failed on its side (HTTP 500).")
    assert watch.due_at <= watch.checked_at
    place.switch_on()
    assert (await place.check(watch_id)).events.baseline == 40
    assert (await place.watch(watch_id)).problem is None


async def test_what_cannot_pass_by_itself_waits_its_turn(place: Place) -> None:
    watch_id = await place.add()
    with pytest.raises(ServiceRefusedError):
        await Place(place.database, place.url + "/nowhere?").check(watch_id)
    watch = await place.watch(watch_id)
    assert watch.due_at > watch.checked_at


async def test_an_empty_account_is_not_the_watchs_fault_so_it_stays_due(place: Place) -> None:
    watch_id = await place.add()
    place.switch_on({"kind": "quota_429"})
    with pytest.raises(QuotaExhaustedError):
        await place.check(watch_id)
    watch = await place.watch(watch_id)
    assert watch.due_at <= watch.checked_at


async def test_what_was_postponed_is_not_noted_as_a_failure(place: Place) -> None:
    async def closed() -> None:
        raise PostponedError("not now")

    watch_id = await place.add()
    with pytest.raises(PostponedError):
        await place.check(watch_id, closed)
    assert (await place.watch(watch_id)).problem is None


async def test_held_against_all_recorded_advertisers_only_what_was_done_to_their_ads_is_news(
    place: Place,
) -> None:
    recorded: dict[str, list[dict[str, Any]]] = {}
    for row in RecordedCatalogue().select(Query(advertiser_ids=RECORDED)).rows(0):
        recorded.setdefault(str(row["advertiser_id"]), []).append(row)
    watches = {one: await place.add(name=one, advertiser_ids=[one]) for one in recorded}
    later = {one: rows[0] for one, rows in recorded.items() if len(rows) > 3}
    place.change_ads(*map(removed, later.values()))
    first = await place.sweep()
    assert (first.checked, first.partial, first.failed) == (len(watches), 0, 0)
    assert first.events.baseline == sum(map(len, recorded.values())) - len(later)
    await place.make_due()
    second = await place.sweep()
    assert (second.checked, str(second.events)) == (len(watches), "nothing new")

    gone = {one: rows[1] for one, rows in recorded.items() if len(rows) > 3}
    # Of some videos no picture was recorded; to learn of one is no change.
    shown = {one: [row for row in rows if "image" in row] for one, rows in recorded.items()}
    changed = {one: rows[-1] for one, rows in shown.items() if len(rows) > 3}
    assert (len(RECORDED), len(later), len(gone)) == (12, 10, 10)
    assert len(changed) > 5
    place.change_ads(
        *map(removed, gone.values()),
        *(altered(row, image=NEW_PICTURE, link=None) for row in changed.values()),
    )
    await place.make_due()
    await place.sweep()
    # What was hidden at first was shown last months ago, and so is no launch.
    expected = {(watches[one], "changed", row["ad_creative_id"]): 1 for one, row in changed.items()}
    assert await place.events() == expected
    await place.make_due()
    await place.sweep()
    assert await place.events() == expected
