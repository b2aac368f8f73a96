"""A person requests variants in a real browser, sees them being made, and judges them by keys."""

from pathlib import Path

from playwright.async_api import ConsoleMessage, expect

from adspark.db.engine import Database
from adspark.variants.lists import list_variants
from adspark.variants.reviews.store import list_reviews
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import ad, fill_library
from tests.support.variants_at_hand import begin, finish, read

_PATIENCE = 120_000  # milliseconds


async def test_from_a_selection_of_ads_to_two_decisions(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            page = await browser.new_page(viewport={"width": 360, "height": 740})
            page.set_default_timeout(_PATIENCE)
            expect.set_options(timeout=_PATIENCE)
            mistakes: list[str] = []

            def note(message: ConsoleMessage) -> None:
                if message.type == "error":
                    mistakes.append(message.text)

            page.on("pageerror", lambda error: mistakes.append(str(error)))
            page.on("console", note)

            await page.goto(f"{url}/variants/new?ad={ad(1)}&ad={ad(2)}")
            await page.get_by_label("What the variant should be like").fill("For the winter")
            await page.get_by_role("button", name="Go on").click()
            await expect(page.get_by_text("These are 2 generations")).to_be_visible()
            await page.get_by_role("button", name="Yes, request them").click()
            await expect(page.get_by_text("0 of 2")).to_be_visible()
            notice = page.locator("[data-notice]")
            await expect(notice).to_contain_text("Requested")

            async with database.session() as session:
                second, first = [one.id for one in await list_variants(session, limit=2)]
                await begin(session, await read(session, first))
                await session.commit()
                await expect(page.locator(".card .processing")).to_be_visible()
                await expect(notice).to_have_count(0)  # what it said has moved on
                await page.goto(f"{url}/variants")
                await expect(page.get_by_text("1 rendering the original")).to_be_visible()
                await page.goto(f"{url}/variants/{first}")
                await expect(page.get_by_role("button", name="Cancel it")).to_be_visible()
                for number in (first, second):
                    made = await read(session, number)
                    await finish(session, made, description="Running boots", image_path=None)
                await session.commit()

            await expect(page.get_by_role("button", name="Approve (a)")).to_be_visible()
            await expect(page.locator("ins")).to_have_text("boots")
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360
            await page.get_by_label("Clear copy", exact=True).check()
            await page.get_by_label("Comment").fill("a r n are letters here")
            await page.get_by_role("heading", name="Your review").click()
            await page.keyboard.press("a")
            await expect(page.get_by_text("Your approval is saved.")).to_be_visible()
            await page.keyboard.press("n")
            await page.wait_for_url(f"{url}/variants/{second}")
            await expect(notice).to_have_count(0)  # it was for one page
            await page.keyboard.press("r")
            await expect(page.get_by_text("Your rejection is saved.")).to_be_visible()
            await expect(page.get_by_text("No other review waits.")).to_be_visible()
            await browser.close()

    async with database.session() as session:
        kept = [(await list_reviews(session, variant_id=one))[0] for one in (first, second)]
    assert [one.is_approved for one in kept] == [True, False]
    assert (kept[0].reasons, kept[0].comment) == (["clear_copy"], "a r n are letters here")
    assert mistakes == []
