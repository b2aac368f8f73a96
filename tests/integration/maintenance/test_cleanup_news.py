"""Clean-up beside watches: what is removed is neither told as news later nor paid again."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adspark.db.engine import Database
from adspark.maintenance.cleanup import CleanupSummary, Retention, clean_up
from adspark.media.store import MediaStore
from adspark.models import EventKind
from adspark.notifications.digest import mark_digested, read_digest
from adspark.notifications.digest_text import Digest
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.watches.budgets import read_budget
from adspark.watches.news import claim_unannounced, mark_announced, read_news
from adspark.watches.store import save_watch
from adspark.watches.stored import list_watches
from tests.support.factories import watch_definition
from tests.support.watching import Place

DAY = 86_400
ADVERTISER = f"AR9{1:019d}"
WHOLE = Retention(days_old=1)


@pytest.fixture(scope="module")
def never_cached() -> Iterator[str]:
    """A sandbox whose every search is a fresh one, with a generated advertiser."""
    with serve(SandboxSettings(cached_for=0, generated_advertisers=1)) as url:
        yield url


@pytest.fixture
def place(database: Database, never_cached: str) -> Iterator[Place]:
    """A database of the test's own, and the sandbox as it was at first."""
    made = Place(database, never_cached)
    yield made
    made.change_ads()
    made.switch_on()


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(str(tmp_path / "media"))


def creative_id(number: int) -> str:
    return f"CR{number:020d}"


def ad(number: int, *, days_ago: int, first: int | None = None, **row: Any) -> dict[str, Any]:  # noqa: ANN401
    """An ad that was last shown so many days ago, at first `first` days ago."""
    now = int(time.time())
    shown = {} if first is None else {"first_shown": now - first * DAY}
    made = {
        "advertiser_id": ADVERTISER,
        "advertiser": "Sandbox Advertiser 1",
        "ad_creative_id": creative_id(number),
        "format": "text",
        "image": f"https://example.com/{number}.png",
        "last_shown": now - days_ago * DAY,
    }
    return {"action": "add", "row": {**made, **shown, **row}}


