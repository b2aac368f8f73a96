"""What is typed on a page stays when another button of the page is used, or the page is left."""

from pathlib import Path

from playwright.async_api import Dialog, Page, Route, expect

from adspark.creatives.board_changes import version_of, write_board_note
from adspark.creatives.boards import delete_board, remove_ads
from adspark.db.engine import Database
from adspark.users.store import add_user
from tests.support.gallery import open_page
from tests.support.library import ad, fill_library, make_board

_WIDE = {"width": 1280, "height": 900}


async def _note(page: Page, number: int, written: str) -> None:
    """Type a note on an ad of a board, and do not keep it."""
    place = page.locator(f"#{ad(number)}")
    await place.locator("details").evaluate("one => { one.open = true; }")
    await place.locator("textarea").fill(written)


async def _press(page: Page, number: int, button: str) -> None:
    await page.locator(f"#{ad(number)}").get_by_role("button", name=button).click()


async def _order(page: Page) -> list[str]:
    found = page.locator("[data-placed]")
    return [str(one) for one in await found.evaluate_all("all => all.map((one) => one.id)")]


async def test_notes_on_a_board_stay_when_another_button_of_it_is_pressed(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2, 3)
    async with open_page(database_url, tmp_path / "media", viewport=_WIDE) as (page, url):
        await page.goto(f"{url}/boards/1")
        await _note(page, 1, "First\nand long")
        await _note(page, 2, "Second")
        first = (await _order(page))[0]

        await page.locator(f"[id='{first}-on']").click()
        await expect(page.get_by_role("status")).to_contain_text("number 2 of 3")
        await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("First\nand long")
        await expect(page.locator(f"#{ad(2)} textarea")).to_have_value("Second")

        await _press(page, 2, "Keep the note")
        await expect(page.get_by_role("status")).to_have_text("The note was kept.")
        await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("First\nand long")
        await expect(page.locator(f"#{ad(1)} textarea")).to_be_visible()

        await _press(page, 1, "Keep the note")
        await expect(page.get_by_role("status")).to_have_text("The note was kept.")
        await page.reload()
        await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("First\nand long")
        await expect(page.locator(f"#{ad(2)} textarea")).to_have_value("Second")


async def test_a_note_that_stays_does_not_replace_what_another_window_has_kept_meanwhile(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2)
    async with open_page(database_url, tmp_path / "media", viewport=_WIDE) as (page, url):
        await page.goto(f"{url}/boards/1")
        await _note(page, 1, "Mine")
        async with database.session() as session:
            await write_board_note(
                session, board_id=1, ad=ad(1), note="Theirs", version=version_of("")
            )
            await session.commit()
        await _note(page, 2, "Another")
        await _press(page, 2, "Keep the note")
        await expect(page.get_by_role("status")).to_have_text("The note was kept.")
        await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("Mine")

        await _press(page, 1, "Keep the note")
        await expect(page.get_by_text("Somebody has changed this note").first).to_be_visible()
        await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("Mine")
        await _note(page, 2, "Another one")
        await _press(page, 2, "Keep the note")  # what was refused stays as well
        await expect(page.get_by_role("status")).to_have_text("The note was kept.")
        await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("Mine")


