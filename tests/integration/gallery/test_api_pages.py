"""Walking the pages of the JSON interface gives each thing once, in the order asked for."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.library.advertisers.listing import AdvertiserSort
from adspark.library.search.cursor import Sort
from adspark.library.search.statements import MOST_COUNTED
from adspark.watches.store import save_watch
from tests.support.factories import creative, watch_definition
from tests.support.gallery import GalleryClient, open_gallery
from tests.support.library import CAFE, DAY, SHOP, START, ad, buy_words

ADS, ADVERTISERS = "/api/v1/ads", "/api/v1/advertisers"
SIZES = ((300, 250), (380, 199))
_CLEAR = [
    text(f"DELETE FROM {table}")
    for table in ("creative_detail", "search_document", "watch", "creative", "advertiser")
]
_CHANGED = text("""
    INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash, occurred_at)
    SELECT :watch, ad_creative_id, 'changed', content_hash, at
    FROM unnest(CAST(:ads AS text[]), CAST(:moments AS timestamptz[])) AS given (ad_creative_id, at)
        JOIN creative USING (ad_creative_id)
""")


@dataclass(frozen=True)
class Made:
    """A generated ad; days count from START, None is a day that is not known."""

    advertiser: str
    format: str
    size: tuple[int, int]
    first: int | None
    last: int | None
    platform: str
    changed: int | None
    words: str

    @property
    def keys(self) -> dict[str, int | None]:
        """The value in each order."""
        known = self.first is not None and self.last is not None
        return {
            "newest": self.first,
            "longest": (self.last or 0) - (self.first or 0) if known else None,
            "changed": self.changed,
        }


DAYS = st.none() | st.integers(0, 3)
MADE = st.builds(
    Made,
    advertiser=st.sampled_from([CAFE, SHOP]),
    format=st.sampled_from(["text", "image"]),
    size=st.sampled_from(SIZES),
    first=DAYS,
    last=st.none() | st.integers(3, 6),
    platform=st.sampled_from(["SEARCH", "YOUTUBE"]),
    changed=DAYS,
    words=st.sampled_from(["", "shoes", "shoes shoes", "shoes and a hat", "hat"]),
)


def day(number: int) -> date:
    """A day as a filter writes it."""
    return (datetime.fromtimestamp(START, UTC) + timedelta(days=number)).date()


# Written filters, and which generated ads they let through.
FILTERS: dict[tuple[str, str], Callable[[Made], bool]] = {
    ("format", "image"): lambda one: one.format == "image",
    ("advertiser", CAFE): lambda one: one.advertiser == CAFE,
    ("platform", "YOUTUBE"): lambda one: one.platform == "YOUTUBE",
    ("size", "300x250"): lambda one: one.size == (300, 250),
    ("first-from", str(day(2))): lambda one: one.first is not None and one.first >= 2,
    ("last-to", str(day(4))): lambda one: one.last is not None and one.last <= 4,
    ("words", "yes"): lambda one: bool(one.words),
    ("running", "no"): lambda one: True,
    ("event", "changed"): lambda one: one.changed is not None,
}


async def _store(database: Database, ads: list[Made]) -> None:
    async with database.session() as session:
        for statement in _CLEAR:
            await session.execute(statement)
        watch = await save_watch(session, definition=watch_definition())
        for platform in ("SEARCH", "YOUTUBE"):
            rows = [_row(number, one) for number, one in enumerate(ads) if one.platform == platform]
            if rows:
                await save_creatives(session, rows=rows, region=None, platform=platform)
        for number, one in enumerate(ads):
            if one.words:
                await buy_words(session, number, headline=one.words)
        changed = {
            ad(number): datetime.fromtimestamp(START + one.changed * DAY, UTC)
            for number, one in enumerate(ads)
            if one.changed is not None
        }
        values = {"watch": watch.id, "ads": list(changed), "moments": list(changed.values())}
        await session.execute(_CHANGED, values)
        await session.commit()


def _row(number: int, one: Made) -> Any:  # noqa: ANN401
    def shown(value: int | None) -> Any:  # noqa: ANN401
        return ... if value is None else START + value * DAY

    return creative(
        number,
        advertiser_id=one.advertiser,
        advertiser=one.advertiser,
        format=one.format,
        width=one.size[0],
        height=one.size[1],
        first_shown=shown(one.first),
        last_shown=shown(one.last),
    )


@contextmanager
def _opened(
    runner: asyncio.Runner, database_url: str, media: Path
) -> Iterator[tuple[GalleryClient, Database]]:
    """A gallery and its database, open in the runner's loop."""
    stack = AsyncExitStack()
    try:
        client = runner.run(stack.enter_async_context(open_gallery(database_url, media)))
        yield client, runner.run(stack.enter_async_context(Database(database_url)))
    finally:
        runner.run(stack.aclose())


