"""Programs sign in to the JSON interface with the name and password of the pages (HTTP Basic)."""

import asyncio
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.users.accounts import lock_account
from tests.support.gallery import ACCOUNTS, GalleryClient, open_gallery

ANA, ZOE = (("Ana", ACCOUNTS["Ana"]), ("Zoë", ACCOUNTS["Zoë"]))
WRONG = ("Ana", "anchors and tulips")
ADS = "/api/v1/ads"


async def ask(pages: GalleryClient, who: tuple[str, str], path: str = ADS) -> httpx.Response:
    """A request of a program, which keeps no cookies."""
    name, password = (one.encode() for one in who)
    pages.cookies.clear()
    return await pages.get(path, auth=httpx.BasicAuth(name, password))


async def count_attempts(database: Database) -> int:
    async with database.session() as session:
        found = await session.scalar(
            text("SELECT count(*) FROM rate_slot WHERE name LIKE 'sign-in name %'")
        )
    return int(found or 0)


@pytest.mark.parametrize(
    "who", [ANA, ZOE, ("ana", ANA[1])], ids=["editor", "reader", "in lower case"]
)
async def test_name_and_password_open_the_interface(
    closed: GalleryClient, who: tuple[str, str]
) -> None:
    answer = await ask(closed, who)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["ads"]) == 5


async def test_what_is_of_the_user_is_that_of_who_signs_in(closed: GalleryClient) -> None:
    for who, boards in ((ANA, ["Mine"]), (ZOE, [])):
        if boards:
            form = {"name": who[0], "password": who[1]}
            await closed.send_form("/sign-in", page="/sign-in", **form)
            await closed.send_form("/boards", name="Mine")
        told = await ask(closed, who, "/api/v1/boards")
        assert [one["name"] for one in told.json()] == boards


@pytest.mark.parametrize("who", [("Ana", "x" * 1001), ("x" * 1001, ANA[1])])
async def test_what_is_too_long_for_a_name_or_a_password_counts_as_wrong(
    closed: GalleryClient, database: Database, who: tuple[str, str]
) -> None:
    answer = await ask(closed, who)

    assert answer.status_code == 401
    assert await count_attempts(database) == 1


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic",
        "Basic !!!",
        "Basic QW5h",  # Ana, without a colon
        "Basic /////w==",  # no UTF-8
        "Bearer QW5hOnR1bGlwczogMSBhbmNob3I=",
        "Basic QW5hOmFuY2hvcnMgYW5kIHR1bGlwcw==",  # a wrong password
        "Basic OnR1bGlwczogMSBhbmNob3I=",  # no name
        "Basic QQBuYTp0dWxpcHM6IDEgYW5jaG9y",  # a name with NUL
    ],
)
async def test_others_are_asked_for_name_and_password(
    closed: GalleryClient, header: str | None
) -> None:
    answer = await closed.get(ADS, headers={"Authorization": header} if header else {})

    assert (answer.status_code, set(answer.json())) == (401, {"detail", "field"})
    assert answer.headers["www-authenticate"] == 'Basic realm="AdSpark", charset="UTF-8"'


async def test_a_page_is_not_opened_by_it(closed: GalleryClient) -> None:
    assert (await ask(closed, ANA, "/library")).status_code == 303


async def test_who_is_locked_is_refused_from_then_on(
    closed: GalleryClient, database: Database
) -> None:
    assert (await ask(closed, ANA)).status_code == 200
    async with database.session() as session:
        number = await session.scalar(text("SELECT user_id FROM app_user WHERE name = 'Ana'"))
        await lock_account(session, user_id=number)
        await session.commit()

    assert (await ask(closed, ANA)).status_code == 401


async def test_wrong_passwords_count_for_programs_and_people_together(
    closed: GalleryClient, database: Database
) -> None:
    for _ in range(5):
        assert (await ask(closed, WRONG)).status_code == 401
        assert (await ask(closed, ANA)).status_code == 200  # which does not count
    for name in ("Ana", "ana", "ANA", "Ana\u200b", "\u2800 Ana"):  # drawn as the same
        await closed.send_form("/sign-in", page="/sign-in", name=name, password=WRONG[1])
    assert await count_attempts(database) == 10

    refused = await ask(closed, ANA)

    assert refused.status_code == 429
    assert 800 < int(refused.headers["retry-after"]) <= 900
    assert refused.json()["detail"].startswith("Too many wrong passwords; try again in ")
    assert (await ask(closed, ZOE)).status_code == 200


async def test_a_name_with_too_many_attempts_takes_none_of_others_at_its_address(
    closed: GalleryClient,
) -> None:
    for _ in range(10):
        assert (await ask(closed, WRONG)).status_code == 401
    for _ in range(50):  # as many as one address may have wrong
        assert (await ask(closed, ANA)).status_code == 429

    assert (await ask(closed, ZOE)).status_code == 200


async def test_a_database_that_fails_counts_as_no_wrong_password(
    closed: GalleryClient, database: Database
) -> None:
    async def rename(old: str, new: str) -> None:
        async with database.session() as session:
            await session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
            await session.commit()

    await rename("account", "account_away")
    answers = [await ask(closed, ANA) for _ in range(10)]
    await rename("account_away", "account")

    assert {one.status_code // 100 for one in answers} == {5}
    assert await count_attempts(database) == 0
    assert (await ask(closed, ANA)).status_code == 200


async def test_of_many_at_once_no_more_wrong_ones_are_looked_at_than_may(
    closed: GalleryClient,
) -> None:
    answers = await asyncio.gather(*(ask(closed, WRONG) for _ in range(14)))

    assert sorted(one.status_code for one in answers) == [401] * 10 + [429] * 4


async def test_of_many_at_once_no_right_one_is_refused(
    closed: GalleryClient, database: Database
) -> None:
    answers = await asyncio.gather(*(ask(closed, ANA) for _ in range(14)))

    assert {one.status_code for one in answers} == {200}
    assert await count_attempts(database) == 0


async def test_the_description_says_how_to_sign_in(
    closed: GalleryClient, database_url: str, tmp_path: Path
) -> None:
    described = (await ask(closed, ANA, "/api/v1/openapi.json")).json()

    schemes = described["components"]["securitySchemes"]
    assert (schemes["password"]["type"], schemes["password"]["scheme"]) == ("http", "basic")
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "adspark_session")
    for path, one in described["paths"].items():
        assert one["get"]["security"] == [{"password": []}, {"session": []}], path
        assert {"401", "429"} <= set(one["get"]["responses"]), path
    async with open_gallery(database_url, tmp_path / "media") as opened:
        described = (await opened.get("/api/v1/openapi.json")).json()
    assert "securitySchemes" not in described["components"]


async def test_where_the_database_is_away_the_door_says_so(tmp_path: Path) -> None:
    nowhere = "postgresql://postgres@127.0.0.1:1/none"
    async with open_gallery(nowhere, tmp_path, needs_sign_in=True) as client:
        client.cookies["adspark_session"] = "a-token"
        page = await client.get("/library")
        told = await ask(client, ANA)

    assert (page.status_code, told.status_code) == (503, 503)
    assert "does not answer" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "The database does not answer" in told.json()["detail"]
