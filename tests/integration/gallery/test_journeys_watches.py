"""A watch created in a real browser, on a phone: its cost follows what is typed; its news."""

import asyncio
import re
import shutil
from pathlib import Path

from playwright.sync_api import ConsoleMessage, expect, sync_playwright

from adspark.db.engine import Database
from adspark.models import EventKind
from adspark.rendering.browser import PROGRAMS
from tests.support.factories import ADVERTISER_ID
from tests.support.gallery import serve_gallery
from tests.support.library import fill_library
from tests.support.noticed import add_event, add_looks, add_watch

_PATIENCE = 60_000  # milliseconds for the page to show something


async def _fill(database_url: str) -> None:
    async with Database(database_url) as database:
        await fill_library(database)
        watch_id = await add_watch(database, name="known")
        await add_looks(database, watch_id, [0, 1])
        for number, kind in enumerate((EventKind.NEW, EventKind.CHANGED, EventKind.ENDED), 1):
            await add_event(database, watch_id, kind, number)


def test_a_watch_is_created_with_its_cost_in_view(database_url: str, tmp_path: Path) -> None:
    asyncio.run(_fill(database_url))
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # No picture is kept here, a number is refused, and the cost is not told for a while.
        if not any(one in message.text for one in ("404", "422", "503", "ERR_FAILED")):
            complaints.append(message.text)

    with serve_gallery(database_url, tmp_path / "media") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        page.on("console", note)
        page.goto(url)
        expect(page.get_by_role("heading", name="1 launch")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360

        page.get_by_role("link", name="Watches").first.click()
        page.get_by_role("link", name="Create a watch").click()
        page.get_by_role("textbox", name=re.compile("^Name")).fill("Zoë")
        page.get_by_role("textbox", name=re.compile("^Advertiser")).fill("zoe.example.com")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("checkbox", name=re.compile("Café Zoë"))).to_be_checked()
        minutes = page.get_by_label("Minutes between two looks")
        minutes.fill("2h")
        expect(page.locator("#problem-interval_minutes")).to_have_text(
            "'2h' is not a whole number."
        )
        expect(page.get_by_text("A month costs")).to_be_hidden()
        minutes.fill("1440")
        expect(page.locator("#problem-interval_minutes")).to_have_count(0)
        expect(page.locator("[data-estimate-text]")).to_contain_text("about 34 searches")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_role("button", name="Save").click()

        page.wait_for_url(re.compile(r"/watches/\d+$"))
        expect(page.get_by_role("status").first).to_contain_text("The watch is created")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.goto(f"{url}/watches/1/edit")
        expect(page.locator("[data-estimate-text]")).to_contain_text("about 360 searches")
        page.get_by_role("combobox", name=re.compile("^Region")).fill("france")
        expect(page.locator("[data-estimate-text]")).to_contain_text("about 724 searches")
        page.get_by_role("combobox", name=re.compile("^Region")).fill("")
        expect(page.locator("[data-estimate-text]")).to_contain_text("about 360 searches")
        page.get_by_role("checkbox", name=re.compile(ADVERTISER_ID)).uncheck()
        expect(page.locator("[data-estimate-text]")).to_contain_text("about 724 searches")
        for refuse in (lambda route: route.abort(), lambda route: route.fulfill(status=503)):
            page.route("**/watches/estimate*", refuse)
            minutes.fill("720")
            expect(page.locator("[data-estimate-text]")).to_contain_text("is not known just now")
            page.unroute("**/watches/estimate*")
            minutes.fill("60")
            expect(page.locator("[data-estimate-text]")).to_contain_text("about 724 searches")
        page.go_back()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Look now")).to_be_disabled()
        browser.close()

    assert complaints == []
