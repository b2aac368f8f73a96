"""What searching costs: nothing is counted twice, and the forecast follows the watches."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from adspark.creatives.fetch import fetch_query
from adspark.db.engine import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.watches.budgets import BudgetReport, WatchCost, read_billed_a_check, read_budget
from adspark.watches.definition import count_checks, pick_fields
from adspark.watches.reports.watch_pages import read_look_cost, read_watch_line
from adspark.watches.simulation.watches import read_groups
from adspark.watches.store import change_watch
from tests.support.factories import query
from tests.support.watching import Place

HOUR = 3600


@pytest.fixture
def place(database: Database) -> Iterator[Place]:
    """A sandbox with generated advertisers of two pages each."""
    with serve(SandboxSettings(generated_advertisers=5, creatives_per_advertiser=150)) as url:
        yield Place(database, url)


async def report(place: Place) -> BudgetReport:
    """The budget as it stands."""
    async with place.database.session() as session:
        return await read_budget(session)


def of(found: BudgetReport, watch_id: int | None) -> WatchCost:
    """The line of a watch."""
    (line,) = [one for one in found.watches if one.watch_id == watch_id]
    return line


def hours_left() -> float:
    """Until the month ends, UTC."""
    now = datetime.now(UTC)
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return (datetime(year, month, 1, tzinfo=UTC) - now).total_seconds() / HOUR


async def add(place: Place, number: int, **fields: Any) -> int:  # noqa: ANN401
    """A watch on a generated advertiser."""
    return await place.add(name=f"watch {number}", advertiser_ids=[f"AR9{number:019d}"], **fields)


async def test_billed_and_cached_searches_are_told_by_watch_and_by_day(place: Place) -> None:
    one, two = await add(place, 1), await add(place, 2)
    await place.check(one)
    await place.check(two)
    await place.check(two)
    async with place.checker() as checker:
        await fetch_query(place.database, checker.client, query(advertiser_ids=f"AR9{3:019d}"))
    found = await report(place)
    assert (of(found, one).billed, of(found, one).cached) == (2, 0)
    assert (of(found, two).billed, of(found, two).cached) == (2, 1)
    assert of(found, None).billed == 1
    assert (found.billed, found.cached) == (5, 1) == (place.stats["billed"], place.stats["cached"])
    (today,) = found.days
    assert (today.billed, today.cached) == (5, 1)


async def test_details_are_part_of_the_cost(database: Database) -> None:
    with serve(SandboxSettings(generated_advertisers=1, cached_for=0)) as url:
        place = Place(database, url)
        watch_id = await add(place, 1, details_per_sweep=1)
        await place.check(watch_id)
        row = {
            "advertiser_id": f"AR9{1:019d}",
            "advertiser": "Sandbox Advertiser 1",
            "ad_creative_id": f"CR9{1:07d}{777:012d}",
            "format": "text",
            "last_shown": int(time.time()),
        }
        place.change_ads({"action": "add", "row": row})
        await place.check(watch_id)
        assert of(await report(place), watch_id).billed == place.stats["billed"] == 3


async def test_the_forecast_is_what_the_checks_to_come_will_cost(place: Place) -> None:
    hourly, daily = await add(place, 1), await add(place, 2, interval_minutes=24 * 60)
    paused = await add(place, 3, is_active=False)
    found = await report(place)
    assert of(found, hourly).forecast == pytest.approx(hours_left(), abs=1.5)
    assert of(found, daily).forecast == pytest.approx(hours_left() / 24, abs=1.5)
    assert of(found, paused).forecast == 0
    await place.check(hourly)  # two pages: so much a check is expected from now on
    costly = of(await report(place), hourly)
    assert costly.forecast == pytest.approx(2 + 2 * (hours_left() - 1), abs=3)


async def test_a_look_from_the_cache_makes_a_watch_no_cheaper_but_where_it_will_be_so(
    place: Place,
) -> None:
    first, twin = await add(place, 1), await add(place, 1, user_id=2)
    often = await add(place, 2, interval_minutes=30)
    by_hand = await add(place, 3)
    async with place.checker() as checker:  # somebody has just looked for it, or it was checked
        search = query(advertiser_ids=f"AR9{3:019d}", region=None)
        await fetch_query(place.database, checker.client, search, max_pages=2)
    for watch_id in (first, first, twin, often, often, by_hand):
        await place.check(watch_id)
    found = await report(place)
    assert of(found, by_hand).billed == 0
    # Two pages, and then one: 1.5 a check, whoever pays for the second.
    assert of(found, first).forecast == pytest.approx(1.5 * hours_left(), rel=0.1, abs=3)
    assert of(found, by_hand).forecast == pytest.approx(2 * hours_left(), rel=0.2, abs=3)
    assert of(found, twin).forecast == 0
    assert of(found, often).forecast == pytest.approx(2 * hours_left(), rel=0.4, abs=3)
    async with place.database.session() as session:
        groups = await read_groups(session)
    costs = {(one.user_id, one.interval_minutes): one.searches_a_check for one in groups}
    assert costs[(2, 60)] == 0
    assert costs[(1, 30)] < costs[(1, 60)]


async def reckoned(place: Place, watch_id: int) -> list[float]:
    """What a check of a watch costs by all that tells it: the form before anything is saved, the
    simulation, and the watch's page. The forecast is so much for every check to come."""
    async with place.database.session() as session:
        line = await read_watch_line(session, watch_id=watch_id)
        assert line is not None
        definition = line.row.definition
        usual = (await read_look_cost(session, line=line)).usual
        billed = await read_billed_a_check(session, watch_id=watch_id, definition=definition)
        groups = await read_groups(session)
    (simulated,) = [one.searches_a_check for one in groups if one.user_id == definition.user_id]
    a_check = 1.0 if billed is None else billed
    minutes = hours_left() * 60 - max(0, (line.row.due_at - datetime.now(UTC)).total_seconds() / 60)
    ahead = a_check * count_checks(minutes, definition.interval_minutes)
    assert line.cost.forecast == pytest.approx(line.cost.billed + ahead, abs=a_check + 0.5)
    return [a_check, simulated, a_check if usual is None else usual]


