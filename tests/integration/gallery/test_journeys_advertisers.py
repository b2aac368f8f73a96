"""A person compares advertisers in a browser, on a wide screen and on a phone."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Page

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from tests.support.factories import creative
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import CAFE, ad, fill_library

DAY = timedelta(days=1)


async def _fill(database: Database) -> None:
    """The small library, and two ads of the café: one ran long ago, one runs."""
    await fill_library(database)
    now = datetime.now(UTC)
    spans = {11: (now - 100 * DAY, now - 90 * DAY), 12: (now - 30 * DAY, now)}
    rows = [
        creative(
            number,
            advertiser_id=CAFE,
            advertiser="Café Zoë",
            first_shown=int(first.timestamp()),
            last_shown=int(last.timestamp()),
        )
        for number, (first, last) in spans.items()
    ]
    async with database.session() as session:
        await save_creatives(session, rows=rows, region="2276", platform="YOUTUBE")
        await session.commit()


async def _check_width(page: Page) -> None:
    """Nothing sticks out to the side."""
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


async def _tops(page: Page) -> list[float]:
    """How far down each of those compared begins."""
    found = await page.locator(".compared h2").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().top)"
    )
    return [float(one) for one in found]


async def test_two_advertisers_are_chosen_compared_and_one_is_seen_as_of_a_day(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _fill(database)
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            page = await browser.new_page(viewport={"width": 1280, "height": 900})
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))

            await page.goto(f"{url}/advertisers?q=zoe")
            await page.get_by_role("link", name="Café Zoë").wait_for()
            await page.goto(f"{url}/advertisers")
            await page.get_by_label("Select Café Zoë").check()
            await page.get_by_label("Select New Balance").check()
            await page.get_by_role("button", name="Compare those selected").click()
            await page.wait_for_url("**/compare?**")
            charts = page.get_by_role("img", name="Ads running at the end of each week")
            assert await charts.count() >= 1
            first, second = await _tops(page)
            assert first == second
            await page.set_viewport_size({"width": 360, "height": 740})
            first, second = await _tops(page)
            assert first < second
            await _check_width(page)

            await page.get_by_role("heading", name="Café Zoë").get_by_role("link").click()
            await page.wait_for_url("**/advertisers/AR*")
            await _check_width(page)
            shown = page.locator("[data-day-shown]")
            assert await shown.locator(f'a[href="/ads/{ad(12)}"]').count() == 1
            slider = page.get_by_label("Drag to another day")
            last = int(await slider.get_attribute("max") or 0)
            await slider.fill(str(last - 95))
            await shown.locator(f'a[href="/ads/{ad(11)}"]').wait_for()
            assert await shown.locator(f'a[href="/ads/{ad(12)}"]').count() == 0
            day = await page.get_by_label("Day", exact=True).input_value()
            assert re.search(rf"day={day}", page.url)
            await page.reload()
            assert await shown.locator(f'a[href="/ads/{ad(11)}"]').count() == 1
            assert said == []
            await browser.close()