async def test_title_note_and_tick_on_an_ad_stay_when_the_title_is_saved(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/ads/{ad(1)}")
        await page.get_by_label("New tag").fill("shoes")
        note = page.locator("#note")
        await note.get_by_role("textbox").fill("A note")
        await note.get_by_role("checkbox").check()
        await page.locator("#title").get_by_role("textbox").fill("A title")
        await page.locator("#save-title").click()

        await expect(page.get_by_role("status")).to_contain_text("title")
        await expect(note.get_by_role("textbox")).to_have_value("A note")
        await expect(note.get_by_role("checkbox")).to_be_checked()
        await expect(page.get_by_label("New tag")).to_have_value("shoes")
        await page.locator("#save-note").click()
        await expect(page.locator("#note .printed")).to_have_text("A note")


async def test_a_note_on_an_ad_that_was_taken_off_meanwhile_can_be_copied(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2)
    async with open_page(database_url, tmp_path / "media", viewport=_WIDE) as (page, url):
        await page.goto(f"{url}/boards/1")
        await _note(page, 1, "On what goes")
        await _note(page, 2, "On what stays")
        async with database.session() as session:
            await remove_ads(session, board_id=1, ids=[ad(1)])
            await session.commit()
        await _press(page, 2, "Keep the note")
        lost = page.get_by_label(f"Note {ad(1)}")
        await expect(lost).to_have_value("On what goes")

        await _note(page, 2, "Still typed")
        async with database.session() as session:
            await delete_board(session, board_id=1)
            await session.commit()
        await page.get_by_role("button", name="Make a link").click()
        await expect(page.get_by_text("You have no such board")).to_be_visible()
        await expect(page.get_by_label(f"Note {ad(2)}")).to_have_value("Still typed")


async def test_a_move_that_fails_is_said_and_nothing_typed_is_lost(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2)
    async with open_page(database_url, tmp_path / "media", viewport=_WIDE) as (page, url):
        await page.goto(f"{url}/boards/1")
        order = await _order(page)
        placed = page.locator("[data-placed]")
        await _note(page, 1, "Typed for long")

        async def drag() -> None:
            await placed.nth(1).locator(".shown").drag_to(placed.nth(0).locator(".shown"))
            await expect(page.get_by_text("The move was not kept")).to_be_visible()
            assert await _order(page) == order
            await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("Typed for long")

        await page.context.set_offline(True)
        await drag()
        await page.context.set_offline(False)
        await page.locator("[data-order-problem]").evaluate("one => one.replaceChildren()")
        async with database.session() as session:
            await delete_board(session, board_id=1)
            await session.commit()
        await drag()


async def test_what_was_sent_while_the_network_was_away_stands_there_again_after_going_back(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/ads/{ad(1)}")
        await page.locator("#note").get_by_role("textbox").fill("A note")

        async def refuse(route: Route) -> None:
            await route.abort("internetdisconnected")

        await page.route("**/note", refuse)
        await page.locator("#save-note").click()
        await page.wait_for_url("chrome-error://**")
        await page.go_back()
        await expect(page.locator("#note").get_by_role("textbox")).to_have_value("A note")


async def test_leaving_by_a_link_asks_where_something_was_typed_and_only_there(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1, 2)
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    async with open_page(database_url, tmp_path / "media", viewport=_WIDE) as (page, url):
        page.on("dialog", stay)
        await page.goto(f"{url}/boards/1")
        boards = page.get_by_role("link", name="Boards", exact=True)
        await _note(page, 1, "Typed")
        async with page.expect_event("dialog"):
            await boards.click(no_wait_after=True)
        await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("Typed")

        await page.locator(f"#{ad(1)} textarea").fill("")
        await boards.click()
        await expect(page).to_have_url(f"{url}/boards")
        assert asked == ["beforeunload"]


async def test_what_one_user_typed_is_not_shown_to_the_next(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    async with database.session() as session:
        bea = await add_user(session, name="Bea")
        await session.commit()
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/ads/{ad(1)}")
        async with page.expect_popup() as opened:
            await page.evaluate("open('/user', '_blank', 'noopener'), null")
        other = await opened.value
        await page.locator("#note").get_by_role("textbox").fill("Mine alone")
        await page.locator("#title").get_by_role("textbox").fill("A title")
        await other.click(f"button[value='{bea}']")
        await expect(other.locator("body")).to_have_attribute("data-visitor", str(bea))
        await page.locator("#save-title").click()
        await expect(page.get_by_text("This form is another user's.")).to_be_visible()

        await page.goto(f"{url}/ads/{ad(1)}")
        await expect(page.locator("body")).to_have_attribute("data-visitor", str(bea))
        await expect(page.locator("#note").get_by_role("textbox")).to_have_value("")
        assert "Mine alone" not in await page.content()
        assert "Mine alone" not in await page.evaluate("JSON.stringify(sessionStorage)")
