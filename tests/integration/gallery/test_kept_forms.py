"""What was typed while the session ended: kept over the sign-in, shown again, sent by nobody."""

import html
import logging
import re

import httpx
import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from tests.support.gallery import PASSWORD, GalleryClient, form_token
from tests.support.library import ad
from tests.support.noticed import add_watch
from tests.support.variants_at_hand import ask, finish

pytestmark = pytest.mark.usefixtures("prefect_away")

NOTE = "Mine <b>&</b>\n“two” lines"
NOT_SENT = "you were signed out meanwhile"


async def sign_in(pages: GalleryClient, name: str = "Ana") -> None:
    done = await pages.send_form("/sign-in", page="/sign-in", name=name, password=PASSWORD)
    assert "Sign out" in done.text


async def end_sessions(database: Database) -> None:
    async with database.session() as session:
        await session.execute(text("UPDATE account_session SET expires_at = now()"))
        await session.commit()


async def type_and_lose(
    pages: GalleryClient, database: Database, path: str, page: str, **fields: str | list[str]
) -> httpx.Response:
    """The page that answers a form whose writer's session ended while they typed."""
    token = form_token((await pages.get(page)).text)
    await end_sessions(database)
    return await pages.post(
        path, data={"form_token": token} | fields, headers={"Referer": f"http://127.0.0.1{page}"}
    )


async def sign_in_again(
    pages: GalleryClient, page: httpx.Response, name: str = "Ana", password: str = PASSWORD
) -> httpx.Response:
    """Sign in on the page that keeps the form, as a browser does."""
    sent = hidden_fields(page) | {"name": name, "password": password}
    return await pages.post("/sign-in", data=sent, follow_redirects=True)


def hidden_fields(page: httpx.Response) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(.*?)" value="(.*?)">', page.text)
    return {key: html.unescape(value) for key, value in found}


