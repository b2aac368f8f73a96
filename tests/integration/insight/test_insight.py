"""Insight: the views keep their contract, and figures are what a person would count."""

import math
import random
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.insight.campaigns import alike_hashes, alike_words, find_campaigns
from adspark.insight.figures import (
    Period,
    read_mix,
    read_own_share,
    read_regions,
    read_share,
    read_timeline,
)
from adspark.insight.snapshot import read_library_on
from adspark.insight.survival import read_survival
from adspark.insight.views import VIEWS
from tests.support.days import noon
from tests.support.factories import ADVERTISER_ID, creative
from tests.support.library import CAFE, ad, buy_words
from tests.support.stored_ads import change

# Days ago that each ad was first and last shown; what was shown in the last week still runs.
SPANS = {1: (100, 91), 2: (100, 71), 3: (100, 71), 4: (60, 1), 5: (20, 0), 6: (20, 11)}


@pytest.fixture
async def library(database: Database, today: date) -> Database:
    """Six ads of one advertiser, and one of another."""

    def shown(first: int, last: int) -> dict[str, int]:
        return {
            "first_shown": noon(today - timedelta(first)),
            "last_shown": noon(today - timedelta(last)),
        }

    rows = [
        creative(number, width=300, height=250, **shown(*span)) for number, span in SPANS.items()
    ]
    other = creative(7, advertiser_id=CAFE, advertiser="Café Zoë", **shown(20, 0))
    async with database.session() as session:
        await save_creatives(session, rows=rows, region="2840", platform="SEARCH")
        await save_creatives(session, rows=[other], region="2276", platform="YOUTUBE")
        await session.commit()
    return database


async def test_the_views_keep_their_contract(database: Database) -> None:
    async with database.session() as session:
        found = await session.execute(
            text(
                "SELECT c.relname, string_agg(attname || ' ' || format_type(atttypid, atttypmod), "
                "', ' ORDER BY attnum) AS columns "
                "FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
                "WHERE c.relkind = 'v' AND c.relname LIKE 'insight_%' GROUP BY 1"
            )
        )
        documented = {
            view.name: ", ".join(f"{name} {kind}" for name, kind in view.columns.items())
            for view in VIEWS
        }
        assert {row.relname: row.columns for row in found} == documented


async def test_the_share_of_one_today_is_its_part_of_all_shares(
    library: Database, today: date
) -> None:
    await change(library, "UPDATE creative SET first_shown = last_shown + interval '1 day' "
                 "WHERE ad_creative_id = '" + ad(4) + "'")  # fmt: skip
    async with library.session() as session:
        shares = await read_share(session, advertiser_ids=None, day=today, limit=10)
        for one in shares:
            own = await read_own_share(session, advertiser_id=one.advertiser_id)
            assert own == pytest.approx(one.share_of_creatives_seen)
        assert len(shares) == 2
        assert await read_own_share(session, advertiser_id="AR1") == 0


async def test_launches_endings_and_running_ads_by_day_and_month(
    library: Database, today: date
) -> None:
    async with library.session() as session:
        days, months = [
            await read_timeline(session, advertiser_id=ADVERTISER_ID, period=period, limit=1000)
            for period in (Period.DAY, Period.MONTH)
        ]
    assert len(days) == 101  # every day from the first to today, none left out
    by_day = {(today - one.begins).days: one for one in days}
    assert {ago: one.running for ago, one in by_day.items()} == {
        ago: sum(first >= ago >= (0 if last < 7 else last) for first, last in SPANS.values())
        for ago in range(101)
    }
    assert {ago: one.launched for ago, one in by_day.items() if one.launched} == {
        100: 3, 60: 1, 20: 2
    }  # fmt: skip
    assert {ago: one.ended for ago, one in by_day.items() if one.ended} == {91: 1, 71: 2, 11: 1}
    assert sum(one.launched for one in months) == 6
    assert (months[0].begins, months[0].running) == (today.replace(day=1), 2)


