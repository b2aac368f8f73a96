"""Going back in the browser: forms stand as they are stored, lists where they were left."""

from pathlib import Path

from playwright.async_api import Locator, expect
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from tests.support.factories import creative
from tests.support.gallery import open_page
from tests.support.noticed import add_watch
from tests.support.variants_at_hand import AD, make_finished, store_ads


async def _store_ads(database: Database, count: int) -> None:
    async with database.session() as session:
        await save_creatives(session, rows=[creative(number) for number in range(1, count + 1)])
        await session.commit()


async def _load_more(cards: Locator, most: int) -> None:
    """Scroll to the end of each page of 60 ads up to so many, until the next one is there."""
    for loaded in range(60, most + 1, 60):
        await cards.nth(loaded - 1).scroll_into_view_if_needed()
        await expect(cards.nth(loaded)).to_be_attached()


async def test_a_watchs_form_shows_what_is_stored_after_going_back_to_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    watch = await add_watch(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/watches/{watch}/edit")
        platform, political = page.get_by_label("Platform"), page.get_by_label("Political")
        stored = await platform.input_value()
        await platform.select_option("YOUTUBE")
        await political.check()
        await page.goto(f"{url}/watches")
        await page.go_back()

        await expect(platform).to_have_value(stored)
        await expect(political).not_to_be_checked()


async def test_a_review_shows_what_is_stored_after_going_back_to_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await make_finished(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/variants/1")
        form = page.locator("form.review")
        await form.get_by_label("4", exact=True).check()
        await form.get_by_role("checkbox").first.check()
        await form.get_by_label("Comment").fill("Old")
        await page.goto(f"{url}/variants")
        await page.go_back()

        await expect(form.get_by_label("4", exact=True)).not_to_be_checked()
        await expect(form.get_by_role("checkbox").first).not_to_be_checked()
        await expect(form.get_by_label("Comment")).to_have_value("")


async def test_the_library_is_where_it_was_left_for_an_ad(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _store_ads(database, 240)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/library")
        cards = page.locator("[data-pages] > .card")
        await _load_more(cards, 180)
        await cards.nth(180).scroll_into_view_if_needed()
        ad = await cards.nth(180).get_attribute("data-ad")
        shown = page.locator(f'[data-ad="{ad}"]')
        await shown.locator(".shown").click()
        await expect(page).to_have_url(f"{url}/ads/{ad}")
        await page.go_back()
        await expect(shown).to_be_in_viewport()
        await page.reload()
        await expect(shown).to_be_in_viewport()

        await page.goto(f"{url}/library?q=")
        await expect(cards.first).to_be_in_viewport()


async def test_ticks_and_prompts_that_were_not_sent_are_there_after_going_back(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with database.session() as session:
        await store_ads(session)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/library")
        tick = page.locator(f'[data-ad="{AD}"] input[name=ad]')
        await tick.check()
        await page.goto(f"{url}/ads/{AD}")
        await page.go_back()
        await expect(tick).to_be_checked()

        await page.goto(f"{url}/variants/new?ad={AD}")
        await page.locator("textarea[name=prompt]").first.fill("Red")
        await page.goto(f"{url}/ads/{AD}")
        await page.go_back()
        await expect(page.locator("textarea[name=prompt]").first).to_have_value("Red")


async def test_the_library_shows_new_ads_when_it_is_loaded_again_at_its_top(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _store_ads(database, 60)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/library")
        newest = [creative(number, last_shown=1_787_000_000) for number in range(101, 131)]
        async with database.session() as session:
            await save_creatives(session, rows=newest)
            await session.commit()
        await page.reload()
        await expect(page.locator("[data-pages] > .card")).to_have_count(60)
        await page.wait_for_load_state("networkidle")
        assert await page.evaluate("scrollY") == 0


async def test_the_library_is_where_it_was_left_though_that_ad_was_deleted(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _store_ads(database, 300)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/library")
        cards = page.locator("[data-pages] > .card")
        await _load_more(cards, 240)
        await cards.nth(80).evaluate("one => one.scrollIntoView({ behavior: 'instant' })")
        first = await page.evaluate(
            "[...document.querySelectorAll('[data-pages] > .card')]"
            ".find((one) => one.getBoundingClientRect().bottom > 0).dataset.ad"
        )
        following = await page.locator(f'[data-ad="{first}"] + .card').get_attribute("data-ad")
        async with database.session() as session:
            deleted = text("DELETE FROM creative WHERE ad_creative_id = :ad")
            await session.execute(deleted, {"ad": first})
            await session.commit()
        await page.reload()
        await expect(page.locator(f'[data-ad="{following}"]')).to_be_in_viewport()
        await page.wait_for_load_state("networkidle")
        assert await cards.count() < 240
