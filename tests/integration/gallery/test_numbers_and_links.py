"""A number beside a link is how many its link shows, also after a watch's search was changed."""

import re

import httpx
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Coverage, EventKind
from adspark.watches.store import change_watch
from tests.support.gallery import GalleryClient
from tests.support.library import ad
from tests.support.noticed import add_event, add_watch, ago

_LINK = "INSERT INTO watch_creative (watch_id, ad_creative_id) VALUES (:watch_id, :ad)"
_TO_LIBRARY = re.compile(r'href="(/library\?[^"]+)">([^<]*)')


async def link(database: Database, watch_id: int, *numbers: int) -> None:
    """Let the watch find ads."""
    async with database.session() as session:
        for number in numbers:
            await session.execute(text(_LINK), {"watch_id": watch_id, "ad": ad(number)})
        await session.commit()


async def search_in(database: Database, watch_id: int, region: str) -> None:
    """Change the search of the watch."""
    async with database.session() as session:
        await change_watch(session, watch_id=watch_id, changes={"region": region})
        await session.commit()


async def watch_with_a_past(database: Database) -> int:
    """A watch of which each kind of event is known, some of one ad twice, and one of a gone ad."""
    watch_id = await add_watch(database)
    for number in (1, 2, 3, 99):
        await add_event(database, watch_id, EventKind.BASELINE, number)
    await add_event(database, watch_id, EventKind.NEW, 4)
    await add_event(database, watch_id, EventKind.NEW, 5, at=ago(days=3))
    for number in (1, 1, 99):
        await add_event(database, watch_id, EventKind.CHANGED, number)
    await add_event(database, watch_id, EventKind.ENDED, 2)
    await add_event(database, watch_id, EventKind.REACTIVATED, 2)
    await link(database, watch_id, 1, 2, 3, 4, 5, 99)
    return watch_id


async def is_searched_anew_after_a_change(database: Database, watch_id: int) -> None:
    """Its search is another one and then the first again, which is looked at once more."""
    await search_in(database, watch_id, "2276")
    await search_in(database, watch_id, "2840")
    for number in (1, 2, 3, 4):
        await add_event(database, watch_id, EventKind.BASELINE, number)
    await link(database, watch_id, 1, 2, 3, 4)


async def total_of(pages: GalleryClient, link: str) -> int:
    """How many ads the library shows."""
    page = (await pages.get(link.replace("&amp;", "&"))).text
    found = re.search(r'<p class="total">([\d,]+) ads?\b', page)
    return int(found[1]) if found else 0


async def check_news(pages: GalleryClient, *, kinds: int) -> None:
    """Hold each number of the first page against the library that its link shows."""
    page = (await pages.get("/")).text
    links = _TO_LIBRARY.findall(page)
    assert len(links) == kinds
    known = re.findall(r"([\d,]+) ads? (?:is|are) known from the start", page)
    for link, words in links:
        (said,) = known if "event=baseline" in link else re.findall(r"[\d,]+", words)
        assert int(said) == await total_of(pages, link) > 0, link


async def check_watch(pages: GalleryClient, watch_id: int, *, ads: int) -> None:
    """Hold the ads of a watch, wherever their number stands, against those that are shown."""
    for path in ("/watches", f"/watches/{watch_id}"):
        page = (await pages.get(path)).text
        (said,) = re.findall(rf'<a href="/library\?watch={watch_id}">([\d,]+)</a>', page)
        assert int(said) == ads
    assert await total_of(pages, f"/library?watch={watch_id}") == ads
    (row,) = (await pages.get("/api/v1/watches")).json()
    found = (await pages.get(f"/api/v1/ads?watch={watch_id}")).json()
    assert row["creatives"] == found["total"] == ads


async def test_each_number_of_a_watch_is_how_many_ads_its_link_shows(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await watch_with_a_past(database)

    await check_news(pages, kinds=5)
    await check_watch(pages, watch_id, ads=5)


async def test_so_it_is_until_a_changed_search_is_looked_at_and_afterwards(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await watch_with_a_past(database)

    await search_in(database, watch_id, "2276")
    await check_news(pages, kinds=5)
    await check_watch(pages, watch_id, ads=0)

    await is_searched_anew_after_a_change(database, watch_id)
    await check_news(pages, kinds=5)
    await check_watch(pages, watch_id, ads=4)
    assert "4 ads are known from the start" in (await pages.get("/")).text


async def test_what_a_program_finds_by_watch_and_event_is_what_the_watch_noticed(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await watch_with_a_past(database)
    await search_in(database, watch_id, "2276")

    async def ads(event: str) -> httpx.Response:
        return await pages.get(f"/api/v1/ads?watch={watch_id}&event={event}")

    for event, number in (("baseline", 3), ("new", 2), ("changed", 1), ("ended", 1)):
        assert (await ads(event)).json()["total"] == number, event


async def test_watches_boards_and_advertisers_are_as_many_as_their_links_show(
    pages: GalleryClient, database: Database
) -> None:
    await add_watch(database, name="quiet")
    newsy = await add_watch(database, name="newsy", coverage=Coverage.PARTIAL, problem="a gap")
    await add_event(database, newsy, EventKind.NEW, 1)

    page = (await pages.get("/")).text
    assert "1 launch in 1 watch" in page
    assert (await pages.get("/?show=news")).text.count('class="watch-news"') == 1
    assert "1 watch was not fully looked at" in page
    assert (await pages.get("/?show=incomplete")).text.count('class="watch-news"') == 1

    await pages.send_form("/selection", do="board", board="Best", ad=[ad(1), ad(4)])
    boards = (await pages.get("/boards")).text
    (board, said) = re.findall(r'<a href="(/boards/\d+)">.*?</a><span>(\d+) ads</span>', boards)[0]
    assert int(said) == (await pages.get(board)).text.count('<article class="card"') == 2

    rows = re.findall(
        r'<a href="/advertisers/(AR\d{20})">.*?<td class="figure"[^>]*>(\d+)</td>',
        (await pages.get("/advertisers")).text,
        re.DOTALL,
    )
    assert len(rows) == 3
    for advertiser, number in rows:
        assert int(number) == await total_of(pages, f"/library?advertiser={advertiser}")
