"""Keys of the pages, in a browser: where letters are keys, and where they are typed."""

from pathlib import Path

from playwright.async_api import expect

from adspark.db.engine import Database
from adspark.variants.reviews.store import list_reviews
from tests.support.gallery import open_page
from tests.support.library import ad, fill_library
from tests.support.variants_at_hand import ask, finish

_TYPES = """() => ["button", "checkbox", "color", "date", "file", "image", "number", "radio",
    "range", "reset", "search", "submit", "text"].filter((type) => {
    const field = document.createElement("input");
    field.type = type;
    return isTyping(field);
})"""


async def make_variant(database: Database) -> None:
    """The library, and the first variant, which is finished."""
    await fill_library(database)
    async with database.session() as session:
        await finish(session, await ask(session, ad(1)), image_path=None)
        await session.commit()


async def test_keys_are_keys_in_every_field_that_takes_no_letters(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await make_variant(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/variants/1")
        assert await page.evaluate(_TYPES) == ["date", "number", "search", "text"]
        comment = page.get_by_label("Comment")
        await comment.press("a")
        await expect(comment).to_have_value("a")
        await page.get_by_label("4", exact=True).check()
        await page.keyboard.press("a")
        await expect(page.get_by_role("status")).to_have_text("Your approval is saved.")


async def test_letters_and_signs_are_switched_off_as_keys_on_all_pages(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await make_variant(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        switch = page.get_by_label("Letters and signs act as keys")
        search = page.get_by_role("searchbox")
        await page.goto(f"{url}/library")
        await page.get_by_text("Keys", exact=True).click()
        await switch.uncheck()
        await page.keyboard.press("/")
        await expect(search).not_to_be_focused()
        await page.goto(f"{url}/advertisers")
        await page.keyboard.press("/")
        await expect(search).not_to_be_focused()
        await page.goto(f"{url}/library")
        await page.keyboard.press("ArrowRight")  # no letter and no sign
        await expect(page.locator(".card .shown").first).to_be_focused()
        await page.goto(f"{url}/variants/1")
        await page.keyboard.press("a")
        await page.get_by_text("Keys", exact=True).click()
        await expect(switch).not_to_be_checked()
        async with database.session() as session:
            assert await list_reviews(session, variant_id=1) == []
        await switch.check()
        await page.keyboard.press("r")
        await expect(page.get_by_role("status")).to_have_text("Your rejection is saved.")
        for path in ("/watches", "/advertisers", "/variants", f"/ads/{ad(1)}"):
            await page.goto(url + path)
            await page.get_by_text("Keys", exact=True).click()
            await expect(switch).to_be_checked()
