"""Sign-in, where others than this machine can reach the gallery."""

import re
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from playwright.async_api import expect
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.library.marks.notes import write_note
from adspark.models import Role
from adspark.users.accounts import lock_account, save_password
from adspark.users.store import add_user, find_user
from tests.support.gallery import (
    ACCOUNTS,
    PASSWORD,
    GalleryClient,
    form_token,
    open_browser,
    open_gallery,
    serve_gallery,
)
from tests.support.library import ad

# Marks on one letter, whose sorting would stop the server for seconds.
HEAP = "a" + "\u0301\u0316" * 40_000


async def sign_in(pages: GalleryClient, name: str, password: str = PASSWORD) -> None:
    fields = {"name": name, "password": password, "back": "/library"}
    done = await pages.send_form("/sign-in", page="/sign-in", **fields)
    assert "Sign out" in done.text


@pytest.mark.parametrize("path", ["/library", "/boards", f"/media/thumbnails/aa/{'a' * 64}.webp"])
async def test_nobody_sees_a_page_before(closed: GalleryClient, path: str) -> None:
    answer = await closed.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?back=%2F")


async def test_who_signs_in_comes_to_the_page_they_wanted(closed: GalleryClient) -> None:
    page = (await closed.get("/library?q=running", follow_redirects=True)).text
    assert 'name="back" value="/library?q=running"' in page

    done = await closed.send_form(
        "/sign-in", page="/sign-in", name="ana", password=PASSWORD, back="/library?q=running"
    )

    assert done.url.path == "/library"
    assert "Ana" in done.text


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Ana", PASSWORD.strip()),
        ("Ana", ""),
        ("Ana", "x" * 10_000),
        pytest.param("Ana", HEAP, id="marks for a password"),
        pytest.param(HEAP, PASSWORD, id="marks for a name"),
        ("Cleo", PASSWORD),
        ("", PASSWORD),
        ("Ana'--", PASSWORD),
    ],
)
async def test_a_wrong_name_or_password_lets_nobody_in(
    closed: GalleryClient, name: str, password: str
) -> None:
    refused = await closed.send_form("/sign-in", page="/sign-in", name=name, password=password)

    assert refused.status_code == 401
    assert "Name or password is wrong" in refused.text
    assert (await closed.get("/library")).status_code == 303


async def test_too_many_attempts_have_to_wait_even_with_the_right_password(
    closed: GalleryClient, database: Database
) -> None:
    for _ in range(10):
        await closed.send_form("/sign-in", page="/sign-in", name="Ana", password="wrong")

    refused = await closed.send_form("/sign-in", page="/sign-in", name="ANA", password=PASSWORD)

    assert refused.status_code == 429
    assert "Too many attempts" in refused.text
    assert 0 < int(refused.headers["retry-after"]) <= 900
    await sign_in(closed, "Bob")

    other = "a new one from the operator"
    async with database.session() as session:
        ana = await find_user(session, written="Ana")
        await save_password(session, user_id=ana, password=other, role=Role.EDITOR)
        await session.commit()
    await closed.send_form("/sign-out", page="/library")
    await sign_in(closed, "Ana", other)


_DECOMPOSED = "ga\u0308rtnerei am See"
_COMPOSED = "g\u00e4rtnerei am See"


@pytest.mark.parametrize(
    ("saved", "typed"), [(_COMPOSED, _DECOMPOSED), (_DECOMPOSED, _COMPOSED), (_DECOMPOSED,) * 2]
)
async def test_a_password_is_the_same_from_every_keyboard(
    closed: GalleryClient, database: Database, saved: str, typed: str
) -> None:
    async with database.session() as session:
        ana = await find_user(session, written="Ana")
        await save_password(session, user_id=ana, password=saved, role=Role.EDITOR)
        await session.commit()
    await sign_in(closed, "Ana", typed)


