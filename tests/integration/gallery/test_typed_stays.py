"""What is typed on a page stays when another button of the page is used, or the page is left."""

from pathlib import Path

from playwright.async_api import Dialog, Page, Route, expect

from adspark.creatives.board_changes import version_of, write_board_note
from adspark.creatives.boards import delete_board, remove_ads
from adspark.db.engine import Database
from adspark.users.store import add_user
from tests.support.gallery import open_page
from tests.support.library import ad, fill_library, make_board
from tests.support.noticed import add_watch
from tests.support.variants_at_hand import make_finished

_WIDE = {"width": 1280, "height": 900}


async def _note(page: Page, number: int, written: str) -> None:
    """Type a note on an ad of a board, and do not keep it."""
    place = page.locator(f"#{ad(number)}")
    await place.locator("details").evaluate("one => { one.open = true; }")
    await place.locator("textarea").fill(written)


async def _press(page: Page, number: int, button: str) -> None:
    await page.locator(f"#{ad(number)}").get_by_role("button", name=button).click()


async def _refuse(route: Route) -> None:
    """As while the network is away."""
    if route.request.method == "POST":
        await route.abort("internetdisconnected")
    else:
        await route.continue_()


async def _open_beside(page: Page, path: str) -> Page:
    """Another window of the same browser, in which nothing of this one's tab is kept."""
    async with page.expect_popup() as opened:
        await page.evaluate(f"open('{path}', '_blank', 'noopener'), null")
    return await opened.value


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
        await page.route("**/note", _refuse)
        await page.locator("#save-note").click()
        await page.wait_for_url("chrome-error://**")
        await page.go_back()
        await expect(page.locator("#note").get_by_role("textbox")).to_have_value("A note")


async def test_what_was_sent_to_the_pages_own_address_while_the_network_was_away_stays_too(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await make_board(database, 1)
    async with open_page(database_url, tmp_path / "media", viewport=_WIDE) as (page, url):
        await page.goto(f"{url}/boards")
        await page.locator("ul.rows a").first.click()
        await _note(page, 1, "A long note")
        await page.route("**/boards/1", _refuse)
        await _press(page, 1, "Keep the note")
        await page.wait_for_url("chrome-error://**")
        await page.go_back()
        await page.locator("ul.rows a").first.click()
        await page.wait_for_url("**/boards/1")
        await expect(page.locator(f"#{ad(1)} textarea")).to_have_value("A long note")


async def test_several_prompts_and_a_choice_come_back_each_into_its_own_field(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    watch = await add_watch(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/variants/new?ad={ad(1)}&ad={ad(2)}")
        await page.evaluate(
            "document.querySelectorAll('details').forEach(one => (one.open = true))"
        )
        prompts = page.locator("textarea[name=prompt]")
        for number in range(3):
            await prompts.nth(number).fill(f"Prompt {number + 1}")
        await page.route("**/*", _refuse)
        await page.locator("main form .actions button").click()
        await page.wait_for_url("chrome-error://**")
        await page.go_back()
        for number in range(3):
            await expect(prompts.nth(number)).to_have_value(f"Prompt {number + 1}")

        await page.goto(f"{url}/watches/{watch}/edit")
        await page.get_by_label("Platform").select_option("YOUTUBE")
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_url("chrome-error://**")
        await page.go_back()
        await page.goto(f"{url}/watches/{watch}/edit")
        await expect(page.get_by_label("Platform")).to_have_value("YOUTUBE")


async def test_a_note_that_was_refused_stays_private_when_another_button_is_pressed(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        note = page.locator("#note textarea")
        share = page.locator("#note input[type=checkbox]")

        async def keep(on: Page, text: str) -> None:
            await on.locator("#note textarea").fill(text)
            await on.locator("#note input[type=checkbox]").check()
            await on.locator("#save-note").click()
            await expect(on.get_by_role("status")).to_be_visible()

        await page.goto(f"{url}/ads/{ad(1)}")
        await keep(page, "For all")
        await keep(await _open_beside(page, f"/ads/{ad(1)}"), "For all, too")
        await note.fill("For me alone")
        await share.uncheck()
        await page.locator("#save-note").click()
        await expect(page.locator("#note textarea[aria-invalid]")).to_be_visible()
        await expect(share).not_to_be_checked()

        await page.get_by_label("New tag").fill("shoes")
        await page.locator("#add-tag").click()
        await expect(page.get_by_role("status")).to_be_visible()
        await expect(note).to_have_value("For me alone")
        await expect(share).not_to_be_checked()


async def test_a_first_review_that_comes_back_does_not_replace_one_of_another_window(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await make_finished(database)
    async with open_page(database_url, tmp_path / "media") as (page, url):
        await page.goto(f"{url}/variants/1")
        other = await _open_beside(page, "/variants/1")
        await page.get_by_label("Comment").fill("Mine")
        await page.route("**/review", _refuse)
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_url("chrome-error://**")
        await other.get_by_label("Comment").fill("Theirs")
        await other.get_by_role("button", name="Save").click()
        await expect(other.get_by_role("status")).to_be_visible()

        await page.go_back()
        await expect(page.get_by_label("Comment")).to_have_value("Mine")
        await page.unroute("**/review")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="Stored")).to_be_visible()
        assert "Theirs" in await page.locator(".reviews").inner_text()


async def test_a_selection_that_was_taken_back_is_left_without_a_question(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    asked: list[str] = []

    async def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.accept()

    async with open_page(database_url, tmp_path / "media", viewport=_WIDE) as (page, url):
        page.on("dialog", leave)
        await page.goto(f"{url}/library")
        await page.locator("input[name=ad]").first.check()
        await page.locator("input[name=board]").fill("Autumn")
        await page.locator(".selection button[type=reset]").click()
        await expect(page.locator("input[name=board]")).to_have_value("")
        await page.get_by_role("link", name="Boards", exact=True).click()
        await expect(page).to_have_url(f"{url}/boards")
        assert asked == []


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
        other = await _open_beside(page, "/user")
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
