"""What has the focus of the keyboard, in a browser: it is seen, and kept where forms lead back."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from tests.support.factories import creative
from tests.support.gallery import open_page
from tests.support.library import ad, fill_library, make_board

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
    async with open_page(database_url, tmp_path / "media", reduced_motion="reduce") as (page, url):
        for width, height in ((640, 400), (320, 640), (320, 256), (1280, 600)):
            await page.set_viewport_size({"width": width, "height": height})
            for view in ("", "?view=list"):
                await page.goto(f"{url}/library{view}")
                assert await _hidden_stops(page) == [], (width, height, view)
                bar = page.locator(".selection .actions")
                place = await bar.evaluate("one => getComputedStyle(one).position")
                assert place == ("sticky" if height > 500 else "static")


async def test_a_selection_is_told_and_its_bar_is_one_step_from_each_selected_ad(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    async with database.session() as session:
        await save_creatives(session, rows=[creative(number) for number in range(10, 50)])
        await session.commit()
    async with open_page(
        database_url,
        tmp_path / "media",
        viewport={"width": 1280, "height": 700},
        reduced_motion="reduce",
    ) as (page, url):
        await page.goto(f"{url}/library")
        boxes, told = (
            page.locator('[data-pages] input[name="ad"]'),
            page.locator("[data-selected]"),
        )
        await page.locator(".keys summary").focus()
        await page.keyboard.press("Tab")  # the first ad is next
        await expect(page.locator(".card .shown").first).to_be_focused()
        await boxes.nth(20).press("Space")
        await expect(told).to_contain_text("1 ad is selected.")
        await boxes.nth(21).press("Space")
        await expect(told).to_contain_text("2 ads are selected.")
        before = await page.evaluate("scrollY")
        assert before > 0
        await page.keyboard.press("Tab")
        lead = page.get_by_role("link", name="What to do with those selected").nth(1)
        await expect(lead).to_be_focused()
        await expect(lead).to_be_in_viewport()
        await page.keyboard.press("Enter")
        bar = page.get_by_role("group", name="What to do with those selected")
        await expect(bar).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(page.get_by_placeholder("Board")).to_be_focused()
        assert await page.evaluate("scrollY") == before
        await bar.get_by_role("button", name="Select none").press("Enter")
        await expect(told).to_have_text("No ad is selected any more.")
        await expect(page.get_by_role("link", name="What to do with")).to_have_count(0)


async def _press(button: Locator, said: str, key: str = "Enter") -> None:
    """Press a button by the keyboard, and see what the page says of it, on the screen."""
    await button.press(key)
    notice = button.page.get_by_role("status")
    await expect(notice).to_have_text(said)
    await expect(notice).to_be_in_viewport()


async def _order_a_board(page: Page, url: str) -> None:
    await page.goto(f"{url}/boards/1")
    names = [f"#{ad(number)}" for number in (1, 2, 3)]
    first = page.locator(f"{names[0]}-on")
    await _press(first, f"{ad(1)} is number 2 of 3 on the board now.")
    await expect(first).to_be_focused()
    await expect(first).to_be_in_viewport()
    await _press(first, f"{ad(1)} is number 3 of 3 on the board now.")
    back = page.locator(f"{names[0]}-back")
    await expect(back).to_be_focused()  # the other one does nothing any more
    await _press(back, f"{ad(1)} is number 2 of 3 on the board now.")
    await expect(back).to_be_focused()
    third = page.locator(names[2])
    await third.locator("summary").press("Enter")
    await third.locator("textarea").fill("Blue")
    keep = third.get_by_role("button", name="Keep the note")
    await _press(keep, "The note was kept.")
    await expect(keep).to_be_focused()
    await _press(
        page.locator(names[0]).get_by_role("button", name="Take off"),
        f"{ad(1)} was taken off the board.",
    )
    await expect(third).to_be_focused()  # it stands there now
    await _press(page.get_by_role("button", name="Rename"), "The board is now called “Ideas”.")
    await expect(page.get_by_role("button", name="Rename")).to_be_focused()
    link = page.get_by_role("textbox", name="The link")
    await page.get_by_role("button", name="Make a link").press("Enter")
    await expect(link).to_be_focused()


async def _mark_an_ad(page: Page, url: str) -> None:
    await page.goto(f"{url}/ads/{ad(1)}")
    for field, said, button in (
        ("Your title", "Your title is saved.", "#save-title"),
        ("Your note", "Your note is saved.", "#save-note"),
        ("New tag", "The ad has the tag “x”.", "#add-tag"),
        ("New board", "The ad is on the board “x”.", "#create-board"),
    ):
        await page.get_by_label(field).fill("x")
        await _press(page.locator(button), said)
        await expect(page.locator(button)).to_be_focused()
    tags = page.locator("#tags")
    await _press(tags.get_by_text("Share", exact=True), "All users see your tag “x” now.")
    await _press(tags.get_by_role("button", name="Remove"), "The tag “x” was taken off the ad.")
    await expect(tags).to_be_focused()
    boards = page.locator("#boards")
    off = "The ad was taken off the board “x”."
    await _press(boards.get_by_role("button", name="Remove"), off)
    await expect(boards).to_be_focused()


@pytest.mark.parametrize("has_scripts", [True, False])
async def test_a_form_leads_back_to_where_it_was_sent_and_says_what_it_did(
    database: Database, database_url: str, tmp_path: Path, has_scripts: bool
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2, 3)
    async with open_page(
        database_url,
        tmp_path / "media",
        viewport={"width": 700, "height": 700},
        java_script_enabled=has_scripts,
    ) as (page, url):
        await _order_a_board(page, url)
        await _mark_an_ad(page, url)