async def test_none_runs_at_the_end_of_a_period_in_which_the_last_ads_ended(
    database: Database, today: date
) -> None:
    ended = date(2025, 11, 27)  # a Thursday
    shown = {"first_shown": noon(ended - timedelta(1)), "last_shown": noon(ended)}
    lately = {"first_shown": noon(today - timedelta(9)), "last_shown": noon(today - timedelta(8))}
    of_cafe = {"advertiser_id": CAFE, "advertiser": "Café Zoë"}
    rows = [creative(1, **shown), creative(2, **shown), creative(3, **of_cafe, **lately)]
    async with database.session() as session:
        await save_creatives(session, rows=rows, region=None, platform=None)
        await session.commit()

        async def last_of(period: Period, last: date | None = None) -> tuple[int, int]:
            found = await read_timeline(
                session, advertiser_id=ADVERTISER_ID, period=period, last=last, limit=1
            )
            return found[0].ended, found[0].running

        assert await last_of(Period.DAY) == (2, 2)
        assert await last_of(Period.WEEK) == (2, 0)
        assert await last_of(Period.MONTH) == (2, 0)
        assert await last_of(Period.MONTH, ended) == (2, 2)  # as of the last day asked for
        for period in (Period.WEEK, Period.MONTH):
            now = await read_timeline(session, advertiser_id=CAFE, period=period, limit=1)
            assert now[0].running == 0  # the period that is not over counts as of today


async def test_survival_is_that_of_kaplan_and_meier_with_running_ads_censored(
    library: Database,
) -> None:
    async with library.session() as session:
        curve = await read_survival(session, advertiser_id=ADVERTISER_ID)
        nothing = await read_survival(session, advertiser_id="AR")
    # By hand: 10 days: 6 at risk, 2 ended; 21: censored; 30: 3 at risk, 2 ended; 60: censored.
    told = [(s.days_running, s.at_risk, s.ended, s.still_running) for s in curve.steps]
    assert told == [(10, 6, 2, 0), (21, 4, 0, 1), (30, 3, 2, 0), (60, 1, 0, 1)]
    expected = [4 / 6, 4 / 6, 4 / 6 * 1 / 3, 4 / 6 * 1 / 3]
    assert all(
        math.isclose(step.survival, share)
        for step, share in zip(curve.steps, expected, strict=True)
    )
    assert (curve.ads, curve.still_running, curve.median_days_running) == (6, 2, 30)
    assert (curve.after(9), curve.after(61), nothing.steps) == (1.0, None, [])
    await change(library, "UPDATE creative SET last_shown = now() - interval '15 days' "
                 f"WHERE ad_creative_id IN ('{ad(4)}', '{ad(5)}')")  # fmt: skip
    async with library.session() as session:
        curve = await read_survival(session, advertiser_id=ADVERTISER_ID)
    assert curve.steps[-1].survival == 0  # all have ended


@pytest.mark.parametrize("number", range(2, 12))
async def test_the_median_is_the_day_after_which_half_have_ended(
    database: Database, today: date, number: int
) -> None:
    first = today - timedelta(100)
    rows = [
        creative(days, first_shown=noon(first), last_shown=noon(first + timedelta(days - 1)))
        for days in range(1, number + 1)
    ]
    async with database.session() as session:
        await save_creatives(session, rows=rows)
        await session.commit()
        curve = await read_survival(session, advertiser_id=ADVERTISER_ID)
    shares = [round((number - days) / number, 12) for days in range(1, number + 1)]
    assert [step.survival for step in curve.steps] == shares
    assert curve.median_days_running == math.ceil(number / 2)


async def test_an_ad_that_runs_has_left_only_where_it_ended_before_its_details_were_bought(
    database: Database, today: date
) -> None:
    shown = {"first_shown": noon(today - timedelta(60)), "last_shown": noon(today)}
    undated = creative(2, first_shown=..., last_shown=...)
    async with database.session() as session:
        await save_creatives(session, rows=[creative(1, **shown), undated], region="2276")
        await session.commit()
    bought = today - timedelta(30)
    rows = ", ".join(
        f"('{ad(1)}', '{region}', '{today - timedelta(60)}', '{bought - timedelta(days)}')"
        for region, days in {"2276": 0, "2040": 7, "2250": 8}.items()
    )
    await change(
        database,
        "INSERT INTO creative_detail (ad_creative_id, asked_at, answered_at, searches_billed) "
        f"VALUES ('{ad(1)}', '{bought} 12:00+00', '{bought} 12:00+00', 1)",
        "INSERT INTO creative_region (ad_creative_id, region, first_shown, last_shown) "
        f"VALUES {rows}",
    )
    async with database.session() as session:
        regions = await read_regions(session, advertiser_id=ADVERTISER_ID)
    assert {one.name: (one.ads, one.running, one.left_on) for one in regions} == {
        "Germany": (1, 1, None),  # the ad without days counts nowhere
        "Austria": (1, 1, None),
        "France": (1, 0, bought - timedelta(8)),
    }


