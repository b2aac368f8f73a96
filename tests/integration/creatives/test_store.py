"""Storing: new, changed and unchanged are told apart, and nothing known is unlearned."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from adspark.creatives.store import SavedCreatives, count_creatives, save_creatives
from adspark.db.engine import Database
from adspark.errors import BusyError
from adspark.serpapi.payloads import CreativePayload, parse_rows
from tests.support.factories import ADVERTISER_ID, creative, creative_row

LINK = "https://displayads-formats.example/content.js?creativeId=1"


async def save(
    database: Database,
    *rows: CreativePayload,
    region: str | None = None,
    platform: str | None = None,
) -> SavedCreatives:
    """Store a page and commit."""
    async with database.session() as session:
        saved = await save_creatives(session, rows=rows, region=region, platform=platform)
        await session.commit()
    return saved


async def stored(database: Database, table: str = "creative") -> dict[str, Any]:
    """The only row of a table, with the transaction that wrote it last."""
    async with database.session() as session:
        rows = await session.execute(text(f"SELECT *, xmin::text AS writer FROM {table}"))
        return dict(rows.mappings().one())


async def test_rows_are_new_once_and_unchanged_afterwards(database: Database) -> None:
    page = [creative(number) for number in range(100)]
    first, second = await save(database, *page), await save(database, *page)
    assert (len(first.new), first.changed, first.unchanged) == (100, [], 0)
    assert (second.new, second.changed, second.unchanged) == ([], [], 100)


async def test_an_empty_page_is_nothing(database: Database) -> None:
    assert await save(database) == SavedCreatives(new=[], changed=[], unchanged=0)


async def test_an_unchanged_row_is_not_touched(database: Database) -> None:
    await save(database, creative())
    before = await stored(database), await stored(database, "advertiser")
    await save(database, creative())
    assert (await stored(database), await stored(database, "advertiser")) == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"image": "https://example.com/new.png"}, id="another picture"),
        pytest.param({"image": ..., "link": LINK}, id="a script in place of the picture"),
        pytest.param({"format": "image"}, id="another format"),
    ],
)
async def test_what_a_person_would_see_is_a_change(
    database: Database, change: dict[str, Any]
) -> None:
    await save(database, creative(1), creative(2))
    saved = await save(database, creative(1, **change), creative(2))
    assert (saved.changed, saved.unchanged) == ([creative(1).ad_creative_id], 1)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"last_shown": 1_786_100_000}, id="shown again"),
        pytest.param({"total_days_shown": 11}, id="one day more"),
        pytest.param({"minimum_views_count": 1000, "maximum_views_count": 2000}, id="more views"),
        pytest.param({"target_domain": "newbalance.com"}, id="a domain, known from another search"),
        pytest.param({"first_shown": 1_779_000_000}, id="an earlier day, from another region"),
        pytest.param({"width": 500}, id="another size of the same picture"),
        pytest.param({"width": ..., "height": ...}, id="the size left out this time"),
        pytest.param({"image": ..., "width": ..., "height": ...}, id="the picture left out"),
        pytest.param({"advertiser": "New Balance"}, id="the advertiser's other spelling"),
        pytest.param({"details_link": "https://example.com/else"}, id="another search's link"),
    ],
)
async def test_what_moves_by_itself_is_no_change(
    database: Database, change: dict[str, Any]
) -> None:
    await save(database, creative())
    saved = await save(database, creative(**change))
    assert (saved.new, saved.changed, saved.unchanged) == ([], [], 1)


async def test_a_narrower_search_unlearns_nothing(database: Database) -> None:
    full = creative(target_domain="newbalance.com", minimum_views_count=5, last_shown=1_786_000_000)
    await save(database, full)
    before = await stored(database)
    bare = creative(
        image=..., width=..., height=..., first_shown=..., last_shown=..., total_days_shown=...,
        details_link=..., advertiser="",
    )  # fmt: skip
    await save(database, bare)
    assert await stored(database) == before
    assert (await stored(database, "advertiser"))["name"] == "New Balance Athletic Shoe, Inc."


async def test_dates_only_widen(database: Database) -> None:
    await save(database, creative(first_shown=1_780_000_000, last_shown=1_786_000_000))
    await save(database, creative(first_shown=1_781_000_000, last_shown=1_785_000_000))
    await save(database, creative(first_shown=1_779_000_000, last_shown=1_787_000_000))
    for table, names in {
        "creative": ("first_shown", "last_shown"),
        "advertiser": ("first_seen_at", "last_seen_at"),
    }.items():
        row = await stored(database, table)
        assert row[names[0]] == datetime.fromtimestamp(1_779_000_000, UTC)
        assert row[names[1]] == datetime.fromtimestamp(1_787_000_000, UTC)


async def test_the_days_that_an_ad_was_shown_never_become_fewer(database: Database) -> None:
    await save(database, creative(total_days_shown=10))
    await save(database, creative(total_days_shown=9))
    assert (await stored(database))["total_days_shown"] == 10
    await save(database, creative(total_days_shown=11))
    assert (await stored(database))["total_days_shown"] == 11


async def test_a_stored_day_in_the_future_gives_way_even_to_an_unknown_one(
    database: Database,
) -> None:
    await save(database, creative())
    async with database.session() as session:
        await session.execute(text("UPDATE creative SET last_shown = '2100-01-01'"))
        await session.commit()
    await save(database, creative(last_shown=...))
    assert (await stored(database))["last_shown"] is None


async def test_fields_that_were_left_out_are_named_until_they_can_be_read(
    database: Database,
) -> None:
    (odd,), _ = parse_rows([creative_row(width="100%")])
    await save(database, odd)
    assert [note.partition(":")[0] for note in (await stored(database))["dropped_fields"]] == [
        "width"
    ]
    saved = await save(database, creative())
    row = await stored(database)
    assert (row["dropped_fields"], row["width"], saved.unchanged) == ([], 380, 1)


async def test_every_text_of_a_row_fits_its_index(database: Database) -> None:
    noise = "".join(chr(0x4E00 + (7919 * place) % 20_000) for place in range(20_000))
    rows = [
        creative_row(number, **{field: prefix + noise})
        for number, (field, prefix) in enumerate(
            [("advertiser", ""), ("target_domain", ""), ("image", "https://x/"),
             ("link", "https://x/"), ("details_link", "https://x/"),
             ("minimum_budget_spent", ""), ("maximum_budget_spent", "")]
        )
    ]  # fmt: skip
    good, rejected = parse_rows(rows)
    assert (len(good), rejected) == (len(rows), [])
    assert len((await save(database, *good)).new) == len(rows)


async def test_searches_that_found_a_creative_add_up(database: Database) -> None:
    await save(database, creative(), region="2840", platform="MAPS")
    await save(database, creative(), region="2276")
    await save(database, creative())
    row = await stored(database)
    assert (row["regions"], row["platforms"]) == (["2276", "2840"], ["MAPS"])


async def test_a_new_picture_brings_its_own_size(database: Database) -> None:
    await save(database, creative())
    await save(database, creative(image="https://example.com/n.png", width=..., height=...))
    row = await stored(database)
    assert (row["width"], row["height"]) == (None, None)


async def test_the_newest_spelling_of_an_advertiser_is_kept(database: Database) -> None:
    await save(
        database,
        creative(1, advertiser="old name", last_shown=1_785_000_000),
        creative(2, advertiser="New Name", last_shown=1_786_000_000),
        creative(3, advertiser="undated", last_shown=...),
    )
    assert (await stored(database, "advertiser"))["name"] == "New Name"


async def test_an_older_ad_does_not_bring_back_an_old_name(database: Database) -> None:
    await save(database, creative(1, advertiser="New Name", last_shown=1_786_000_000))
    await save(database, creative(2, advertiser="old name", last_shown=1_785_000_000))
    await save(database, creative(3, advertiser="undated", last_shown=...))
    assert (await stored(database, "advertiser"))["name"] == "New Name"
    await save(database, creative(2, advertiser="Newest Name", last_shown=1_786_100_000))
    assert (await stored(database, "advertiser"))["name"] == "Newest Name"


async def test_an_ad_without_a_name_moves_no_name(database: Database) -> None:
    await save(database, creative(1, advertiser="", last_shown=1_786_000_000))
    await save(database, creative(2, advertiser="A Name", last_shown=1_785_000_000))
    row = await stored(database, "advertiser")
    assert row["name"] == "A Name"
    assert row["last_seen_at"] == datetime.fromtimestamp(1_786_000_000, UTC)


@pytest.mark.parametrize("table", ["creative", "advertiser"])
async def test_rows_are_locked_in_the_order_of_their_keys(
    database: Database, database_url: str, table: str
) -> None:
    """Whatever the order of a page: so two pages wait for each other in one direction only."""
    rows = [creative(n, advertiser_id=f"AR{n:020d}", last_shown=1_786_000_000) for n in (3, 1, 2)]
    await save(database, *rows)
    keys = [f"CR{n:020d}" if table == "creative" else f"AR{n:020d}" for n in (1, 2, 3)]
    column = "ad_creative_id" if table == "creative" else "advertiser_id"
    hold = text(f"SELECT FROM {table} WHERE {column} = :key FOR UPDATE NOWAIT")
    later = [creative(n, advertiser_id=f"AR{n:020d}", last_shown=1_786_100_000) for n in (3, 1, 2)]
    # Without these, PostgreSQL may sort the page for a join, and so by chance.
    unsorted = f"{database_url}&options=-cenable_mergejoin%3Doff%20-cenable_hashjoin%3Doff"
    async with (
        Database(unsorted) as writer,
        Database(database_url) as other,
        other.session() as holder,
    ):
        await holder.execute(hold, {"key": keys[1]})
        saving = asyncio.create_task(save(writer, *later))
        while not await holder.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            await asyncio.sleep(0.01)
        async with other.session() as looker:
            await looker.execute(hold, {"key": keys[2]})  # not reached yet
        with pytest.raises(BusyError):
            async with other.session() as looker:
                await looker.execute(hold, {"key": keys[0]})
        await holder.rollback()
        await saving


async def test_pages_that_overlap_neither_deadlock_nor_count_twice(database: Database) -> None:
    rows = [creative(number, advertiser_id=f"AR{number % 7:020d}") for number in range(60)]
    for start in range(0, 60, 20):
        pages = [rows[start:] + rows[:start], rows[::-1], rows[start : start + 30], rows]
        saved = await asyncio.gather(*(save(database, *page) for page in pages))
        new = [one for page in saved for one in page.new]
        assert len(new) == len(set(new)) == (60 if start == 0 else 0)
        assert not [one for page in saved for one in page.changed]


async def test_what_is_stored_is_counted_by_advertiser_and_format(database: Database) -> None:
    await save(database, creative(1), creative(2), creative(3, format="video"))
    async with database.session() as session:
        counts = await count_creatives(session)
    assert [(one.advertiser_id, one.format, one.creatives) for one in counts] == [
        (ADVERTISER_ID, "text", 2),
        (ADVERTISER_ID, "video", 1),
    ]
