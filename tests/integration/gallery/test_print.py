"""Pages on paper, as a browser prints them: what there is to read, light, and not cut in two."""

from pathlib import Path

from playwright.async_api import Page, expect

from adspark.creatives.board_changes import version_of, write_board_note
from adspark.db.engine import Database
from adspark.library.marks.notes import write_note
from adspark.models import EventKind
from adspark.watches.store import create_or_change_watch
from tests.support.gallery import open_page
from tests.support.library import CAFE, SHOP, ad, fill_library, make_board
from tests.support.noticed import add_event, ago
from tests.support.variants_at_hand import ask, finish

_PAGES = (
    "/",
    "/library",
    "/boards/1",
    f"/ads/{ad(1)}",
    "/advertisers",
    f"/advertisers/{CAFE}",
    f"/compare?advertiser={CAFE}&advertiser={SHOP}",
    "/watches/1",
    "/variants",
    "/variants/1",
)
_CONTROLS = "header.site, main :is(button, .button, input, select, textarea)"
_SHOWN = "all => all.filter((one) => one.checkVisibility()).map((one) => one.outerHTML)"
_CUT = """all => all.filter((one) => one.checkVisibility() &&
    getComputedStyle(one).breakInside !== "avoid").length"""


async def _fill(database: Database) -> None:
    await fill_library(database)
    await make_board(database, 1, 2)
    async with database.session() as session:
        note, version = "Bold colours", version_of("")
        await write_board_note(session, board_id=1, ad=ad(1), note=note, version=version)
        await write_note(
            session, user_id=1, ad_creative_id=ad(1), text="Ask legal", is_shared=False
        )
        await create_or_change_watch(session, changes={"name": "Shops", "advertiser_ids": [CAFE]})
        await finish(session, await ask(session, ad(1)), image_path=None)
        await session.commit()
    await add_event(database, 1, EventKind.NEW, 4, at=ago(hours=1))


async def _print(page: Page, url: str) -> None:
    for path in _PAGES:
        await page.goto(url + path)
        assert await page.locator(_CONTROLS).evaluate_all(_SHOWN) == [], path
        assert await page.locator(".card, .chart, main tr").evaluate_all(_CUT) == 0, path
        await expect(page.locator("h1").first).to_be_visible()
        colours = (
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).background]"
        )
        text, ground = await page.evaluate(colours)
        assert text == "rgb(26, 29, 35)"
        assert ground.startswith("rgb(255, 255, 255)")
    await page.goto(f"{url}/boards/1")
    note = page.locator(f'[data-placed="{ad(1)}"] .printed')
    await expect(note).to_have_text("Bold colours")
    await expect(note).to_be_visible()
    await page.goto(f"{url}/ads/{ad(1)}")
    await expect(page.locator("#note .printed")).to_have_text("Ask legal")
    await expect(page.locator("#note .printed")).to_be_visible()


async def test_pages_are_printed_without_what_is_pressed_or_typed_in(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _fill(database)
    async with open_page(
        database_url, tmp_path / "media", viewport={"width": 1280, "height": 900}
    ) as (page, url):
        await page.goto(f"{url}/library")
        await page.get_by_role("button", name="Light or dark").click()
        await page.get_by_role("checkbox").first.check()
        await page.emulate_media(media="print")
        await _print(page, url)