async def test_mix_regions_and_shares(library: Database, today: date) -> None:
    await change(
        library,
        "INSERT INTO creative_region (ad_creative_id, region, first_shown, last_shown) VALUES "
        f"('{ad(4)}', '2250', '{today - timedelta(30)}', '{today - timedelta(25)}')",
    )
    async with library.session() as session:
        mix = await read_mix(session, advertiser_id=ADVERTISER_ID)
        regions = await read_regions(session, advertiser_id=ADVERTISER_ID)
        shares = await read_share(session, advertiser_ids=None, day=today, limit=9)
        (one,) = await read_share(session, advertiser_ids=[CAFE], day=today, limit=9)
        viewed = await session.execute(
            text("SELECT running, round(share_of_creatives_seen::numeric, 3) FROM insight_share "
                 "WHERE day = :day ORDER BY running DESC"), {"day": today},
        )  # fmt: skip
    assert [(m.kind, m.value, m.ads, m.running) for m in mix] == [
        ("format", "text", 6, 2), ("size", "300x250", 6, 2), ("platform", "SEARCH", 6, 2)
    ]  # fmt: skip
    assert [(r.name, r.ads, r.entered_on, r.left_on) for r in regions] == [
        ("United States", 5, today - timedelta(100), None),
        ("France", 1, today - timedelta(30), today - timedelta(25)),
    ]
    told = [(s.running, round(s.share_of_creatives_seen, 3)) for s in shares]
    assert told == [(2, 0.667), (1, 0.333)] == [tuple(map(float, row)) for row in viewed]
    assert (one.advertiser, one.share_of_creatives_seen) == ("Café Zoë", 1.0)


async def test_the_library_as_of_a_day(library: Database, today: date) -> None:
    async def on(day: date) -> set[int]:
        async with library.session() as session:
            found = await read_library_on(session, advertiser_id=ADVERTISER_ID, day=day, limit=100)
        assert found.total == len(found.ads)
        return {int(one.ad_creative_id[2:]) for one in found.ads}

    assert await on(today - timedelta(days=100)) == {1, 2, 3}
    assert await on(today - timedelta(days=71)) == {2, 3}
    assert await on(today - timedelta(days=20)) == {4, 5, 6}
    assert await on(today) == {4, 5}
    with pytest.raises(InvalidQueryError, match="is to come"):
        await on(today + timedelta(days=2))


def flipped(written: str, bits: int) -> str:
    """The hash with so many of its bits changed."""
    places = random.Random(bits).sample(range(256), bits)
    return f"{int(written, 16) ^ sum(1 << place for place in places):064x}"


async def test_versions_of_one_campaign_look_alike_or_say_the_same(
    library: Database, today: date
) -> None:
    looks = f"{random.Random(1).getrandbits(256):064x}"
    async with library.session() as session:
        for number, written in {1: looks, 2: flipped(looks, 31), 3: flipped(looks, 40)}.items():
            await session.execute(
                text(
                    "INSERT INTO picture_version (ad_creative_id, content_hash, status, "
                    "perceptual_hash) SELECT ad_creative_id, content_hash, 'removed', :hash "
                    "FROM creative WHERE ad_creative_id = :ad"
                ),
                {"hash": written, "ad": ad(number)},
            )
        copy: dict[int, dict[str, Any]] = {
            2: {"headline": "Summer sale ends", "snippet": "half price on all running shoes now"},
            4: {"headline": "Summer sale ends", "snippet": "half price on all running shoes today"},
            5: {"headline": "Winter coats", "snippet": "half price on all warm things"},
        }
        for number, words in copy.items():
            await buy_words(session, number, **words)
        found = await find_campaigns(session, advertiser_id=ADVERTISER_ID)
    (campaign,) = found.campaigns
    assert (campaign.ads, campaign.versions, campaign.running) == ([ad(1), ad(2), ad(4)], 3, 1)
    assert campaign.first_day == today - timedelta(100)
    assert (found.compared, found.unknown) == (5, 1)


def test_no_pair_that_is_alike_is_missed() -> None:
    chance = random.Random(3)
    hashes = [f"{chance.getrandbits(256):064x}" for _ in range(40)]
    hashes += [flipped(one, chance.randrange(1, 40)) for one in hashes]
    texts = [frozenset(chance.sample(range(14), chance.randrange(3, 12))) for _ in range(120)]
    words = list({frozenset(map(str, one)) for one in texts})
    near = {frozenset(pair) for pair in alike_hashes(hashes)}
    same = {frozenset(pair) for pair in alike_words(words)}
    assert near == {
        frozenset((a, b)) for a in hashes for b in hashes
        if a < b and (int(a, 16) ^ int(b, 16)).bit_count() <= 31
    }  # fmt: skip
    assert same == {
        frozenset((a, b)) for a in words for b in words
        if a != b and len(a & b) >= 0.7 * len(a | b)
    }  # fmt: skip
    assert near
    assert same
