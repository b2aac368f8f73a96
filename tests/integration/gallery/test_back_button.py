"""Going back in the browser: forms stand as they are stored, lists where they were left."""

from pathlib import Path

from playwright.async_api import expect

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from tests.support.factories import creative
from tests.support.gallery import open_page
from tests.support.noticed import add_watch
from tests.support.variants_at_hand import AD, ask, finish, store_ads


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
    async with database.session() as session:
        await store_ads(session)
        await finish(session, await ask(session, AD))
        await session.commit()
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
    async with database.session() as session:
        await save_creatives(session, rows=[creative(number) for number in range(1, 241)])
        await session.commit()
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/library")
        cards = page.locator("[data-pages] > .card")
        for loaded in (60, 120, 180):
            await cards.nth(loaded - 1).scroll_into_view_if_needed()
            await expect(cards.nth(loaded)).to_be_attached()
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
