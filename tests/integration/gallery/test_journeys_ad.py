"""The page of an ad in a real browser: its keys, its parts that are loaded after it."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Route, expect, sync_playwright

from adspark.db.engine import Database
from adspark.rendering.browser import PROGRAMS
from tests.support.gallery import serve_gallery
from tests.support.library import ad, buy_words, fill_library
from tests.support.noticed import add_picture

_MISSING = f"thumbnails/aa/{'a' * 64}.webp"  # a picture that the store does not have
_PATIENCE = 60_000  # milliseconds for the page to show something


async def _fill(database_url: str) -> None:
    async with Database(database_url) as database:
        await fill_library(database)
        async with database.session() as session:
            await buy_words(session, 3, headline="Running shoes", snippet="Light trail trainers")
            await buy_words(session, 4, headline="Running shoes", snippet="Light trail trainers")
            await session.commit()
        await add_picture(database, 3, _MISSING, at=datetime.now(UTC))


def test_an_ad_is_tagged_and_put_on_a_board_by_keys(database_url: str, tmp_path: Path) -> None:
    asyncio.run(_fill(database_url))
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    complaints: list[str] = []
    scripts: list[Route] = []

    def note(message: ConsoleMessage) -> None:
        if "404" not in message.text:  # no picture is kept here
            complaints.append(message.text)

    with serve_gallery(database_url, tmp_path / "media") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        page.on("console", note)
        # The page's script comes late: after the answer that the picture is missing.
        page.route("**/gallery.js*", lambda route: scripts.append(route))
        with page.expect_response(lambda answer: _MISSING in answer.url):
            page.goto(f"{url}/library", wait_until="commit")
        while not scripts:
            page.wait_for_timeout(50)
        scripts.pop().continue_()
        page.unroute_all()
        card = page.locator(f"[data-ad={ad(3)}] .shown")
        expect(card.locator(".no-picture")).to_contain_text("Running shoes")
        expect(card.locator("img")).to_have_count(0)
        page.goto(f"{url}/ads/{ad(3)}")

        page.keyboard.press("t")
        expect(page.get_by_label("New tag")).to_be_focused()
        page.keyboard.type("Autumn")
        page.keyboard.press("Enter")
        expect(page.locator("#tags")).to_contain_text("Autumn")
        page.keyboard.press("b")
        expect(page.get_by_label("New board")).to_be_focused()
        page.keyboard.type("Ideas")
        page.keyboard.press("Enter")
        expect(page.locator("#boards").get_by_role("link", name="Ideas")).to_be_visible()

        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.locator("#similar .card")).to_have_count(1)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360
        page.keyboard.press("v")
        page.wait_for_url(f"**/variants/new?ad={ad(3)}")
        browser.close()
    assert complaints == []
