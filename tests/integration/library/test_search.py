"""A search of the stored ads finds what its words and filters say, in an order, page by page."""

import asyncio
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from adspark.creatives.boards import add_ads, create_board, find_board
from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.library.filters.definition import AdFilters
from adspark.library.marks.notes import write_note, write_title
from adspark.library.marks.tags import tag_ads, untag_ads
from adspark.library.search.cursor import Sort
from adspark.library.search.page import AdPage, search_ads
from adspark.library.search.statements import MOST_COUNTED
from tests.support.factories import ADVERTISER_ID, creative
from tests.support.library import CAFE, SHOP, START, ad, buy_words, found
from tests.support.stored_ads import change, ids

WORDS = [
    ("shoes", {1}, "a headline's word"),
    ("running", {1, 2}, "a headline's or the body's"),
    ("RUNNING Gear", {2}, "both words, in any case"),
    ("women", {1}, "behind a slash"),
    ('"running shoes"', {1}, "a phrase"),
    ('"shoes running"', set(), "not in this order"),
    ("trai*", {1}, "the beginning of a word"),
    ('"half pri"*', {2}, "the beginning of a phrase's last word"),
    ("gift", {2}, "of a sitelink"),
    ("running -sale", {1}, "without a word"),
    ("-running", {3, 4, 5}, "without it, the others known or not"),
    ("-new", {4, 5}, "not of an advertiser"),
    ("balance", {1, 2, 3}, "the advertiser's name, words known or not"),
    ("balance running sale", {2}, "name and copy together"),
    ("newbalance.com", {1}, "the landing page's domain"),
    ("https://newbalance.com/anything", {1}, "its address"),
    ("zoe", {4}, "without the accent, in name or domain"),
    ("ZOË", {4}, "with it"),
    ("example.com", set(), "is not all of a domain"),
    ("zoe.example.com", {4}, "the domain that it leads to"),
    ("laufladen ecole", {5}, "a domain's word and copy"),
    ("жЁлтые", {5}, "another script, in another case"),
    ("balance zoe", set(), "no ad has both"),
    ("AR00000000000000000007", set(), "ids of ads without words are a filter"),
    ("' ) & !: \\ running", {1, 2}, "operators mean nothing"),
    ("shoes or sale", {1, 2}, "one or the other"),
    ("zoe | laufladen | qqqq", {4, 5}, "of names too, and what there is none of"),
    ("running shoes OR gear -sale", {1}, "with what has to be there, and must not"),
    ("sale ! or shoes", {1, 2}, "marks alone mean nothing"),
]


async def test_ads_are_found_by_all_that_is_known_of_them(library: Database) -> None:
    for query, numbers, reason in WORDS:
        assert (query, await found(library, query)) == (query, numbers), reason


