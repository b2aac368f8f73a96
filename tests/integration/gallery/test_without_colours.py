"""Pages for those who see other colours, or none: forced colours, and accessible names."""

import io
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page

from adspark.db.engine import Database
from adspark.library.marks.tags import tag_ads
from adspark.watches.store import create_or_change_watch
from tests.support.gallery import open_page
from tests.support.library import CAFE, ad, fill_library, make_board

# Links and buttons whose name leaves out a word that is seen on them; arrows are none.
_UNNAMED = r"""all => all.filter((one) => {
    const seen = one.innerText.replace(/[^\p{L}\p{N}\s:]/gu, "").trim();
    return one.checkVisibility() && !one.getAttribute("aria-label").includes(seen);
}).map((one) => one.outerHTML)"""


async def _line_below(link: Locator) -> tuple[int, ...]:
    """The colour of the lowest pixels of a link."""
    picture = Image.open(io.BytesIO(await link.screenshot())).convert("RGB")
    colour = picture.getpixel((picture.width // 2, picture.height - 1))
    assert isinstance(colour, tuple)
    return colour


async def _look_at_what_is_current(page: Page, url: str) -> None:
    await page.emulate_media(forced_colors="active")
    for path in ("/", "/library", f"/advertisers/{CAFE}"):
        await page.goto(url + path)
        for group in await page.locator("header.site nav, .views:has([aria-current])").all():
            current = [
                await _line_below(one) for one in await group.locator("a[aria-current]").all()
            ]
            others = [
                await _line_below(one) for one in await group.locator("a:not([aria-current])").all()
            ]
            assert len(current) == 1
            assert len(set(others)) == 1
            assert current[0] not in others, path


async def _look_at_names(page: Page, url: str) -> None:
    for path in (
        "/library?format=text&running=no&advertiser=Café+Zoë",
        "/boards/1",
        f"/ads/{ad(1)}",
        "/advertisers",
    ):
        await page.goto(url + path)
        named = page.locator(":is(a, button)[aria-label]")
        assert await named.evaluate_all(_UNNAMED) == [], path
    await page.goto(f"{url}/library?format=text&running=no")
    await page.get_by_role("link", name="Without Format: Text").click()
    await page.wait_for_url(f"{url}/library?running=no")


async def test_what_is_current_and_what_is_named_is_told_without_colours(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2)
    async with database.session() as session:
        await tag_ads(session, user_id=1, tag="Autumn", ids=[ad(1)])
        await create_or_change_watch(session, changes={"name": "Shops", "advertiser_ids": [CAFE]})
        await session.commit()
    async with open_page(
        database_url, tmp_path / "media", viewport={"width": 1280, "height": 900}
    ) as (page, url):
        await _look_at_what_is_current(page, url)
        await _look_at_names(page, url)