async def count(database: Database, table: str) -> int:
    async with database.session() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_a_note_is_shown_again_and_saved_once_it_is_sent_again(
    closed: GalleryClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await sign_in(closed)
    page, path = f"/ads/{ad(1)}", f"/ads/{ad(1)}/note"
    with caplog.at_level(logging.DEBUG):
        asked = await type_and_lose(closed, database, path, page, note=NOTE, version="")
        wrong = await sign_in_again(closed, asked, password="wrong one here")
        shown = await sign_in_again(closed, wrong)

    assert (asked.status_code, wrong.status_code, shown.status_code) == (401, 401, 422)
    assert "not lost" in asked.text
    assert str(shown.url).endswith(path)
    assert NOT_SENT in shown.text
    assert NOTE in html.unescape(shown.text)
    assert await count(database, "creative_note") == 0
    addresses = [str(one.url) for one in (*shown.history, shown)]
    assert "Mine" not in " ".join([*addresses, caplog.text])

    again = await closed.post(path, data=sent_again(shown, NOTE), follow_redirects=True)
    assert again.status_code == 200
    assert await count(database, "creative_note") == 1


def sent_again(shown: httpx.Response, note: str) -> dict[str, str]:
    version = re.search(
        r'/note">\s*<input.*?><input type="hidden" name="version" value="(.*?)"', shown.text
    )
    assert version
    return {"form_token": form_token(shown.text), "version": version[1], "note": note}


async def test_a_note_is_shown_though_its_board_is_gone_after_the_sign_in(
    closed: GalleryClient, database: Database
) -> None:
    await sign_in(closed)
    board = (await closed.send_form("/boards", page="/boards", name="Ideas")).url.path
    fields = {"do": "note", "ad": ad(1), "note": NOTE}
    asked = await type_and_lose(closed, database, board, board, **fields)
    async with database.session() as session:
        await session.execute(text("DELETE FROM board"))
        await session.commit()

    shown = await sign_in_again(closed, asked)

    assert (shown.status_code, "You have no such board" in shown.text) == (404, True)
    assert NOTE in html.unescape(shown.text)


async def test_the_page_is_loaded_again_and_still_nothing_is_sent(
    closed: GalleryClient, database: Database
) -> None:
    await sign_in(closed)
    asked = await type_and_lose(closed, database, "/boards", "/boards", name="Ideas")
    shown = await sign_in_again(closed, asked)
    assert 'value="Ideas"' in shown.text
    repeated = await closed.post("/boards", data=hidden_fields(asked))
    assert (repeated.status_code, NOT_SENT in repeated.text) == (422, True)
    assert await count(database, "board") == 0


async def test_another_user_is_not_shown_what_was_typed(
    closed: GalleryClient, database: Database
) -> None:
    await sign_in(closed)
    page = f"/ads/{ad(1)}"
    asked = await type_and_lose(closed, database, f"{page}/note", page, note="Mine")
    shown = await sign_in_again(closed, asked, name="Bob")
    assert (shown.status_code, shown.url.path) == (200, page)
    assert "it was another user who wrote it" in shown.text
    assert "Mine" not in shown.text


async def test_a_form_of_who_was_signed_in_before_is_refused_for_the_next(
    closed: GalleryClient, database: Database
) -> None:
    await sign_in(closed)
    token = form_token((await closed.get("/boards")).text)
    await sign_in(closed, "Bob")
    refused = await closed.post("/boards", data={"form_token": token, "name": "Ideas"})
    assert refused.status_code == 403
    assert await count(database, "board") == 0


async def test_each_form_is_shown_with_what_was_typed(
    closed: GalleryClient, database: Database
) -> None:
    watch = await add_watch(database)
    async with database.session() as session:
        variant = await finish(session, await ask(session, ad(1)))
        await session.commit()
    forms: list[tuple[str, str, dict[str, str | list[str]], tuple[str, ...]]] = [
        ("/watches/new", "/watches/new", {"name": "Shoes", "text": "a.example"}, ("Shoes",)),
        (f"/watches/{watch}/edit", f"/watches/{watch}/edit", {"name": "Boots"}, ("Boots",)),
        ("/variants/new", "/variants/new", {"key": "0" * 32, "ad": [ad(1), ad(2)],
         "prompt": "Make it red"}, ("Make it red", ad(1), ad(2))),
        (f"/variants/{variant.id}/review", f"/variants/{variant.id}",
         {"comment": "Fine", "rating": "4", "decision": "approve"}, ("Fine",)),
        ("/selection", "/library", {"ad": [ad(1)], "tag": "autumn", "back": "/library"},
         ("autumn", ad(1))),
        (f"/ads/{ad(1)}/tags", f"/ads/{ad(1)}", {"tag": "autumn"}, ("autumn",)),
    ]  # fmt: skip
    for path, page, fields, typed in forms:
        await sign_in(closed)
        asked = await type_and_lose(closed, database, path, page, **fields)
        shown = await sign_in_again(closed, asked)
        assert shown.status_code in (409, 422), path
        for one in typed:
            assert one in shown.text, path
    for table in ("creative_tag", "variant_feedback"):
        assert await count(database, table) == 0
    assert (await count(database, "watch"), await count(database, "ad_variant")) == (1, 1)


async def test_a_button_is_not_pressed_by_itself(closed: GalleryClient, database: Database) -> None:
    watch = await add_watch(database)
    await sign_in(closed)
    page = f"/watches/{watch}"
    asked = await type_and_lose(closed, database, f"{page}/pause", page)
    shown = await sign_in_again(closed, asked)
    assert (shown.status_code, shown.url.path) == (200, page)
    assert "Press the button again" in shown.text
    async with database.session() as session:
        assert await session.scalar(text("SELECT is_active FROM watch")) is True


@pytest.mark.parametrize(
    "kept",
    ["", "x", "[]", "[1, 2, 3]", '["/ads", "/", {"note": 1}]', '["/ads", "/", {"note": [1]}]',
     '["/ads", "/", []]', "[" * 5000, '["//evil.example/", "//evil.example/", {}]'],
)  # fmt: skip
async def test_what_a_stranger_has_the_browser_keep_leads_nowhere(
    closed: GalleryClient, kept: str
) -> None:
    done = await closed.send_form(
        "/sign-in", page="/sign-in", name="Ana", password=PASSWORD, back="/boards", kept=kept
    )
    assert (done.status_code, done.url.path) == (200, "/boards")


async def test_a_form_that_is_too_long_to_keep_leads_to_the_sign_in_as_one_without_a_token(
    closed: GalleryClient, database: Database
) -> None:
    await sign_in(closed)
    page = f"/ads/{ad(1)}"
    asked = await type_and_lose(closed, database, f"{page}/note", page, note="x" * 100_000)
    assert asked.status_code == 303
    assert "ended=yes" in asked.headers["location"]