def old_ads(number: int, **row: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Ads of years ago, which the source still lists."""
    return [ad(one, days_ago=1000 + one, first=1400, **row) for one in range(1, number + 1)]


async def digest(place: Place) -> Digest:
    """The digest of all that was not told yet, told."""
    async with place.database.session() as session:
        told = await read_digest(session, now=datetime.now(UTC))
        await mark_digested(session, digest=told)
        await mark_announced(session, news=await claim_unannounced(session, limit=1000))
        await session.commit()
    return told


async def clean(place: Place, media: MediaStore, retention: Retention = WHOLE) -> CleanupSummary:
    return await clean_up(place.database, media, retention)


async def test_ads_that_were_cleaned_up_and_are_still_listed_are_no_news(
    place: Place, media: MediaStore
) -> None:
    place.change_ads(*old_ads(30))
    watch_id = await place.add(advertiser_ids=[ADVERTISER])
    await place.check(watch_id)
    for _ in range(3):
        await place.change("UPDATE creative SET last_shown = last_shown - interval '3 years'")
        removed = (await clean(place, media)).creatives
        assert removed == 70  # and the generated ones
        summary = await place.check(watch_id)
        assert (summary.events.news, summary.events.baseline) == (0, 0)
        assert (summary.coverage, (await digest(place)).news) == ("complete", 0)
        (fetch,) = await place.rows('SELECT * FROM "fetch" ORDER BY started_at DESC LIMIT 1')
        assert (fetch.new_count, fetch.changed_count, fetch.unchanged_count) == (0, 0, 70)
    assert await place.events(watch_id) == {}


async def test_what_really_happened_to_a_removed_ad_is_told_once(
    place: Place, media: MediaStore
) -> None:
    ads = old_ads(4)
    place.change_ads(*ads)
    watch_id = await place.add(advertiser_ids=[ADVERTISER])
    await place.check(watch_id)
    await clean(place, media)
    now = int(time.time())
    place.change_ads(
        ads[0],
        old_ads(2, image="https://example.com/other.png")[1],
        ad(3, days_ago=0, first=1400, last_shown=now),
        old_ads(4, image=None)[3],  # not told this time, which is no change
    )
    for _ in range(2):
        await place.check(watch_id)
        assert await place.events(watch_id) == {
            ("changed", creative_id(2)): 1,
            ("reactivated", creative_id(3)): 1,
        }
        place.change_ads(*ads[:1], *old_ads(2, image="https://example.com/other.png")[1:], ads[3])


@pytest.mark.parametrize(
    ("days_ago", "first", "told"),
    [
        pytest.param(1000, 1400, False, id="of years ago"),
        pytest.param(30, 1400, False, id="ended while nobody looked, begun long before"),
        pytest.param(30, None, False, id="ended, and nobody knows when it began"),
        pytest.param(30, 35, True, id="begun and ended while nobody looked"),
        pytest.param(30, 41, True, id="begun in the days of which the source tells late"),
        pytest.param(1, 1400, True, id="running"),
        pytest.param(1, None, True, id="running since nobody knows when"),
    ],
)
async def test_an_unknown_ad_is_a_launch_unless_it_is_over_and_began_before_the_last_look(
    place: Place, days_ago: int, first: int | None, told: bool
) -> None:
    watch_id = await place.add(advertiser_ids=[ADVERTISER])
    await place.check(watch_id)
    await place.change(  # a watch that was paused for forty days
        "UPDATE watch SET baseline_at = now() - interval '50 days', "
        "complete_at = now() - interval '40 days'"
    )
    place.change_ads(ad(1, days_ago=days_ago, first=first))
    await place.check(watch_id)
    expected = {("new", creative_id(1)): 1} if told else {}
    assert await place.events(watch_id) == expected
    await place.check(watch_id)
    assert await place.events(watch_id) == expected
    assert (await digest(place)).news == len(expected)


async def test_an_ad_stays_while_there_is_news_of_it_that_nobody_was_told_of(
    place: Place, media: MediaStore
) -> None:
    watch_id = await place.add(advertiser_ids=[ADVERTISER])
    await place.check(watch_id)
    await place.change("UPDATE watch SET complete_at = now() - interval '20 days'")
    place.change_ads(ad(1, days_ago=10, first=15))
    assert (await place.check(watch_id)).events.new == 1
    stored = f"SELECT 1 FROM creative WHERE ad_creative_id = '{creative_id(1)}'"
    await clean(place, media)
    assert await place.rows(stored)
    page = (await digest(place)).markdown()
    assert "Sandbox Advertiser 1, text, first shown" in page
    await clean(place, media)
    assert await place.rows(stored) == []
    assert await place.rows("SELECT 1 FROM creative_event WHERE kind = 'new'") == []


async def test_news_that_nobody_wants_keeps_no_ad_for_ever(place: Place, media: MediaStore) -> None:
    watch_id = await place.add(advertiser_ids=[ADVERTISER])
    await place.check(watch_id)
    place.change_ads(ad(1, days_ago=3, first=3))
    await place.check(watch_id)
    await place.change("UPDATE creative_event SET occurred_at = now() - interval '2 days'")
    await clean(place, media)
    assert await place.rows("SELECT 1 FROM creative_event WHERE kind = 'new'") == []


async def test_the_end_of_an_ad_is_told_although_it_was_cleaned_up_before(
    place: Place, media: MediaStore
) -> None:
    place.change_ads(ad(1, days_ago=5, first=9))
    watch_id = await place.add(advertiser_ids=[ADVERTISER], ended_after_days=7)
    await place.check(watch_id)
    await clean(place, media)
    await place.change("UPDATE watch_creative SET last_shown = last_shown - interval '3 days'")
    place.change_ads()
    assert (await place.check(watch_id)).events.ended == 1
    async with place.database.session() as session:
        (news,) = await read_news(
            session, watch_ids=[watch_id], since=datetime.fromtimestamp(0, UTC), limit=9
        )
        (unannounced,) = await claim_unannounced(session, limit=9)
        await session.rollback()
    assert news == unannounced
    assert (news.kind, news.advertiser_id) == (EventKind.ENDED, ADVERTISER)
    assert news.advertiser == "Sandbox Advertiser 1"
    told = await digest(place)
    address = f"/advertiser/{ADVERTISER}/creative/{creative_id(1)})"
    assert told.headline == "1 ending"
    assert "Sandbox Advertiser 1, last shown 20" in told.markdown()
    assert address in told.markdown()
    assert (await digest(place)).news == 0


async def spent(place: Place, watch_id: int) -> tuple[int, int, int]:
    """What was billed this month: of the watch in two reports, and of all."""
    async with place.database.session() as session:
        (row,) = await list_watches(session, watch_ids=[watch_id])
        report = await read_budget(session)
        (cost,) = [one for one in report.watches if one.watch_id == watch_id]
    return row.searches_this_month, cost.billed, report.billed


async def test_details_that_were_bought_stay_counted_and_are_not_bought_again(
    place: Place, media: MediaStore
) -> None:
    watch_id = await place.add(advertiser_ids=[ADVERTISER], details_per_sweep=5, monthly_budget=20)
    await place.check(watch_id)
    await place.change("UPDATE watch SET complete_at = now() - interval '30 days'")
    launches = [ad(one, days_ago=10, first=12) for one in (1, 2, 3)]
    place.change_ads(*launches)
    assert (await place.check(watch_id)).searches_billed == 4
    await digest(place)
    assert await spent(place, watch_id) == (5, 5, 5)
    await clean(place, media)
    assert (
        await place.rows("SELECT 1 FROM creative JOIN creative_detail USING (ad_creative_id)") == []
    )
    assert await spent(place, watch_id) == (5, 5, 5)
    billed = place.stats["billed"]
    summary = await place.check(watch_id)
    assert (summary.events.news, summary.searches_billed) == (0, 1)
    assert place.stats["billed"] == billed + 1
    # Listed again, it has the words that were bought for it.
    assert (
        len(await place.rows("SELECT 1 FROM creative JOIN creative_detail USING (ad_creative_id)"))
        == 3
    )


@pytest.mark.parametrize("change", ["search", "deletion"])
async def test_what_a_watch_has_paid_stays_counted_when_it_is_changed_or_deleted(
    place: Place, media: MediaStore, change: str
) -> None:
    watch_id = await place.add(name="shoes", advertiser_ids=[ADVERTISER], details_per_sweep=5)
    await place.check(watch_id)
    place.change_ads(ad(1, days_ago=1, first=1))
    await place.check(watch_id)
    if change == "search":
        definition = watch_definition(name="shoes", text="example.com")
        async with place.database.session() as session:
            assert (await save_watch(session, definition=definition)).begins_anew
            await session.commit()
        owner = watch_id
    else:
        await place.change("DELETE FROM watch")
        owner = None
    await place.change("UPDATE creative SET last_shown = now() - interval '9 years'")
    await place.change("UPDATE creative_event SET notified_at = now(), announced_at = now()")
    await clean(place, media)
    async with place.database.session() as session:
        report = await read_budget(session)
    assert {one.watch_id: one.billed for one in report.watches} == {owner: 3}


async def test_details_go_with_the_ledger_once_no_watch_knows_their_ad(
    place: Place, media: MediaStore
) -> None:
    insert = (
        "INSERT INTO creative_detail (ad_creative_id, asked_at, answered_at) "
        "SELECT 'CR' || n, now() - n * interval '99 days', now() - n * interval '99 days' "
        "FROM generate_series(3, 6) n"
    )
    await place.change(insert)
    await place.change("INSERT INTO creative_region (ad_creative_id, region) VALUES ('CR6', '1')")
    watch_id = await place.add()
    await place.change(
        f"INSERT INTO watch_creative (watch_id, ad_creative_id) VALUES ({watch_id}, 'CR5')"
    )
    assert (await clean_up(place.database, media, Retention(), dry_run=True)).details == 1
    assert (await clean(place, media)).details == 1
    left = [row.ad_creative_id for row in await place.rows("SELECT * FROM creative_detail")]
    assert sorted(left) == ["CR3", "CR4", "CR5"]
    assert await place.rows("SELECT 1 FROM creative_region") == []


async def test_a_country_that_only_a_removed_ad_had_is_not_new_again(
    place: Place, media: MediaStore
) -> None:
    watch_id = await place.add(advertiser_ids=[ADVERTISER])
    place.change_ads(*old_ads(2))
    await place.check(watch_id)
    await place.change(
        f"INSERT INTO creative_region (ad_creative_id, region, first_seen_at) "
        f"VALUES ('{creative_id(1)}', '2276', now() - interval '9 days'), "
        f"('{creative_id(2)}', '2840', now() - interval '9 days')"
    )
    await digest(place)
    await clean(place, media)
    await place.check(watch_id)
    await place.change(
        "INSERT INTO creative_region (ad_creative_id, region) "
        "SELECT ad_creative_id, '2276' FROM watch_creative WHERE ad_creative_id LIKE 'CR9%'"
    )
    assert (await digest(place)).news == 0


async def test_a_first_check_that_was_cut_off_is_no_complete_look(place: Place) -> None:
    place.change_ads(*[ad(one, days_ago=20 + one // 30, first=60) for one in range(1, 161)])
    watch_id = await place.add(advertiser_ids=[ADVERTISER], max_pages=1)
    first = await place.check(watch_id)
    assert (first.coverage, first.stop_reason) == ("partial", "page_limit")
    watch = await place.watch(watch_id)
    assert (watch.complete_at, watch.has_gaps) == (None, True)
    page = (await digest(place)).markdown()
    assert "more ads than max\\_pages = 1" in page
    assert "last complete look: never" in page
    second = await place.check(watch_id)  # back to the first one: no launch has escaped it
    assert (second.coverage, second.stop_reason) == ("complete", "watermark")
    assert (await place.watch(watch_id)).complete_at is not None


async def test_a_first_check_that_was_cut_off_is_made_whole_once_its_bound_allows(
    place: Place,
) -> None:
    place.change_ads(*[ad(one, days_ago=20 + one // 30, first=60) for one in range(1, 161)])
    watch_id = await place.add(advertiser_ids=[ADVERTISER], monthly_budget=1)
    assert (await place.check(watch_id)).stop_reason == "budget"
    assert (await place.watch(watch_id)).complete_at is None
    await place.change("UPDATE watch SET monthly_budget = 9, updated_at = clock_timestamp()")
    second = await place.check(watch_id)
    assert (second.coverage, second.stop_reason, second.pages) == ("complete", "end", 2)
    assert second.events.news == 0
    assert not (await place.watch(watch_id)).has_gaps
