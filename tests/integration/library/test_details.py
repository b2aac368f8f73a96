"""Details on demand: their cost is known before, they are bought once, and then found."""

import asyncio
import logging
from collections.abc import Iterator

import httpx
import pytest

from adspark.creatives.details import DetailsSummary
from adspark.db.engine import Database
from adspark.errors import AdSparkError, BusyError, InvalidQueryError, UnknownWatchError
from adspark.library.ads.details import DetailsPlan, look_up_details, plan_details
from adspark.library.search.page import search_ads
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.serpapi.client import SerpApiClient, no_gate
from adspark.waits import LOGGER
from adspark.watches.budgets import read_budget
from tests.support.library import ad
from tests.support.watching import KEY, Place

# A recorded advertiser whose ads have recorded details with copy.
SAVAGE = "AR03556834903704207361"
WITH_COPY = "CR12260659916586352641"


@pytest.fixture
def place(database: Database) -> Iterator[Place]:
    """A sandbox whose searches take a while, and a database."""
    with serve(SandboxSettings(latency=0.2)) as url:
        yield Place(database, url)


async def plan(place: Place, *ads: str, watch_id: int | None = None, most: int = 20) -> DetailsPlan:
    """What would be looked up."""
    async with place.database.session() as session:
        return await plan_details(session, ads=ads, watch_id=watch_id, most=most)


async def look_up(place: Place, chosen: DetailsPlan) -> DetailsSummary:
    """Look it up."""
    async with SerpApiClient(KEY, base_url=place.url, transport=place.transport) as client:
        return await look_up_details(place.database, client, chosen, before_search=no_gate)


async def test_named_ads_are_bought_once_and_their_words_are_found(place: Place) -> None:
    watch_id = await place.add(advertiser_ids=[SAVAGE])
    await place.check(watch_id)
    page = f"https://adstransparency.google.com/advertiser/{SAVAGE}/creative/{WITH_COPY}?region=US"
    chosen = await plan(place, WITH_COPY, page)
    summary = await look_up(place, chosen)
    assert summary.headline == "details of 1 (searches: 1 billed, 0 cached)"
    async with place.database.session() as session:
        (found,) = (await search_ads(session, query='"back to campus"')).ads
        costs = {one.watch_id: one.billed for one in (await read_budget(session)).watches}
    assert found.ad_creative_id == WITH_COPY
    assert costs == {watch_id: 1, None: 1}
    again = await plan(place, WITH_COPY)
    assert (again.ads, again.known) == ([], 1)


async def test_a_watchs_baseline_is_bought_within_its_budget(place: Place) -> None:
    watch_id = await place.add(monthly_budget=4)
    await place.check(watch_id)
    asked = await plan(place, watch_id=watch_id, most=2)
    assert (len(asked.ads), asked.left, asked.over_budget) == (2, 38, 0)
    chosen = await plan(place, watch_id=watch_id, most=20)
    assert (len(chosen.ads), chosen.left, chosen.over_budget) == (3, 20, 17)
    await look_up(place, asked)  # meanwhile; those last shown first, so they are of them
    summary = await look_up(place, chosen)
    assert (summary.found, summary.searches_billed) == (3, 3)
    assert (await place.rows("SELECT count(*) FROM creative_detail"))[0][0] == 3
    with pytest.raises(InvalidQueryError, match="watch: the month's budget of watch 1"):
        await plan(place, watch_id=watch_id)
    await place.change("UPDATE watch SET monthly_budget = NULL")
    rest = await plan(place, watch_id=watch_id, most=100)
    assert (len(rest.ads), rest.known, rest.over_budget) == (37, 3, 0)


async def test_an_ad_without_details_is_not_asked_for_again(place: Place) -> None:
    watch_id = await place.add(advertiser_ids=[SAVAGE])
    await place.check(watch_id)
    place.change_ads({"action": "remove", "ad_creative_id": WITH_COPY})
    summary = await look_up(place, await plan(place, WITH_COPY))
    assert (summary.found, summary.refused) == (0, 1)
    assert (await plan(place, WITH_COPY)).known == 1