async def test_filters_alone_and_together_with_words(library: Database) -> None:
    await change(
        library,
        "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
        "VALUES (1, 'w', 'a.example', false, true), (1, 'v', 'b.example', false, true)",
        f"INSERT INTO watch_creative (watch_id, ad_creative_id) VALUES (1, '{ad(1)}')",
        "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash) VALUES "
        f"(1, '{ad(1)}', 'changed', ''), (2, '{ad(4)}', 'new', '')",
        f"INSERT INTO creative_region (ad_creative_id, region) VALUES ('{ad(1)}', '2250')",
        f"UPDATE creative SET last_shown = now() WHERE ad_creative_id = '{ad(4)}'",
    )
    async with library.session() as session:
        await create_board(session, user_id=1, name="b")
        board = await find_board(session, user_id=1, name="b")
        await add_ads(session, board_id=board.id, ids=[ad(2)])
        await tag_ads(session, user_id=1, tag="best", ids=[ad(3), ad(5)])
        await session.commit()
    cases: list[tuple[str, dict[str, Any], set[int]]] = [
        ("", {}, {1, 2, 3, 4, 5}),
        ("", {"advertiser_ids": (CAFE, SHOP)}, {4, 5}),
        ("", {"format": "video"}, {5}),
        ("", {"platform": "SEARCH"}, {1, 2, 3}),
        ("", {"region": "2276"}, {4, 5}),
        ("", {"region": "2250"}, {1}),
        ("", {"domain": "newbalance.com"}, {1}),
        ("", {"domain": "laufladen.example"}, {5}),
        ("", {"first_shown_from": date(2026, 5, 29), "first_shown_to": date(2026, 5, 29)}, {2}),
        ("", {"last_shown_to": date(2026, 6, 6)}, {1}),
        ("", {"last_shown_from": date(2026, 7, 1), "last_shown_to": date(2026, 7, 31)}, {2}),
        ("", {"is_running": True}, {4}),
        ("", {"is_running": False}, {1, 2, 3, 5}),
        ("", {"least_days": 20}, {2, 3}),
        ("", {"size": (300, 250)}, {4}),
        ("", {"aspect": "landscape"}, {1, 2, 3, 4, 5}),
        ("", {"aspect": "16:9"}, {5}),
        ("", {"aspect": "portrait"}, set()),
        ("", {"watch_id": 1}, {1}),
        ("", {"board_id": board.id}, {2}),
        ("", {"tag": "best"}, {3, 5}),
        ("", {"tag": "best", "user_id": 2}, set()),
        ("", {"event": "new"}, {4}),
        ("", {"event": "new", "watch_id": 1}, set()),
        ("", {"has_words": True}, {1, 2, 5}),
        ("", {"has_words": False}, {3, 4}),
        ("running", {"least_days": 20, "platform": "SEARCH"}, {2}),
        ("balance", {"has_words": False}, {3}),
        ("best", {}, {3, 5}),
        ("best", {"user_id": 2}, set()),
        ("best balance", {}, {3}),
    ]
    for query, filters, numbers in cases:
        assert (query, filters, await found(library, query, **filters)) == (query, filters, numbers)


async def test_days_without_googles_count_are_those_that_insight_counts(database: Database) -> None:
    async with database.session() as session:
        await save_creatives(session, rows=[creative(1, total_days_shown=...)])
        await session.commit()
    await change(
        database,
        "UPDATE creative SET first_shown = '2026-08-01 23:00+00', "
        "last_shown = '2026-08-04 01:00+00'",
    )
    assert await ids(database, "SELECT days FROM insight_ad") == [4]
    assert await found(database, least_days=4) == {1}
    assert await found(database, least_days=5) == set()


async def test_the_users_titles_and_notes_are_searched_with_all_else(library: Database) -> None:
    async with library.session() as session:
        await write_title(session, user_id=1, ad_creative_id=ad(3), text="Déjà vu of Running")
        await write_note(session, user_id=1, ad_creative_id=ad(1), text="Ask the boss\nabout it")
        await write_note(session, user_id=1, ad_creative_id=ad(4), text="boss likes coffee")
        await session.commit()
    for query, numbers in (
        ("deja", {3}), ("running", {1, 2, 3}), ("running balance", {1, 2, 3}), ("boss", {1, 4}),
        ("boss shoes", {1}), ("boss zoe coffee", {4}), ('"the boss"', {1}), ("cof*", {4}),
        ("boss -shoes", {4}), ("balance -boss", {2, 3}), ("-boss", {2, 3, 5}),
        ("deja or ecole", {3, 5}),
    ):  # fmt: skip
        assert (query, await found(library, query)) == (query, numbers)
    assert await found(library, "boss", user_id=2) == set()
    assert await found(library, "boss", format="image") == {4}
    async with library.session() as session:
        await write_note(session, user_id=1, ad_creative_id=ad(4), text="boss", is_shared=True)
        await session.commit()
    assert await found(library, "boss", user_id=2) == {4}
    assert await pages(library, Sort.RELEVANCE, "running", 1) == [3, 1, 2]


async def pages(database: Database, sort: Sort, query: str, limit: int) -> list[int]:
    """The ads of all pages, one after the other."""
    numbers: list[int] = []
    after: str | None = None
    while True:
        async with database.session() as session:
            page = await search_ads(session, query=query, sort=sort, limit=limit, after=after)
        numbers += [int(one.ad_creative_id[2:]) for one in page.ads]
        if (after := page.next) is None:
            return numbers