async def test_a_password_that_was_kept_as_it_was_typed_still_works(
    closed: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        kept = PasswordHasher().hash(_DECOMPOSED)
        await session.execute(text("UPDATE account SET password_hash = :kept"), {"kept": kept})
        await session.commit()
    await sign_in(closed, "Ana", _DECOMPOSED)


async def test_right_passwords_use_up_no_attempts(closed: GalleryClient) -> None:
    for _ in range(9):
        await closed.send_form("/sign-in", page="/sign-in", name="Ana", password="wrong")
    for _ in range(3):
        await sign_in(closed, "Ana")

    wrong = await closed.send_form("/sign-in", page="/sign-in", name="Ana", password="wrong")
    refused = await closed.send_form("/sign-in", page="/sign-in", name="Ana", password=PASSWORD)

    assert (wrong.status_code, refused.status_code) == (401, 429)


@pytest.mark.parametrize("name", ["Ana", "Nobody"])
async def test_a_name_has_the_same_attempts_in_all_ways_to_write_it(
    closed: GalleryClient, name: str
) -> None:
    first, rest = name[0], name[1:]
    spellings = [f"{first}{chr(0x200B) * number}{rest}" for number in range(8)]
    spellings += [name.upper(), chr(ord(first) + 0xFEE0) + rest]
    answers = [
        await closed.send_form("/sign-in", page="/sign-in", name=one, password="wrong")
        for one in [*spellings, name]
    ]

    assert [one.status_code for one in answers] == [401] * 10 + [429]


async def test_sign_in_leads_nowhere_else(closed: GalleryClient) -> None:
    page = (await closed.get("/sign-in", params={"back": "///evil.example"})).text
    assert "evil.example" not in page

    token = re.search('name="form_token" value="([0-9a-f]{64})"', page)
    assert token
    fields = {"form_token": token[1], "name": "Ana", "password": PASSWORD}
    done = await closed.post("/sign-in", data=fields | {"back": "///evil.example/x"})

    assert (done.status_code, done.headers["location"]) == (303, "/library")


async def test_what_no_name_can_hold_is_no_name(closed: GalleryClient) -> None:
    for name in ("Ana\0", "9" * 5000, "\ufffd"):
        answer = await closed.send_form("/sign-in", page="/sign-in", name=name, password="wrong")

        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://127.0.0.1/ads/CR1?part=notes", "/ads/CR1?part=notes"),
        ("http://evil.example/ads/CR1", "/"),
        ("http://127.0.0.1//evil.example/", "/library"),
        ("http://[", "/"),
    ],
)
async def test_whose_session_ended_while_they_wrote_comes_back_to_the_form(
    closed: GalleryClient, referer: str, back: str
) -> None:
    answer = await closed.post(
        "/ads/CR1/note", data={"note": "mine"}, headers={"Referer": referer}, follow_redirects=True
    )

    assert answer.url.path == "/sign-in"
    assert f'name="back" value="{back}"' in answer.text
    assert "so nothing was saved" in answer.text


async def test_who_signed_in_sees_their_own_account_only(closed: GalleryClient) -> None:
    await sign_in(closed, "Bob")

    page = (await closed.get("/user")).text
    chosen = await closed.send_form("/user", page="/user", user="1")

    assert "signed in as Bob" in page
    assert "neither change nor spend" in page
    assert "Ana" not in page
    assert 'action="/user"' not in page
    assert chosen.url.path == "/user"
    assert "adspark_user" not in closed.cookies


async def test_a_database_that_is_away_is_the_same_page_behind_the_door(tmp_path: Path) -> None:
    nowhere = f"postgresql://postgres@/none?host={tmp_path}&port=5432"
    async with open_gallery(nowhere, tmp_path, needs_sign_in=True) as client:
        client.cookies.set("adspark_session", "x" * 43)
        page = await client.get("/library")
        program = await client.get("/api/v1/ads")
        stranger = await client.get("/shared/x")

    for answer in (page, program, stranger):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "The database does not answer." in answer.text or "/api" in answer.url.path
        for word in (str(tmp_path), "ADSPARK", "PostgreSQL", "5432", "socket"):
            assert word not in answer.text
    assert 'http-equiv="refresh"' in page.text
    assert program.json()["detail"].startswith("The database does not answer")
    assert "<nav" not in stranger.text


async def test_a_reader_looks_and_changes_nothing(closed: GalleryClient) -> None:
    await sign_in(closed, "Bob")

    page = (await closed.get("/library")).text
    refused = await closed.send_form("/boards", name="Mine")

    assert ad(1) in page
    assert "Your account may look" in page
    assert refused.status_code == 403
    assert "role of an editor" in refused.text


async def test_an_editor_changes(closed: GalleryClient) -> None:
    await sign_in(closed, "Ana")

    assert "was made" in (await closed.send_form("/boards", name="Mine")).text


async def test_a_session_ends_when_signed_out(closed: GalleryClient) -> None:
    await sign_in(closed, "Ana")
    cookie = closed.cookies["adspark_session"]

    await closed.send_form("/sign-out")

    answer = await closed.get("/library", headers={"Cookie": f"adspark_session={cookie}"})
    assert answer.status_code == 303


