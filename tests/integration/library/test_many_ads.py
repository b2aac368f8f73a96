"""Searches of many ads: each listed once in its order, and what is not looked at is said."""

from typing import Any

import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.library.filters.definition import AdFilters
from adspark.library.search.cursor import Cursor, Sort
from adspark.library.search.expected import MOST_PHRASES
from adspark.library.search.page import AdPage, search_ads
from adspark.library.search.statements import MOST_COUNTED
from tests.support.factories import ADVERTISER_ID
from tests.support.library import ad
from tests.support.stored_ads import change

ADS = MOST_PHRASES + 1_000
FEW = 700  # more than are counted

# All ads hold "red shoes", apart in all but the first hundred; the first ones hold "rare" as well,
# and every tenth, the first ones left out, leads to the shop. Some have no day.
_FILL = (
    f"INSERT INTO advertiser (advertiser_id, name) VALUES ('{ADVERTISER_ID}', 'Balance')",
    f"""
    INSERT INTO creative (ad_creative_id, advertiser_id, format, first_shown, last_shown,
        target_domain)
    SELECT 'CR' || lpad(n::text, 20, '0'), '{ADVERTISER_ID}',
        CASE WHEN n % 3 = 0 THEN 'image' ELSE 'text' END,
        CASE WHEN n % 50 > 0 THEN timestamptz '2026-01-01' + (n * 7919 % 1000) * interval '1 hour'
        END, timestamptz '2026-06-01' + n * interval '1 minute',
        CASE WHEN n > 100 AND n % 10 = 0 THEN 'www.shop.example' END
    FROM generate_series(1, {ADS}) AS n
    """,
    f"""
    INSERT INTO search_document (ad_creative_id, document, has_words)
    SELECT 'CR' || lpad(n::text, 20, '0'), search_words(
        CASE WHEN n <= 100 THEN 'red shoes' ELSE 'red and shoes' END
        || CASE WHEN n <= {FEW} THEN ' rare' ELSE '' END || ' {ADVERTISER_ID}'
    ), true FROM generate_series(1, {ADS - 50}) AS n
    """,
)


@pytest.fixture
async def many(database: Database) -> Database:
    """A database with many ads, and what it needs to know of them."""
    await change(database, *_FILL)
    await change(database, "ANALYZE search_document", "ANALYZE creative")
    return database


async def pages(database: Database, query: str, **search: Any) -> list[AdPage]:  # noqa: ANN401
    """All pages of a search."""
    found: list[AdPage] = []
    async with database.session() as session:
        while not found or found[-1].next:
            after = found[-1].next if found else None
            found.append(await search_ads(session, query=query, limit=1000, after=after, **search))
    return found


