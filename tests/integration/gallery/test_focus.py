"""What has the focus of the keyboard, in a browser: it is seen, and kept where a form leads back."""

from pathlib import Path

from playwright.async_api import Page

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from tests.support.factories import creative
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import fill_library

_PATIENCE = 60_000  # milliseconds
_IS_SEEN = """() => {
    const [one, steps] = [document.activeElement, [.02, .25, .5, .75, .98]];
    const box = one.getBoundingClientRect();
    return steps.some((x) => steps.some((y) => one.contains(
        document.elementFromPoint(box.left + x * box.width, box.top + y * box.height))));
}"""


async def _hidden_stops(page: Page) -> list[str]:
    """What is covered while it has the focus, as one goes on from the first ad, selected."""
    await page.locator('[data-pages] input[name="ad"]').first.press("Space")
    hidden = []
    for _ in range(16):
        await page.keyboard.press("Tab")
        if not await page.evaluate(_IS_SEEN):
            hidden.append(await page.evaluate("document.activeElement.outerHTML"))
    return hidden


async def test_the_bar_of_a_selection_covers_nothing_that_has_the_focus(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    async with database.session() as session:
        await save_creatives(session, rows=[creative(number) for number in range(10, 30)])
        await session.commit()
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            page = await browser.new_page(reduced_motion="reduce")
            page.set_default_timeout(_PATIENCE)
            for width, height in ((640, 400), (320, 640), (320, 256), (1280, 600)):
                await page.set_viewport_size({"width": width, "height": height})
                for view in ("", "?view=list"):
                    await page.goto(f"{url}/library{view}")
                    assert await _hidden_stops(page) == [], (width, height, view)
                    bar = page.locator(".selection .actions")
                    place = await bar.evaluate("one => getComputedStyle(one).position")
                    assert place == ("sticky" if height > 500 else "static")
            await browser.close()
