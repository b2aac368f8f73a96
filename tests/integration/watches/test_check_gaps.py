"""Checks of odd answers: what was not seen is not called looked at, and nothing false is told."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adspark.creatives.ledger import resume_or_create_fetch
from adspark.db.engine import Database
from adspark.errors import ServiceUnavailableError, SupersededError
from adspark.models import Watch
from adspark.watches.check import WatchSummary
from adspark.watches.definition import definition_of
from tests.support.factories import creative_row
from tests.support.stand_in import Row, StandIn
from tests.support.watching import StandInPlace

DAY = 86_400
NOW = int(time.time())


def ads(first: int, last: int, *, newest: int = NOW, **changes: Any) -> list[Row]:  # noqa: ANN401
    """Ads number `first` to `last`, the newest first, a minute apart, and begun long ago."""
    return [
        creative_row(
            number, **({"last_shown": newest - 60 * number, "first_shown": 1_700_000_000} | changes)
        )
        for number in range(first, last + 1)
    ]


class Odd(StandInPlace):
    """A place, what is listed in it, and checks an hour apart."""

    async def next_check(self, watch_id: int) -> WatchSummary:
        """A check after the cache has gone."""
        self.service.let_an_hour_pass()
        return await self.check(watch_id)

    def lay_out(self, *pages: list[Row]) -> None:
        self.service.pages = list(pages)


@pytest.fixture
def place(database: Database) -> Odd:
    """250 ads that run, on three pages."""
    service = StandIn(ads(1, 100), ads(101, 200), ads(201, 250))
    return Odd(database, "", service=service)


async def test_running_ads_that_are_not_listed_any_more_make_a_look_partial(place: Odd) -> None:
    watch_id = await place.add()
    await place.check(watch_id)
    before = await place.watch(watch_id)
    await place.change("UPDATE watch_creative SET last_shown = last_shown - interval '30 days'")
    place.service.empty = {0}
    blind = await place.next_check(watch_id)
    assert (blind.coverage, blind.events.ended, blind.events.news) == ("partial", 0, 0)
    assert "SerpApi lists no ads at all, though 250 were running" in (blind.problem or "")
    watch = await place.watch(watch_id)
    assert (watch.complete_at, watch.has_gaps) == (before.complete_at, False)
    place.service.empty = set()
    assert (await place.next_check(watch_id)).events.news == 0


@pytest.mark.parametrize("listed", [1, 40, 124])
async def test_a_list_of_a_fraction_of_the_running_ads_ends_none(place: Odd, listed: int) -> None:
    watch_id = await place.add()
    await place.check(watch_id)
    await place.change("UPDATE watch_creative SET last_shown = last_shown - interval '30 days'")
    whole = place.service.pages
    place.lay_out(ads(1, 100)[:listed], *([ads(101, listed)] if listed > 100 else []))
    short = await place.next_check(watch_id)
    assert (short.coverage, short.events.news) == ("partial", 0)
    ads_listed = "1 ad" if listed == 1 else f"{listed} ads"
    assert f"lists only {ads_listed}, though 250 were running" in (short.problem or "")
    place.lay_out(*whole)
    assert (await place.next_check(watch_id)).events.news == 0


async def test_a_list_that_lacks_a_few_running_ads_is_believed(place: Odd) -> None:
    watch_id = await place.add()
    await place.check(watch_id)
    place.lay_out(ads(1, 100), ads(101, 180))
    assert (await place.next_check(watch_id)).coverage == "complete"


@pytest.mark.parametrize("is_interrupted", [False, True])
async def test_an_ad_that_slips_past_the_pages_of_the_baseline_is_not_new(
    place: Odd, is_interrupted: bool
) -> None:
    whole = ads(1, 250)
    moved = [whole[149] | {"last_shown": NOW}, *whole[:149], *whole[150:]]

    def move() -> None:  # to the top, once the first page has been answered
        if place.service.asked == [0]:
            place.lay_out(moved[:100], moved[100:200], moved[200:])

    place.service.after_answer = move
    watch_id = await place.add()
    if is_interrupted:
        place.service.failures = [None, 503]
        with pytest.raises(ServiceUnavailableError):
            await place.check(watch_id)
    first = await place.check(watch_id)
    assert (first.coverage, first.stop_reason) == ("complete", "end")
    second = await place.next_check(watch_id)
    assert (second.events.baseline, second.events.news) == (1, 0)
    assert not (await place.watch(watch_id)).has_gaps


async def test_an_ad_that_is_listed_twice_with_two_pictures_is_judged_by_the_first(
    place: Odd,
) -> None:
    again = creative_row(7, image="https://example.com/another.png", last_shown=NOW - 60 * 7)
    place.lay_out(ads(1, 100), [*ads(101, 199), again], ads(201, 250))
    watch_id = await place.add()
    for _ in range(3):
        assert (await place.check(watch_id)).events.news == 0
        place.service.let_an_hour_pass()
        await place.change("UPDATE watch SET complete_at = NULL")  # so that all pages are fetched


@pytest.mark.parametrize("total", ["250", 250.0, 2**31, -250, None, [250]])
async def test_a_full_page_without_a_next_one_and_a_known_total_is_no_end(
    place: Odd, total: object
) -> None:
    def bend(answer: dict[str, Any]) -> None:
        answer.pop("serpapi_pagination", None)
        answer["search_information"]["total_results"] = total

    place.service.bend = bend
    watch_id = await place.add()
    first = await place.check(watch_id)
    assert (first.coverage, first.stop_reason) == ("partial", "gap")
    place.service.bend = lambda _: None
    await place.change("UPDATE watch SET complete_at = NULL")
    assert (await place.next_check(watch_id)).events.news == 0


async def test_an_empty_answer_is_believed_where_every_ad_has_ended(place: Odd) -> None:
    watch_id = await place.add()
    place.lay_out(ads(1, 5, newest=NOW - 30 * DAY))
    await place.check(watch_id)
    place.service.empty = {0}
    assert (await place.next_check(watch_id)).coverage == "complete"


async def test_a_promised_page_that_is_empty_leaves_gaps_in_the_baseline(place: Odd) -> None:
    place.service.empty = {1}
    watch_id = await place.add()
    first = await place.check(watch_id)
    assert (first.coverage, first.stop_reason, first.events.baseline) == ("partial", "gap", 100)
    assert "broke off" in (first.problem or "")
    assert (await place.watch(watch_id)).has_gaps
    place.service.empty = set()
    await place.change("UPDATE watch SET complete_at = NULL")
    second = await place.next_check(watch_id)
    assert (second.coverage, second.events.baseline, second.events.news) == ("complete", 150, 0)


async def test_an_empty_baseline_has_gaps_until_something_was_seen(place: Odd) -> None:
    place.service.empty = {0}
    watch_id = await place.add()
    first = await place.check(watch_id)
    assert (first.coverage, first.events.baseline) == ("partial", 0)
    assert "lists no ads" in (first.problem or "")
    assert (await place.watch(watch_id)).has_gaps
    place.service.empty = set()
    await place.change("UPDATE watch SET complete_at = NULL")
    launch = creative_row(999, first_shown=NOW + 43_200, last_shown=NOW + 43_200)
    place.service.pages[0] = [launch, *ads(1, 99)]
    second = await place.next_check(watch_id)
    assert (second.events.new, second.events.baseline) == (1, 249)
    watch = await place.watch(watch_id)
    assert (watch.has_gaps, watch.coverage) == (False, "complete")


async def test_a_look_that_breaks_off_behind_its_watermark_is_complete(place: Odd) -> None:
    watch_id = await place.add()
    await place.check(watch_id)
    await place.change("UPDATE watch SET complete_at = now() + interval '2 days'")
    place.service.empty = {1}
    assert (await place.next_check(watch_id)).stop_reason == "watermark"


async def test_new_ads_behind_a_page_that_is_not_in_order_are_told(place: Odd) -> None:
    old = NOW - 20 * DAY
    place.lay_out(ads(1, 100), ads(101, 150), ads(201, 300, newest=old))
    watch_id = await place.add()
    await place.check(watch_id)
    one_old = creative_row(900, last_shown=old)
    launches = ads(500, 502, newest=NOW + 60 * 500)
    place.lay_out(
        [*ads(1, 49), one_old, *ads(50, 99)], [*launches, *ads(101, 150)], ads(201, 300, newest=old)
    )
    second = await place.next_check(watch_id)
    told = {key[1] for key in await place.events(watch_id)}
    assert told == {row["ad_creative_id"] for row in launches}
    assert (second.events.new, second.coverage) == (3, "complete")


@pytest.mark.parametrize(("field", "unreadable"), [("image", "//host/x.png"), ("link", 5)])
async def test_a_picture_or_script_that_cannot_be_read_for_a_time_is_no_change(
    place: Odd, field: str, unreadable: object
) -> None:
    whole = creative_row(1, format="video", link="https://example.com/script.js", last_shown=NOW)
    place.lay_out([whole])
    watch_id = await place.add()
    await place.check(watch_id)
    for row in (whole | {field: unreadable}, whole, whole | {field: unreadable}):
        place.lay_out([row])
        assert (await place.next_check(watch_id)).events.news == 0


async def test_a_day_in_the_future_is_left_out_and_what_is_stored_of_it_is_corrected(
    place: Odd,
) -> None:
    place.lay_out(ads(1, 3))
    watch_id = await place.add()
    await place.check(watch_id)
    for table in ("creative", "watch_creative"):
        await place.change(f"UPDATE {table} SET last_shown = '2100-01-01'")
    await place.change("UPDATE creative SET first_shown = '2100-01-01'")
    await place.change(
        "UPDATE advertiser SET first_seen_at = '2100-01-01', last_seen_at = '2100-01-01', "
        "named_at = '2100-01-01'"
    )
    place.lay_out(ads(1, 3, advertiser="New Name"))
    await place.next_check(watch_id)
    for table, name in (
        ("creative", "first_shown"), ("creative", "last_shown"), ("watch_creative", "last_shown"),
        ("advertiser", "first_seen_at"), ("advertiser", "last_seen_at"), ("advertiser", "named_at"),
    ):  # fmt: skip
        found = await place.rows(f"SELECT max({name}) AS at FROM {table}")
        assert found[0].at < datetime.now(UTC), (table, name)
    assert await place.rows("SELECT name FROM advertiser") == [("New Name",)]

    place.lay_out(ads(1, 3, last_shown=4_102_444_800))
    summary = await place.next_check(watch_id)
    assert (summary.coverage, summary.events.news) == ("complete", 0)
    (row,) = await place.rows("SELECT max(last_shown) AS at, count(*) AS number FROM creative")
    assert (row.at < datetime.now(UTC), row.number) == (True, 3)


async def test_an_ad_with_one_bad_field_is_told_and_the_watch_is_not_partial(place: Odd) -> None:
    place.lay_out(ads(1, 3))
    watch_id = await place.add()
    await place.check(watch_id)
    place.lay_out([*ads(4, 4, width=0, advertiser=None, image="//host/x"), *ads(1, 3)])
    summary = await place.next_check(watch_id)
    assert (summary.events.new, summary.coverage) == (1, "complete")
    (row,) = await place.rows(
        "SELECT dropped_fields FROM creative WHERE cardinality(dropped_fields) > 0"
    )
    assert [note.partition(":")[0] for note in row.dropped_fields] == [
        "advertiser", "image", "width",
    ]  # fmt: skip
    assert await place.rows("SELECT 1 FROM rejected_row") == []
    place.lay_out(ads(1, 4))
    await place.next_check(watch_id)
    assert await place.rows("SELECT 1 FROM creative WHERE cardinality(dropped_fields) > 0") == []


async def test_an_ad_that_is_listed_without_its_day_is_not_said_to_have_ended(place: Odd) -> None:
    place.lay_out(ads(1, 3))
    watch_id = await place.add(ended_after_days=7)
    await place.check(watch_id)
    await place.change("UPDATE watch_creative SET last_shown = now() - interval '8 days'")
    place.lay_out([*ads(1, 1), *ads(2, 2, last_shown="soon")])
    summary = await place.next_check(watch_id)
    assert summary.events.ended == 1
    assert await place.events(watch_id) == {("ended", f"CR{3:020d}"): 1}


async def test_rows_that_stay_unreadable_are_asked_for_again_once_and_not_at_each_check(
    place: Odd,
) -> None:
    place.lay_out([*ads(1, 5), *ads(6, 6, format="hologram"), "not a row"])  # type: ignore[list-item]
    watch_id = await place.add()
    await place.check(watch_id)
    assert len(place.service.asked) == 3
    for turn in range(3):  # its day moves, and the rest of the row stays
        place.lay_out(
            [*ads(1, 5), *ads(6, 6, format="hologram", last_shown=NOW + turn), "not a row"]  # type: ignore[list-item]
        )
        summary = await place.next_check(watch_id)
        assert (summary.coverage, "2 ads could not" in (summary.problem or "")) == ("partial", True)
    assert len(place.service.asked) == 3 + 3
    place.lay_out([*ads(1, 5), *ads(7, 7, format="hologram")])
    await place.next_check(watch_id)
    assert len(place.service.asked) == 6 + 3  # another row, which might be read the next time


async def test_a_check_that_was_taken_over_leaves_the_watch_to_the_other(place: Odd) -> None:
    watch_id = await place.add()
    passed = 0

    async def take_over() -> None:
        nonlocal passed
        passed += 1
        if passed != 2:
            return
        async with place.database.session() as session:
            watch = await session.get_one(Watch, watch_id)
        await resume_or_create_fetch(
            place.database, query=definition_of(watch).query, watch_id=watch_id
        )

    with pytest.raises(SupersededError):
        await place.check(watch_id, take_over)
    watch = await place.watch(watch_id)
    assert (watch.problem, watch.coverage) == (None, None)
    (row,) = await place.rows('SELECT status, pages, attempt FROM "fetch"')
    assert row == ("running", 1, 2)
    summary = await place.check(watch_id)
    assert (summary.resumed, summary.events.baseline, summary.searches_billed) == (True, 150, 3)
    assert place.service.billed == 3


async def test_a_watermark_just_at_the_last_row_goes_on(place: Odd) -> None:
    watch_id = await place.add()
    await place.check(watch_id)
    last = datetime.fromtimestamp(NOW - 60 * 100, UTC)
    await place.change(f"UPDATE watch SET complete_at = '{last + timedelta(days=2)}'")
    assert (await place.next_check(watch_id)).pages == 2


async def test_an_ad_without_a_day_is_not_ended_whoever_reads_it_meanwhile(place: Odd) -> None:
    page = ads(1, 100)
    place.lay_out(page, ads(101, 150))
    watch_id = await place.add()
    await place.check(watch_id)
    of_it = f"WHERE ad_creative_id = '{page[4]['ad_creative_id']}'"
    await place.change(
        f"UPDATE watch_creative SET last_shown = last_shown - interval '30 days' {of_it}"
    )
    page[4]["last_shown"] = "soon"
    place.lay_out(page, ads(101, 150))

    async def another_fetch_reads_it() -> None:
        await place.change(
            f"UPDATE creative SET dropped_fields = '{{}}', last_shown = now() {of_it}"
        )

    place.service.let_an_hour_pass()
    checked = await place.check(watch_id, before_search=another_fetch_reads_it)
    assert (checked.events.news, checked.coverage) == (0, "complete")


async def test_an_ad_that_once_had_no_day_ends_like_any_other(place: Odd) -> None:
    page, old = ads(1, 100), ads(101, 150, newest=NOW - 40 * DAY)
    place.lay_out(page, old)
    watch_id = await place.add()
    await place.check(watch_id)
    odd = [dict(row) for row in page]
    odd[4]["last_shown"] = None
    place.lay_out(odd, old)
    assert (await place.next_check(watch_id)).events.news == 0
    await place.change(
        "UPDATE watch_creative SET last_shown = last_shown - interval '20 days' "
        f"WHERE ad_creative_id = '{page[4]['ad_creative_id']}'"
    )
    # It has stopped, and is listed behind what a look needs to see.
    fresh = [row for place_, row in enumerate(page) if place_ != 4]
    fresh[-1]["last_shown"] = NOW - 10 * DAY
    place.lay_out(fresh, [{**page[4], "last_shown": NOW - 20 * DAY}, *old])
    assert (await place.next_check(watch_id)).events.ended == 1