@pytest.mark.parametrize(
    ("query", "filters", "number"),
    [
        ("red", {}, ADS - 50),  # looked for in the order
        ("rare", {}, FEW),  # found before they are sorted
        ("rare shoes", {"format": "image"}, FEW // 3),
        ("balance", {}, ADS),  # with words and without
        ("balance -rare", {}, ADS - FEW),
        ("-rare", {}, ADS - FEW),
        ("", {"domain": "shop.example"}, (ADS - 100) // 10),
        ("red", {"domain": "shop.example"}, (ADS - 50 - 100) // 10),
    ],
)
@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.LONGEST])
async def test_every_ad_is_listed_once_in_the_order(
    many: Database, query: str, filters: dict[str, Any], number: int, sort: Sort
) -> None:
    found = await pages(many, query, filters=AdFilters(**filters), sort=sort)
    ads = [one for page in found for one in page.ads]
    assert len({one.ad_creative_id for one in ads}) == len(ads) == number
    moments = [
        one.first_shown
        and (one.first_shown if sort is Sort.NEWEST else one.first_shown - (one.last_shown or 0))  # type: ignore[operator]
        for one in ads
    ]
    dated = [one for one in moments if one is not None]
    assert moments == [*dated, *[None] * (number - len(dated))]
    assert dated == sorted(dated, reverse=sort is Sort.NEWEST)
    for page in found:
        assert page.total == number if page.is_total_exact else MOST_COUNTED


async def test_those_whose_words_were_learned_last_are_ranked(many: Database) -> None:
    (page,) = await pages(many, "red")
    assert (page.total, page.is_total_exact, len(page.ads)) == (
        MOST_COUNTED,
        False,
        MOST_COUNTED + 1,
    )
    last = {ad(number) for number in range(ADS - 50 - MOST_COUNTED, ADS - 49)}
    assert {one.ad_creative_id for one in page.ads} == last


@pytest.mark.parametrize("sort", [None, Sort.NEWEST])
async def test_a_phrase_of_frequent_words_is_looked_for_in_the_last_and_that_is_said(
    many: Database, sort: Sort | None
) -> None:
    (page,) = await pages(many, '"red shoes"', sort=sort)
    assert (page.total, page.is_total_exact, page.formats) == (0, False, {})
    assert "learned last" in page.notes[0]
    (page,) = await pages(many, '"shoes rare"', sort=sort)  # one word of it is in few ads
    assert (page.total, page.is_total_exact, page.notes) == (
        (MOST_COUNTED, False, []) if sort is None else (FEW, True, [])
    )
    found = await pages(many, '"and shoes"', sort=sort)
    assert not found[0].is_total_exact
    assert found[0].total >= MOST_COUNTED


def test_a_damaged_place_is_refused_with_what_to_do() -> None:
    good = Cursor(Sort.NEWEST, 1, ad(1)).encode()
    assert Cursor.decode(good, Sort.NEWEST).ad_creative_id == ad(1)
    nul = Cursor(Sort.NEWEST, 1, "CR\x00").encode()
    long, deep = Cursor(Sort.NEWEST, 1, "CR" + "1" * 400).encode(), "W1tb" * 40_000
    damages = ("", "x", good[:-3], good + "AAAA", nul, long, deep, "WyJuZXdlc3QiLHRydWUsImEiXQ")
    for damaged in damages:
        with pytest.raises(InvalidQueryError, match="no such place in the list sorted by newest"):
            Cursor.decode(damaged, Sort.NEWEST)
    with pytest.raises(InvalidQueryError):
        Cursor.decode(good, Sort.LONGEST)


async def test_ads_that_changed_are_listed_once_the_last_change_first(many: Database) -> None:
    await change(
        many,
        "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
        "VALUES (1, 'a', 'a', false, true), (1, 'b', 'b', false, true)",
        "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash, occurred_at) "
        "SELECT w, 'CR' || lpad(n::text, 20, '0'), 'changed', '', "
        "timestamptz '2026-01-01' + n % 7 * interval '1 hour' "
        "FROM generate_series(1, 2) AS w, generate_series(1, 1100) AS n, generate_series(1, 2)",
    )
    found = await pages(many, "", sort=Sort.CHANGED)
    ads = [one.ad_creative_id for page in found for one in page.ads]
    assert sorted(ads) == [ad(number) for number in range(1, 1101)]
    assert [int(one[2:]) % 7 for one in ads] == sorted(
        (int(one[2:]) % 7 for one in ads), reverse=True
    )


async def test_a_landing_page_counts_as_well_as_a_domain(many: Database) -> None:
    await change(
        many,
        "INSERT INTO creative_detail (ad_creative_id, answered_at, landing_url) "
        f"VALUES ('{ad(1)}', now(), 'HTTPS://WWW.Shop.Example:443/a?b'), "
        f"('{ad(110)}', now(), 'https://shop.example'), ('{ad(2)}', now(), 'https://other.example')",
    )
    async with many.session() as session:
        page = await search_ads(
            session, filters=AdFilters(domain="shop.example"), sort=Sort.LONGEST, limit=1000
        )
        landing = (
            await session.scalars(text("SELECT landing_host FROM creative_detail ORDER BY 1"))
        ).all()
    assert len(page.ads) == (ADS - 100) // 10 + 1
    assert ad(1) in {one.ad_creative_id for one in page.ads}
    assert landing == ["other.example", "shop.example", "shop.example"]