async def walk(
    client: GalleryClient,
    path: str,
    name: str,
    key: str,
    **parameters: Any,  # noqa: ANN401
) -> list[str]:
    """What all pages of an address list, by its key, in order."""
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        answer = await client.get(path, params=parameters | after)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [one[key] for one in page[name]]
        assert len(page[name]) <= parameters["limit"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}
        assert page[name], "a page that is not the last one is not empty"


def expected(ads: list[Made], sort: str, filters: list[tuple[str, str]]) -> list[str]:
    """The ads of the filters in the order, the greatest first, those without a value last."""
    kept = [
        (one.keys[sort], ad(number))
        for number, one in enumerate(ads)
        if all(FILTERS[chosen](one) for chosen in filters)
        and (sort != "changed" or one.changed is not None)
    ]
    order = sorted(kept, key=lambda it: (it[0] is not None, it[0] or 0, it[1]), reverse=True)
    return [one for _, one in order]


def test_all_pages_hold_each_ad_once_in_the_order_of_every_sort_and_filter(
    database_url: str, tmp_path: Path
) -> None:
    async def check_all(
        client: GalleryClient, ads: list[Made], filters: list[tuple[str, str]], limit: int
    ) -> None:
        for sort in (Sort.NEWEST, Sort.LONGEST, Sort.CHANGED):
            asked = {"sort": sort.value, "limit": limit, **dict(filters)}
            found = await walk(client, ADS, "ads", "ad_creative_id", **asked)
            assert found == expected(ads, sort.value, filters), sort
        asked = {"q": "shoes", "sort": "relevance", **dict(filters)}
        ranked = await walk(client, ADS, "ads", "ad_creative_id", limit=limit, **asked)
        assert ranked == await walk(client, ADS, "ads", "ad_creative_id", limit=1000, **asked)
        assert set(ranked) == {
            one for one in expected(ads, "newest", filters) if "shoes" in ads[int(one[2:])].words
        }

    with asyncio.Runner() as runner, _opened(runner, database_url, tmp_path) as (client, database):

        @given(
            st.lists(MADE, max_size=12),
            st.lists(st.sampled_from(list(FILTERS)), max_size=2, unique=True),
            st.integers(1, 5),
        )
        def check(ads: list[Made], filters: list[tuple[str, str]], limit: int) -> None:
            runner.run(_store(database, ads))
            runner.run(check_all(client, ads, filters, limit))

        check()


async def test_so_do_the_pages_of_more_ads_than_are_counted(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    ads = [
        Made(
            advertiser=(CAFE, SHOP)[number % 2],
            format="text",
            size=SIZES[0],
            first=(None, 0, 1, 2, 3)[number % 5],
            last=(None, 3, 4, 5, 6, 6, 6)[number % 7],
            platform="SEARCH",
            changed=(0, 1)[number % 2],
            words="",
        )
        for number in range(MOST_COUNTED + 30)
    ]

    await _store(database, ads)
    async with open_gallery(database_url, tmp_path) as client:
        for sort in ("newest", "longest", "changed"):
            found = await walk(client, ADS, "ads", "ad_creative_id", sort=sort, limit=130)
            assert found == expected(ads, sort, []), sort


async def test_all_pages_of_advertisers_hold_each_once_in_order(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    names = ["Zoë", "zoe", "Äpfel", "apple", "apple", "B&B <i>", "Ω", "-", "x" * 300]
    rows = [
        creative(
            number,
            advertiser_id=f"AR{number % 9:020d}",
            advertiser=names[number % 9],
            last_shown=... if number % 9 == 4 else START + (number % 3) * DAY,
        )
        for number in range(21)
    ]
    async with database.session() as session:
        await save_creatives(session, rows=rows, region=None, platform=None)
        await session.commit()
    values: dict[AdvertiserSort, Callable[[dict[str, Any]], Any]] = {
        AdvertiserSort.ADS: lambda one: one["ads"],
        AdvertiserSort.RUNNING: lambda one: one["running"],
        AdvertiserSort.LATEST: lambda one: one["last_seen_at"] or "",
    }
    async with open_gallery(database_url, tmp_path) as client:
        for sort in AdvertiserSort:
            asked = {"name": "advertisers", "key": "advertiser_id", "sort": sort.value}
            whole = await walk(client, ADVERTISERS, limit=1000, **asked)
            assert whole == await walk(client, ADVERTISERS, limit=2, **asked)
            listed = (await client.get(ADVERTISERS, params={"sort": sort.value})).json()
            assert len(set(whole)) == len(whole) == listed["total"] == 9
            if value := values.get(sort):
                found = [value(one) for one in listed["advertisers"]]
                assert found == sorted(found, reverse=True)