async def test_every_order_lists_each_ad_once_page_by_page(library: Database) -> None:
    await change(
        library,
        "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
        "VALUES (1, 'w', 'a.example', false, true)",
        "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash, occurred_at) "
        f"VALUES (1, '{ad(1)}', 'changed', '', now()), "
        f"(1, '{ad(4)}', 'changed', '', now() - interval '1 day'), "
        f"(1, '{ad(4)}', 'changed', '', now() - interval '9 days'), "
        f"(1, '{ad(5)}', 'new', '', now())",
        f"UPDATE creative SET first_shown = NULL WHERE ad_creative_id = '{ad(5)}'",
    )
    expected = {
        Sort.NEWEST: [3, 2, 4, 1, 5],
        Sort.LONGEST: [4, 2, 1, 5, 3],
        Sort.CHANGED: [1, 4],  # of the others none has changed
    }
    for sort, numbers in expected.items():
        for limit in (1, 2, 5):
            assert (sort, await pages(library, sort, "", limit)) == (sort, numbers)
    # A headline counts for more than the body, and both for more than only the advertiser.
    for limit in (1, 2):
        assert await pages(library, Sort.RELEVANCE, "running", limit) == [1, 2]
        assert (await pages(library, Sort.RELEVANCE, "balance", limit))[-1] == 3


