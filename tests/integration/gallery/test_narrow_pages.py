"""What pages look like to a browser: tables and the menu on a phone, cards, buttons, times."""

from pathlib import Path

from playwright.async_api import Page

from adspark.creatives.boards import add_ads, find_or_create_board
from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.models import EventKind
from adspark.watches.definition import WatchFields
from adspark.watches.store import create_or_change_watch
from tests.support.factories import creative
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import CAFE, ad, fill_library
from tests.support.noticed import add_event, ago

_TOP = "all => all.map((one) => Math.round(one.getBoundingClientRect().top))"
_HIDDEN_COLUMNS = "all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
_WIDTH = "document.documentElement.scrollWidth"
_CUT = """all => all.filter((one) => one.getBoundingClientRect().right >
    one.closest(".card").getBoundingClientRect().right).length"""
_SIDE_BY_SIDE = """all => all.map((one) => [one.getBoundingClientRect(),
    one.closest("[data-placed]").getBoundingClientRect()])
    .filter(([one, place]) => one.right > place.right + 1).length"""
_OVERLAPS = """all => all.filter((card) => {
    const [box, picture] = [card.querySelector("input"), card.querySelector(".shown")];
    return box.getBoundingClientRect().top < picture.getBoundingClientRect().bottom;
}).length"""


async def _fill(database: Database) -> None:
    await fill_library(database)
    async with database.session() as session:
        first, last = (int(ago(days=days).timestamp()) for days in (1624, 0))
        rows = [creative(6, first_shown=first, last_shown=last)]
        await save_creatives(session, rows=rows, region="2840", platform="SEARCH")
        board, _ = await find_or_create_board(session, user_id=1, name="Ideas")
        await add_ads(session, board_id=board.id, ids=[ad(number) for number in range(1, 6)])
        changes: WatchFields = {"name": "Shops", "advertiser_ids": [CAFE], "monthly_budget": 0}
        await create_or_change_watch(session, changes=changes)
        await session.commit()
    await add_event(database, 1, EventKind.NEW, 4, at=ago(hours=1))


async def _look_on_a_phone(page: Page, url: str) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/advertisers", "/watches/1", f"/ads/{ad(4)}"):
        await page.goto(url + path)
        assert await page.locator(".wide, .scroll").evaluate_all(_HIDDEN_COLUMNS) == 0
        assert await page.evaluate(_WIDTH) == 360, path
    await page.goto(f"{url}/watches")
    spent = page.locator(".figures .problem")
    assert await spent.inner_text() == "The budget is 0, so that it never looks; raise the budget."
    assert await spent.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") < 16
    assert await page.locator("header.site").evaluate("one => one.offsetHeight") <= 80
    await page.goto(f"{url}/boards")
    current = await page.locator("header [aria-current]").evaluate(
        "one => one.getBoundingClientRect().right"
    )
    assert current <= 360  # the end of the menu, which is wider than the screen


async def _look_at_the_narrowest(page: Page, url: str) -> None:
    """What WCAG asks to be readable without scrolling sideways: 320 pixels."""
    await page.set_viewport_size({"width": 320, "height": 640})
    await page.goto(f"{url}/boards/1")
    assert await page.evaluate(_WIDTH) == 320
    assert await page.locator(".placed-actions button").evaluate_all(_SIDE_BY_SIDE) == 0
    for path in ("/library?sort=longest", "/library?sort=longest&view=list"):
        await page.goto(url + path)
        assert await page.evaluate(_WIDTH) == 320
        facts = page.locator(".card .facts > span")
        assert "running for 1,625 days" in await facts.all_inner_texts()
        assert await facts.evaluate_all(_CUT) == 0, path


async def _look_at_cards(page: Page, url: str) -> None:
    await page.set_viewport_size({"width": 1280, "height": 900})
    for path in ("/library", "/library?view=list"):
        await page.goto(url + path)
        facts = page.locator(f"[data-ad={ad(1)}] .facts")
        assert "shown 10 days" in await facts.inner_text()
        assert "last 2026-06-06" in await facts.inner_text()
    await page.goto(f"{url}/library")
    assert await page.locator(".card").evaluate_all(_OVERLAPS) == 0
    await page.goto(f"{url}/boards/1")
    first_row = (await page.locator(".placed-actions button").evaluate_all(_TOP))[:9]
    assert len(set(first_row)) == 1
    await page.goto(f"{url}/watches/1")
    assert (await page.locator("time").first.inner_text()).endswith(" GMT+5:45")


async def test_pages_look_as_they_should(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _fill(database)
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            page = await browser.new_page(timezone_id="Asia/Kathmandu")
            await _look_on_a_phone(page, url)
            await _look_at_the_narrowest(page, url)
            await _look_at_cards(page, url)
            await browser.close()