async def test_signing_in_again_ends_the_session_before(closed: GalleryClient) -> None:
    await sign_in(closed, "Ana")
    before = closed.cookies["adspark_session"]

    await sign_in(closed, "Ana")

    assert (await closed.get("/library")).status_code == 200
    answer = await closed.get("/library", headers={"Cookie": f"adspark_session={before}"})
    assert answer.status_code == 303


async def test_going_back_after_signing_out_shows_nothing(
    closed: GalleryClient, database: Database, database_url: str, tmp_path: Path
) -> None:
    async with database.session() as session:
        number = await session.scalar(text("SELECT user_id FROM app_user WHERE name = 'Ana'"))
        await write_note(session, user_id=number, ad_creative_id=ad(1), text="Only for me")
        await session.commit()
    expect.set_options(timeout=60_000)
    with serve_gallery(database_url, tmp_path / "media", needs_sign_in=True) as url:
        async with open_browser() as browser:
            page = await browser.new_page()
            await page.goto(f"{url}/ads/{ad(1)}")
            await page.get_by_label("Name").fill("Ana")
            await page.get_by_label("Password").fill(ACCOUNTS["Ana"])
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_text("Only for me").first).to_be_attached()
            await page.get_by_role("button", name="Sign out").click()
            await expect(page.get_by_label("Password")).to_be_visible()
            await page.go_back()

            await expect(page.get_by_label("Password")).to_be_visible()
            assert "Only for me" not in await page.content()


@pytest.mark.parametrize("how", ["expired", "locked", "new password"])
async def test_a_session_ends_by_itself_and_by_its_operator(
    closed: GalleryClient, database: Database, how: str
) -> None:
    await sign_in(closed, "Ana")
    async with database.session() as session:
        number = await session.scalar(text("SELECT user_id FROM app_user WHERE name = 'Ana'"))
        if how == "expired":
            await session.execute(text("UPDATE account_session SET expires_at = now()"))
        elif how == "locked":
            await lock_account(session, user_id=number)
        else:
            await save_password(
                session, user_id=number, password="another of them", role=Role.EDITOR
            )
        await session.commit()

    assert (await closed.get("/library")).status_code == 303


async def test_no_cookie_of_a_user_counts_where_one_has_to_sign_in(closed: GalleryClient) -> None:
    answer = await closed.get("/library", headers={"Cookie": "adspark_user=1"})

    assert answer.status_code == 303


async def test_passwords_are_kept_as_hashes(closed: GalleryClient, database: Database) -> None:
    await sign_in(closed, "Ana")
    async with database.session() as session:
        kept = await session.scalars(text("SELECT password_hash FROM account"))
        assert all(one.startswith("$argon2id$") for one in kept)
        tokens = list(await session.scalars(text("SELECT token_hash FROM account_session")))
    assert tokens
    assert closed.cookies["adspark_session"] not in tokens


async def test_on_ones_own_machine_a_user_is_chosen(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        number = await add_user(session, name="Ana")
        await session.commit()

    done = await pages.send_form("/user", page="/user", user=str(number))

    assert f"User {number}" in done.text


def in_charset(token: str, charset: str) -> dict[str, Any]:
    """A form of several parts that says in which charset they are."""
    fields = {"form_token": token, "name": "a+2AA-\\ud800\xff", "password": "x"}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    ]
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    content = f"{''.join(parts)}--b--\r\n".encode("latin-1")
    return {"content": content, "headers": {"content-type": kind}}


@pytest.mark.parametrize(
    ("charset", "status"),
    [
        ("undefined", 400),
        ("unicode_escape", 400),
        ("utf-7", 400),
        ("punycode", 400),
        ('"UTF-16"', 400),
        ("none_such", 400),
        ("UTF-8", 401),
        ("us-ascii", 401),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/boards"])
async def test_a_form_in_another_charset_than_that_of_browsers_is_refused(
    closed: GalleryClient, charset: str, status: int, path: str
) -> None:
    token = form_token((await closed.get("/sign-in")).text)
    sent = in_charset(token, charset)
    if path == "/sign-in":
        assert (await closed.post(path, **sent)).status_code == status
    else:  # nobody has signed in: the form is not kept, or shown once they have
        answer = await closed.post(path, **sent)
        assert answer.status_code == (303 if status == 400 else 401)
