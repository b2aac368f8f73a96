"""The first page: what is new by watch, and never "nothing new" where that is not known."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Coverage, EventKind
from tests.support.gallery import GalleryClient, open_gallery
from tests.support.library import ad
from tests.support.noticed import add_event, add_picture, add_watch, ago

NOTHING = "Nothing new."
SANDBOX = "This is the sandbox"
UNKNOWN = "It is not known whether anything is new."


async def test_without_a_watch_it_says_how_to_create_one(pages: GalleryClient) -> None:
    answer = await pages.get("/")

    assert answer.status_code == 200
    assert "There is no watch yet" in answer.text
    assert 'href="/watches/new"' in answer.text
    assert NOTHING not in answer.text


async def test_it_shows_what_each_watch_noticed_and_leads_to_the_library(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database)
    for number, kind in enumerate(
        (EventKind.NEW, EventKind.NEW, EventKind.CHANGED, EventKind.REACTIVATED, EventKind.ENDED), 1
    ):
        await add_event(database, watch_id, kind, number)
    await add_event(database, watch_id, EventKind.NEW, 3, at=ago(days=2))

    page = (await pages.get("/")).text

    assert "2 launches, 1 change, 1 returned, 1 ending in 1 watch." in page
    assert set(re.findall(r'data-ad="(CR\d{20})"', page)) == {ad(number) for number in range(1, 6)}
    for name in ("new", "changed", "reactivated", "ended"):
        assert f'href="/library?watch={watch_id}&amp;event={name}"' in page
    assert "Running shoes" in page  # its words
    assert "Everything was looked at" in page
    assert NOTHING not in page

    week = (await pages.get("/?since=week")).text
    assert "3 launches" in week


async def test_a_change_is_shown_by_the_pictures_before_and_after(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database)
    await add_event(database, watch_id, EventKind.BASELINE, 1, content_hash="a", at=ago(days=9))
    await add_picture(database, 1, "thumbnails/a", content_hash="a", at=ago(days=9))
    await add_picture(database, 1, "thumbnails/b", content_hash="b", at=ago(days=4))
    await add_event(database, watch_id, EventKind.CHANGED, 1, content_hash="b", at=ago(days=4))
    # Back to the first version, of which the picture was kept long ago.
    await add_event(database, watch_id, EventKind.CHANGED, 1, content_hash="a", at=ago(hours=2))

    page = (await pages.get("/")).text

    assert re.findall(r'src="/media/(thumbnails/\w)"', page) == ["thumbnails/b", "thumbnails/a"]
    assert page.index("Before") < page.index("thumbnails/b") < page.index("After")


async def test_a_picture_that_is_not_kept_is_not_replaced_by_an_older_one(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database)
    await add_event(database, watch_id, EventKind.BASELINE, 1, content_hash="a", at=ago(days=9))
    await add_picture(database, 1, "thumbnails/a", content_hash="a", at=ago(days=9))
    await add_event(database, watch_id, EventKind.CHANGED, 1, content_hash="b")

    page = (await pages.get("/")).text

    assert re.findall(r'src="/media/(thumbnails/\w)"', page) == ["thumbnails/a"]
    assert "Picture not kept" in page


@pytest.mark.parametrize(
    ("fields", "said", "words"),
    [
        ({}, NOTHING, "Everything was looked at"),
        (
            {"coverage": Coverage.PARTIAL, "problem": "more ads than <b>max_pages</b>"},
            UNKNOWN,
            "saw only a part:</span>\n more ads than &lt;b&gt;max_pages",
        ),
        (
            {"coverage": Coverage.NONE, "problem": "no searches left"},
            UNKNOWN,
            "It could not be looked at:</span>\n no searches left",
        ),
        ({"coverage": None, "checked_at": None, "complete_at": None}, UNKNOWN, "Nobody has looked"),
        ({"complete_at": ago(days=2)}, UNKNOWN, "Nobody has looked since then"),
        ({"is_active": False}, UNKNOWN, "Paused: nobody looks"),
        ({"due_at": ago(hours=3)}, NOTHING, "The next look is late"),
        (
            {"due_at": ago(hours=3), "monthly_budget": 0},
            NOTHING,
            "Next look: none, its budget is 0.",
        ),
        ({"has_gaps": True}, NOTHING, "may never have been seen"),
        (
            {"baseline_at": ago(hours=2)},
            "Nothing new since the first look",
            "The first look was only at",
        ),
    ],
)
async def test_nothing_new_is_said_only_where_it_is_known(
    pages: GalleryClient, database: Database, fields: dict[str, Any], said: str, words: str
) -> None:
    await add_watch(database, **fields)

    page = (await pages.get("/")).text

    assert said in page
    assert words in page
    assert (NOTHING in page) == (said == NOTHING)
    assert "the watches noticed nothing" in page


async def test_watches_with_news_come_first_then_those_not_fully_looked_at(
    pages: GalleryClient, database: Database
) -> None:
    await add_watch(database, name="a quiet")
    await add_watch(database, name="b partial", coverage=Coverage.PARTIAL, problem="a gap")
    await add_watch(database, name="c late", due_at=ago(hours=5))
    newsy = await add_watch(database, name="d news")
    await add_event(database, newsy, EventKind.NEW, 1)

    def names(page: str) -> list[str]:
        return re.findall(r'<h2 id="watch-\d+"><a href="[^"]*">(.*?)</a>', page)

    page = (await pages.get("/")).text
    assert names(page) == ["d news", "b partial", "c late", "a quiet"]
    assert "2 watches were not fully looked at, or not in time" in page
    assert names((await pages.get("/?show=incomplete")).text) == ["b partial", "c late"]
    assert names((await pages.get("/?show=news")).text) == ["d news"]


async def test_many_watches_are_pages(pages: GalleryClient, database: Database) -> None:
    for number in range(13):
        await add_watch(database, name=f"watch {number:02}")

    first, second = (await pages.get("/")).text, (await pages.get("/?page=2")).text

    assert first.count('<section class="watch-news"') == 8
    assert second.count('<section class="watch-news"') == 5
    assert 'href="/?page=2"' in first
    assert 'rel="next"' not in second
    assert (await pages.get("/?page=3")).status_code == 404


async def test_since_the_last_visit_is_since_the_visit_before(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database)
    await add_event(database, watch_id, EventKind.NEW, 1, at=ago(hours=5))
    await add_event(database, watch_id, EventKind.NEW, 2, at=ago(hours=2))

    assert "No earlier visit" in (await pages.get("/?since=visit")).text
    assert "No earlier visit" in (await pages.get("/?since=visit")).text
    last = int(ago(hours=3).timestamp())
    pages.cookies.set("adspark_seen_1", f"{last - 86_400}.{last}", domain="127.0.0.1")

    for _ in range(2):  # a page that is loaded again shows the same
        page = (await pages.get("/?since=visit")).text
        assert "1 launch in 1 watch" in page


@pytest.mark.parametrize("cookie", ["x", "1.2.3", "99999999999.99999999999", ".", "5.0"])
async def test_a_spoiled_cookie_is_no_visit(pages: GalleryClient, cookie: str) -> None:
    pages.cookies.set("adspark_seen_1", cookie, domain="127.0.0.1")

    assert (await pages.get("/?since=visit")).status_code == 200


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=9x"])
async def test_nonsense_in_the_address_is_a_page_that_leads_on(
    pages: GalleryClient, query: str
) -> None:
    answer = await pages.get(f"/?{query}")

    assert answer.status_code == 404
    assert 'href="/library"' in answer.text


async def test_an_ad_that_was_cleaned_up_is_said_to_be_gone(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, name="<script>alert(1)</script>")
    await add_event(database, watch_id, EventKind.ENDED, 99)

    page = (await pages.get("/")).text

    assert "No longer stored" in page
    assert f'href="/ads/{ad(99)}"' not in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("events", "launches", "link"),
    [
        (1000, "1,000 launches", "All 5 launched ads in the library"),  # others were cleaned up
        (1200, "1,200 launches", "See all in the library"),
    ],
)
async def test_of_many_events_some_are_shown_and_all_are_counted(
    pages: GalleryClient, database: Database, events: int, launches: str, link: str
) -> None:
    watch_id = await add_watch(database)
    async with database.session() as session:
        await session.execute(
            text(
                "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash) "
                "SELECT :watch_id, 'CR' || lpad(n::text, 20, '0'), 'new', '' "
                "FROM generate_series(1, :events) AS n"
            ),
            {"watch_id": watch_id, "events": events},
        )
        await session.commit()

    page = (await pages.get("/")).text

    assert launches in page
    assert page.count('<article class="card') == 4
    assert link in page


async def test_where_nothing_is_new_it_says_what_would_have_to_happen_and_when_the_next_look_is(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, due_at=ago(minutes=-55))
    await add_event(database, watch_id, EventKind.BASELINE, 1)
    soon = (await pages.get("/")).text
    assert "News are what a watch finds after its first look" in soon
    assert "1 ad is known from the start; it is no news." in soon
    assert re.search(r"News are what .*Next look: <time", soon)
    assert SANDBOX not in soon

    async with database.session() as session:
        await session.execute(text("UPDATE watch SET due_at = now() - interval '1 minute'"))
        await session.commit()
    assert "The next look is due, and comes within half an hour." in (await pages.get("/")).text
    async with database.session() as session:
        await session.execute(text("UPDATE watch SET is_active = false"))
        await session.commit()
    assert (
        "All watches are paused or have the budget 0: nobody looks." in (await pages.get("/")).text
    )

    await add_event(database, watch_id, EventKind.NEW, 2)
    assert "News are what a watch finds" not in (await pages.get("/")).text


async def test_on_the_sandbox_it_says_how_to_see_a_launch(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await add_watch(database)
    address: dict[str, Any] = {"sandbox_port": 4321, "serpapi_url": "http://127.0.0.1:4321"}
    async with open_gallery(database_url, tmp_path / "media", **address) as client:
        page = (await client.get("/")).text

    assert SANDBOX in page
    assert '<a href="http://127.0.0.1:4321/">' in page
