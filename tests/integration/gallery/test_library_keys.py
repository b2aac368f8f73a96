"""The library by keys, in a browser: from ad to ad, selected, tagged, onto a board, to variants."""

from pathlib import Path

from playwright.async_api import expect

from adspark.db.engine import Database
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import ad, fill_library

_PATIENCE = 60_000  # milliseconds
_NO_STORAGE = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("It is blocked.", "SecurityError"); }
})"""


async def test_all_is_done_by_keys_also_where_the_browser_keeps_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            page = await browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(_PATIENCE)
            expect.set_options(timeout=_PATIENCE)
            await page.add_init_script(_NO_STORAGE)
            keys = page.keyboard

            def card(number: int) -> str:
                return f'.card[data-ad="{ad(number)}"]'

            await page.goto(f"{url}/library?words=yes")
            shown = [
                int(one[2:])
                for one in await page.locator(".card").evaluate_all(
                    "all => all.map((one) => one.dataset.ad)"
                )
            ]
            first, second, third = shown
            await keys.press("b")  # nothing is selected, and no ad has the focus
            await keys.press("v")
            assert page.url.endswith("/library?words=yes")

            await keys.press("ArrowRight")
            await expect(page.locator(f"{card(first)} .shown")).to_be_focused()
            await keys.press("ArrowRight")
            await expect(page.locator(f"{card(second)} .shown")).to_be_focused()
            await keys.press("x")
            await expect(page.locator(f"{card(second)} input")).to_be_checked()
            await keys.press("ArrowRight")
            await keys.press("t")
            await expect(page.get_by_placeholder("Tag")).to_be_focused()
            await expect(page.locator(f"{card(third)} input")).not_to_be_checked()
            await keys.type("Autumn")
            await keys.press("Enter")
            await expect(page.get_by_role("status")).to_have_text(
                "Tagged: 1 that did not have “Autumn” before."
            )
            await expect(page.locator(f"{card(second)} .tags")).to_have_text("Autumn")

            await keys.press("ArrowDown")
            await expect(page.locator(f"{card(first)} .shown")).to_be_focused()
            await keys.press("b")  # the ad that has the focus
            await expect(page.locator(f"{card(first)} input")).to_be_checked()
            await keys.type("Ideas")
            await keys.press("Enter")
            await expect(page.get_by_role("status")).to_have_text(
                "On the board “Ideas”: 1 not there before."
            )
            await keys.press("ArrowRight")
            await keys.press("ArrowRight")
            await keys.press("v")
            await page.wait_for_url(f"**/variants/new?ad={ad(second)}")
            await browser.close()