async def test_what_changes_is_found_as_it_is_now(library: Database) -> None:
    named = creative(3, advertiser="Neue Firma", last_shown=START + 400 * 86_400 // 8)
    async with library.session() as session:
        await save_creatives(session, rows=[named])
        await session.commit()
    assert await found(library, "firma shoes") == {1}
    assert await found(library, "balance") == set()
    async with library.session() as session:
        await save_creatives(session, rows=[creative(1, target_domain="learned.example")])
        await buy_words(session, 2, headline="Winter coats")
        await session.commit()
    assert await found(library, "learned shoes") == {1}
    assert await found(library, "coats") == {2}
    assert await found(library, "sale") == set()
    async with library.session() as session:
        await tag_ads(session, user_id=1, tag="best of all", ids=[ad(4)])
        with pytest.raises(InvalidQueryError, match="tag: holds invisible characters"):
            await tag_ads(session, user_id=1, tag="be\u200bst of all", ids=[ad(4)])
        await session.commit()
    assert await found(library, "best") == {4}
    async with library.session() as session:
        await untag_ads(session, user_id=1, tag="best of all", ids=[ad(4)])
        await session.commit()
    assert await found(library, "best") == set()


async def test_an_ad_that_was_removed_and_comes_back_is_found_by_its_words(
    library: Database,
) -> None:
    await change(library, f"DELETE FROM creative WHERE ad_creative_id = '{ad(1)}'")
    assert await found(library, "shoes") == set()
    async with library.session() as session:
        await save_creatives(session, rows=[creative(1)])
        await session.commit()
    assert await found(library, "balance shoes") == {1}
    await change(library, f"DELETE FROM creative WHERE ad_creative_id = '{ad(1)}'")
    await change(library, f"DELETE FROM creative_detail WHERE ad_creative_id = '{ad(1)}'")
    async with library.session() as session:
        ids = set(await session.scalars(text("SELECT ad_creative_id FROM search_document")))
    assert ids == {ad(2), ad(5)}


async def test_two_who_change_an_ad_at_once_are_both_found(library: Database) -> None:
    async with library.session() as words, library.session() as tags:
        await buy_words(words, 3, headline="Brand new boots")
        tagging = asyncio.ensure_future(tag_ads(tags, user_id=1, tag="seen", ids=[ad(3)]))
        await asyncio.wait([tagging], timeout=0.5)  # it waits for the row, or is not there yet
        await words.commit()
        await tagging
        await tags.commit()
    assert await found(library, "boots seen") == {3}


async def test_a_misspelled_word_is_searched_as_the_nearest_known_one(library: Database) -> None:
    async def instead(query: str) -> tuple[str | None, set[int]]:
        async with library.session() as session:
            page = await search_ads(session, query=query)
        return page.searched_instead, {int(one.ad_creative_id[2:]) for one in page.ads}

    assert await instead("runing trainrs") == ("running trainers", {1})
    assert await instead("ballance") == ("balance", {1, 2, 3})
    assert await instead("lauflden") == ("laufladen", {5})
    assert await instead('"runing shoes"') == (None, set())
    assert await instead("qqqqqqq") == (None, set())


async def test_counts_are_by_format_and_end_at_a_bound(library: Database) -> None:
    async def page() -> AdPage:
        async with library.session() as session:
            return await search_ads(session, query="balance", limit=1)

    first = await page()
    assert (first.total, first.formats, first.is_total_exact) == (3, {"text": 3}, True)
    await change(
        library,
        "INSERT INTO creative (ad_creative_id, advertiser_id, format) "
        f"SELECT 'CRx' || n, '{ADVERTISER_ID}', 'text' FROM generate_series(1, {MOST_COUNTED}) n",
    )
    second = await page()
    # Of the ads beyond the bound no format is known.
    assert (second.total, second.is_total_exact, second.formats) == (MOST_COUNTED, False, {})


async def test_what_holds_no_word_finds_nothing_and_says_so(library: Database) -> None:
    async with library.session() as session:
        page = await search_ads(session, query='" !')
        assert (page.total, page.notes) == (0, ["'\" !' holds no word to search for."])
        for sort, after in ((Sort.RELEVANCE, None), (None, "x"), (None, "bnVsbA")):
            with pytest.raises(InvalidQueryError):
                await search_ads(session, sort=sort, after=after)


def test_no_text_fails_and_the_words_of_an_ad_find_it(database_url: str) -> None:
    async def store(database: Database, words: str) -> None:
        async with database.session() as session:
            await save_creatives(session, rows=[creative(1)])
            await buy_words(session, 1, headline=words)
            await session.commit()

    async def search(query: str, words: list[str], pick: list[int]) -> None:
        async with Database(database_url) as database:
            async with database.session() as session:
                await search_ads(session, query=query)
            await store(database, " ".join(words))
            wanted = " ".join(words[place % len(words)] for place in pick)
            assert await found(database, wanted) == {1}

    letters = st.text("abyzäéßжñ日中", min_size=1, max_size=12)

    @given(
        st.text(st.characters(exclude_categories=())),
        st.lists(letters, min_size=1, max_size=8),
        st.lists(st.integers(0, 7), min_size=1, max_size=4),
    )
    def check(query: str, words: list[str], pick: list[int]) -> None:
        asyncio.run(search(query, words, pick))

    check()


async def test_copy_of_any_length_and_kind_is_stored(library: Database) -> None:
    """The longest that details are cut to, in letters that take the most room."""
    texts = {
        "headline": " ".join(chr(0x10400 + number % 40) * 30 for number in range(320)),
        "snippet": "ж" * 10_000,
        "call_to_action": " ".join(f"word{number}" for number in range(1500)),
        "sitelink_texts": [f"{number} " * 2000 for number in range(300)],
    }
    async with library.session() as session:
        await buy_words(session, 3, **texts)
        await session.commit()
    assert await found(library, has_words=True) == {1, 2, 3, 5}


@pytest.mark.parametrize("written", ["user*", "user2*", "us*", "2*", "/2*", "user2/secret"])
async def test_no_search_finds_the_ads_that_others_have_tagged_for_themselves(
    library: Database, written: str
) -> None:
    before = await found(library, written)
    async with library.session() as session:
        await tag_ads(session, user_id=2, tag="secret", ids=[ad(1), ad(2), ad(3)])
        await session.commit()
    assert await found(library, written) == before


async def test_the_user_sees_whose_tags_and_titles_they_are(library: Database) -> None:
    async with library.session() as session:
        await tag_ads(session, user_id=2, tag="mine", ids=[ad(1)])
        own = await search_ads(session, query="shoes", filters=AdFilters(user_id=2))
        other = await search_ads(session, query="shoes", filters=AdFilters(user_id=1))
    assert (own.ads[0].tags, other.ads[0].tags) == (["mine"], [])


async def test_a_search_that_finds_nothing_says_of_how_many_ads_the_words_are_not_read(
    library: Database,
) -> None:
    async with library.session() as session:
        missed = (await search_ads(session, query="unheard")).notes
        found_some = (await search_ads(session, query="running")).notes
        await session.execute(text("DELETE FROM new_version"))
        known = (await search_ads(session, query="unheard")).notes

    told = "The words of 2 ads are not read yet; that is done every ten minutes."
    assert told in missed
    assert told not in found_some
    assert told not in known