async def test_a_changed_search_costs_what_a_new_one_does_and_an_old_one_what_it_did(
    place: Place,
) -> None:
    first, twin = await add(place, 1), await add(place, 1, user_id=2)
    for watch_id in (first, twin):
        await place.check(watch_id)
    assert await reckoned(place, twin) == [0, 0, 0]

    async def change(**fields: Any) -> None:  # noqa: ANN401
        async with place.database.session() as session:
            changes = pick_fields(fields)
            clear = [name for name, value in fields.items() if value is None]
            await change_watch(session, watch_id=twin, changes=changes, clear=clear)
            await session.commit()

    await change(region="germany")
    assert await reckoned(place, twin) == [1, 1, 1]
    await change(region=None)
    assert await reckoned(place, twin) == [0, 0, 0]


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE watch SET is_active = false WHERE user_id = 1",
        "UPDATE watch SET region = '2276' WHERE user_id = 1",
        "DELETE FROM watch WHERE user_id = 1",
    ],
)
async def test_a_watch_whose_twin_pays_no_more_pays_itself(place: Place, end: str) -> None:
    first, twin = await add(place, 1), await add(place, 1, user_id=2)
    for watch_id in (first, twin):
        await place.check(watch_id)
    assert await reckoned(place, twin) == [0, 0, 0]
    await place.change(end)
    assert await reckoned(place, twin) == [2, 2, 2]


async def test_details_are_part_of_the_cost_of_a_look_while_they_are_looked_up(
    place: Place,
) -> None:
    watch_id = await add(place, 1, details_per_sweep=1)
    await place.check(watch_id)
    await place.change(
        "INSERT INTO creative_detail (ad_creative_id, watch_id, attempts, searches_billed, "
        f"searches_cached) VALUES ('CR1', {watch_id}, 1, 1, 0)"
    )
    assert await reckoned(place, watch_id) == [3, 3, 3]
    await place.change("UPDATE watch SET details_per_sweep = 0")
    assert await reckoned(place, watch_id) == [2, 2, 2]


async def test_a_budget_bounds_the_forecast_and_what_is_left_of_it_is_told(place: Place) -> None:
    watch_id = await add(place, 1, monthly_budget=5)
    await place.check(watch_id)
    line = of(await report(place), watch_id)
    assert (line.billed, line.left, line.forecast) == (2, 3, 5)


async def test_last_months_searches_are_not_this_months(place: Place) -> None:
    watch_id = await add(place, 1)
    await place.check(watch_id)
    await place.change("UPDATE \"fetch\" SET started_at = started_at - interval '1 month'")
    assert of(await report(place), watch_id).billed == 0


async def test_a_deleted_watchs_searches_are_still_told(place: Place) -> None:
    watch_id = await add(place, 1)
    await place.check(watch_id)
    await place.change(f"DELETE FROM watch WHERE id = {watch_id}")
    assert of(await report(place), None).billed == 2


def test_a_forecast_beyond_what_the_account_has_left_is_a_shortage() -> None:
    found = BudgetReport(watches=[], days=[], billed=10, cached=0, forecast=100)
    assert found.shortage is None
    assert found.model_copy(update={"searches_left": 30}).shortage == 60
    assert found.model_copy(update={"searches_left": 500}).shortage == 0
