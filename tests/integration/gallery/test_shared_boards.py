"""A board that two windows show, in a browser: what is typed in one is not lost by the other."""

from pathlib import Path

from playwright.async_api import expect

from adspark.db.engine import Database
from adspark.users.store import add_user
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import ad, fill_library, make_board

_PATIENCE = 60_000  # milliseconds


async def test_a_typed_note_on_an_ad_that_was_taken_off_meanwhile_is_shown(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2, 3)
    expect.set_options(timeout=_PATIENCE)
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            page, other = await browser.new_page(), await browser.new_page()
            for one in (page, other):
                one.set_default_timeout(_PATIENCE)
                await one.set_viewport_size({"width": 1280, "height": 900})
                await one.goto(f"{url}/boards/1")
            for number, note in ((1, "Typed for long"), (2, "Stays")):
                card = page.locator(f"#{ad(number)}")
                await card.locator("summary").click()
                await card.locator("textarea").fill(note)
            for number in (1, 3):
                off = other.locator(f"#{ad(number)}").get_by_role("button", name="Take off")
                await off.click()
                await expect(other.locator(f"#{ad(number)}")).to_have_count(0)

            await page.locator(f"#{ad(3)} .shown").drag_to(page.locator(f"#{ad(2)} .shown"))
            await expect(page.get_by_text("Somebody has changed this board")).to_be_visible()
            lost = page.get_by_role("textbox", name="The note, which was not kept:")
            await expect(lost).to_have_count(1)
            await expect(lost).to_have_value("Typed for long")
            await expect(page.locator(f"#{ad(2)} textarea")).to_have_value("Stays")
            await expect(page.locator("[data-placed]")).to_have_count(1)
            await browser.close()


async def test_a_board_whose_user_is_no_longer_chosen_keeps_its_order_and_what_was_typed(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2)
    async with database.session() as session:
        bea = await add_user(session, name="Bea")
        await session.commit()
    expect.set_options(timeout=_PATIENCE)
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            context = await browser.new_context(viewport={"width": 1280, "height": 900})
            context.set_default_timeout(_PATIENCE)
            page, other = await context.new_page(), await context.new_page()
            await page.goto(f"{url}/boards/1")
            placed = page.locator("[data-placed]")
            order = await placed.evaluate_all("(all) => all.map((one) => one.dataset.placed)")
            await placed.nth(1).locator("summary").click()
            await placed.nth(1).locator("textarea").fill("Typed for long")
            await other.goto(f"{url}/user")
            await other.click(f"button[value='{bea}']")
            await expect(other.locator("body")).not_to_have_attribute("data-visitor", "1")

            await placed.nth(1).locator(".shown").drag_to(placed.nth(0).locator(".shown"))
            await expect(page.get_by_text("Another user was chosen")).to_be_visible()
            kept = await placed.evaluate_all("(all) => all.map((one) => one.dataset.placed)")
            assert kept == order
            await expect(placed.nth(1).locator("textarea")).to_have_value("Typed for long")
            await browser.close()
