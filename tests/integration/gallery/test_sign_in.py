"""Sign-in, where others than this machine can reach the gallery."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Role
from adspark.users.accounts import remove_account, save_password
from adspark.users.store import add_user
from tests.support.gallery import GalleryClient, open_gallery
from tests.support.library import ad, fill_library

PASSWORD = "  tulips and 1 anchor "


@pytest.fixture
async def closed(
    database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[GalleryClient]:
    """The pages behind their door, with an editor, Ana, and a reader, Bob."""
    await fill_library(database)
    async with database.session() as session:
        for name, role in (("Ana", Role.EDITOR), ("Bob", Role.READER)):
            number = await add_user(session, name=name)
            await save_password(session, user_id=number, password=PASSWORD, role=role)
        await session.commit()
    async with open_gallery(database_url, tmp_path / "media", needs_sign_in=True) as client:
        yield client


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
    closed: GalleryClient,
) -> None:
    for _ in range(10):
        await closed.send_form("/sign-in", page="/sign-in", name="Ana", password="wrong")

    refused = await closed.send_form("/sign-in", page="/sign-in", name="ANA", password=PASSWORD)

    assert refused.status_code == 429
    assert "Too many attempts" in refused.text
    await sign_in(closed, "Bob")


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
            await remove_account(session, user_id=number)
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