async def test_of_two_runs_at_once_one_pays(place: Place) -> None:
    await place.check(await place.add(advertiser_ids=[SAVAGE]))
    billed = place.stats["billed"]
    chosen = await plan(place, WITH_COPY)
    one, other = await asyncio.gather(
        look_up(place, chosen), look_up(place, chosen), return_exceptions=True
    )
    assert sorted(map(type, (one, other)), key=str) == sorted((DetailsSummary, BusyError), key=str)
    assert place.stats["billed"] - billed == 1
    assert (await look_up(place, chosen)).found == 1


class Dying(httpx.AsyncHTTPTransport):
    """Ends the work as a kill does, when the answer is there and not stored."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await (await super().handle_async_request(request)).aread()
        raise asyncio.CancelledError


async def test_what_a_death_left_paid_and_not_stored_is_had_for_nothing(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    await place.check(await place.add(advertiser_ids=[SAVAGE]))
    before = place.stats
    chosen = await plan(place, WITH_COPY)
    place.transport = Dying()
    with pytest.raises(asyncio.CancelledError):
        await look_up(place, chosen)
    place.transport = None
    ((left,),) = await place.rows("SELECT claimed_until - now() FROM creative_detail")
    assert left.total_seconds() <= 20  # until its answer is in SerpApi's cache for sure
    await place.change("UPDATE creative_detail SET claimed_until = now() + interval '1 second'")
    logging.getLogger(LOGGER).addHandler(caplog.handler)
    summary = await look_up(place, chosen)
    logging.getLogger(LOGGER).removeHandler(caplog.handler)
    assert (
        f"Waiting 1 s at most: for what a run that has ended had asked SerpApi of {WITH_COPY}"
        in (caplog.text)
    )
    assert (summary.found, summary.searches_billed, summary.searches_cached) == (1, 1, 0)
    after = place.stats
    assert (after["billed"] - before["billed"], after["cached"] - before["cached"]) == (1, 1)


async def test_a_claim_from_before_the_clock_was_set_back_is_not_waited_for(place: Place) -> None:
    await place.check(await place.add(advertiser_ids=[SAVAGE]))
    chosen = await plan(place, WITH_COPY)
    await place.change(
        "INSERT INTO creative_detail (ad_creative_id, claimed_until) "
        f"VALUES ('{WITH_COPY}', now() + interval '1 day')"
    )
    async with asyncio.timeout(60):
        summary = await look_up(place, chosen)
    assert summary.found == 1


async def test_a_failure_holds_up_no_other_ad_at_the_next_try(place: Place) -> None:
    watch_id = await place.add()
    await place.check(watch_id)
    chosen = await plan(place, watch_id=watch_id, most=2)
    place.switch_on({"kind": "cut_json"})
    with pytest.raises(AdSparkError, match="is not the JSON"):
        await look_up(place, chosen)
    place.switch_on({"kind": "cut_json", "after": 1})
    with pytest.raises(AdSparkError, match="is not the JSON"):
        await look_up(place, chosen)
    rows = await place.rows("SELECT ad_creative_id, answered_at FROM creative_detail")
    assert {row.ad_creative_id: row.answered_at is not None for row in rows} == {
        chosen.ads[0]: False,
        chosen.ads[1]: True,
    }
    place.switch_on()
    assert (await look_up(place, chosen)).found == 2


async def test_a_mistake_is_told_before_anything_is_spent(place: Place) -> None:
    watch_id = await place.add()
    for arguments, message in (
        ({}, "ads: name ads, or a watch whose ads are meant; one of them."),
        ({"ads": [ad(1)], "watch_id": watch_id}, "ads: name ads, or a watch"),
        ({"ads": [ad(1)]}, f"ads: no ad {ad(1)} is stored; fetch its advertiser's ads first"),
        ({"ads": ["x\x00"]}, "ads: holds a NUL"),
        ({"ads": [ad(number) for number in range(101)]}, "ads: names 101; name 100 at most"),
        ({"watch_id": 4711}, "There is no watch 4711"),
        ({"watch_id": watch_id, "most": 0}, "most: must be 1 to 100, not 0"),
        ({"watch_id": watch_id, "most": 101}, "most: must be 1 to 100, not 101"),
    ):
        async with place.database.session() as session:
            with pytest.raises((InvalidQueryError, UnknownWatchError)) as raised:
                await plan_details(session, **{"most": 20} | arguments)
        assert str(raised.value).startswith(message)
    assert place.stats["requests"] == 0
