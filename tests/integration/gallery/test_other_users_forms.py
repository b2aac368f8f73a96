"""A form that one user has open changes nothing once another is chosen in the same browser."""

import html
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.users.store import add_user
from tests.support.gallery import GalleryClient, form_token, open_browser, routes_of, serve_gallery
from tests.support.library import ad, fill_library
from tests.support.variants_at_hand import ask, finish

ANOTHERS = "This form is another user"
TYPED = "Mine <b>&</b>\n“two” lines"
PAGE = f"/ads/{ad(1)}"


async def add_bea(database: Database) -> str:
    """The number of another user than the one that a browser begins with."""
    async with database.session() as session:
        number = await add_user(session, name="Bea")
        await session.commit()
    return str(number)


async def test_a_note_is_not_saved_for_the_user_who_is_chosen_meanwhile(
    pages: GalleryClient, database: Database
) -> None:
    bea = await add_bea(database)
    page = (await pages.get(PAGE)).text
    version = re.search(r'/note">\s*<input.*?><input .*?name="version" value="(.*?)"', page)
    assert version
    fields = {"form_token": form_token(page), "version": version[1], "note": TYPED}
    await pages.send_form("/user", page="/user", user=bea)

    refused = await pages.post(f"{PAGE}/note", data=fields)

    assert (refused.status_code, ANOTHERS in refused.text) == (403, True)
    shown = re.findall(r"readonly>\n(.*?)</textarea>", refused.text, re.DOTALL)
    assert [html.unescape(one) for one in shown] == [TYPED]
    assert 'value="/ads' not in refused.text
    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM creative_note")) == 0

    await pages.send_form("/user", page="/user", user="1")
    saved = await pages.post(f"{PAGE}/note", data=fields)
    assert saved.status_code == 303
    async with database.session() as session:
        assert await session.scalar(text("SELECT user_id FROM creative_note")) == 1


async def test_no_form_but_the_choice_of_a_user_is_taken_from_another_user(
    pages: GalleryClient, database: Database, tmp_path: Path
) -> None:
    bea = await add_bea(database)
    token = form_token((await pages.get(PAGE)).text)
    await pages.send_form("/user", page="/user", user=bea)
    taken = set()
    for route in routes_of(database, tmp_path):
        if "POST" not in (route.methods or ()):
            continue
        answer = await pages.post(re.sub(r"{.*?}", "1", route.path), data={"form_token": token})
        if answer.status_code != 403:
            taken.add(route.path)
        elif route.path not in ("/user", "/sign-in"):
            assert ANOTHERS in answer.text, route.path
    assert taken == set()


async def test_a_user_is_chosen_in_a_tab_that_another_user_has_open(
    pages: GalleryClient, database: Database
) -> None:
    bea = await add_bea(database)
    page = (await pages.get("/user")).text
    await pages.send_form("/user", page="/user", user=bea)

    chosen = {"form_token": form_token(page), "user": "1"}
    done = await pages.post("/user", data=chosen, follow_redirects=True)

    assert "User 1" in done.text


@pytest.mark.usefixtures("prefect_away")
async def test_a_part_that_is_loaded_anew_is_not_the_other_users(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    bea = await add_bea(database)
    async with database.session() as session:
        variant = await ask(session, ad(1))
        await session.commit()
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(f"{url}/variants/{variant.id}")
            other = await context.new_page()
            await other.goto(f"{url}/user")
            await other.click(f"button[value='{bea}']")
            await other.wait_for_load_state()
            async with database.session() as session:
                await finish(session, variant)
                await session.commit()
            live = page.locator("[data-live]")
            await live.wait_for(state="detached")  # the page has seen it, and follows no more
            assert await page.get_attribute("body", "data-visitor") == "1"
            assert not await page.query_selector("[name=comment]")
