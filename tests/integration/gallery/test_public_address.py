"""A gallery behind a proxy with TLS: what the setting of its public address decides."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from starlette.responses import JSONResponse

from adspark.db.engine import Database
from adspark.models import Role
from adspark.net.request_guard import LocalOnly
from adspark.users.accounts import save_password
from adspark.users.store import add_user
from benchmarks.ports import free_port
from tests.support import asking
from tests.support.gallery import GalleryClient, open_gallery
from tests.support.waiting import wait_until

PASSWORD = "tulips and 1 anchor"
HOST = "ads.example.com"


async def give_password(database: Database) -> None:
    async with database.session() as session:
        number = await add_user(session, name="Ana")
        await save_password(session, user_id=number, password=PASSWORD, role=Role.EDITOR)
        await session.commit()


async def cookies_of_a_visit(pages: GalleryClient) -> dict[str, str]:
    """What a browser is told of each cookie from the door to a board, by the cookie's name."""
    told: list[str] = []

    async def note(answer: httpx.Response) -> None:
        told.extend(answer.headers.get_list("set-cookie"))

    pages.event_hooks["response"].append(note)
    form = {"name": "Ana", "password": PASSWORD, "back": "/"}
    await pages.send_form("/sign-in", page="/sign-in", **form)
    await pages.send_form("/boards", name="Mine")
    return {one.partition("=")[0]: one for one in told}


async def share_board(pages: GalleryClient) -> str:
    """The link to the first board."""
    page = await pages.send_form("/boards/1", do="link", days="7")
    found = re.search(r"https?://[^\s<\"]+/shared/", page.text)
    assert found, page.text
    return found[0]


async def test_cookies_of_an_address_with_tls_are_secure_and_links_lead_to_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await give_password(database)
    chosen = {"gallery_url": f"https://{HOST}/"}
    async with open_gallery(database_url, tmp_path, needs_sign_in=True, **chosen) as pages:
        # The proxy speaks plain HTTP with the gallery; the client stands for the browser before it.
        pages.base_url = httpx.URL("https://127.0.0.1")
        cookies = await cookies_of_a_visit(pages)
        link = await share_board(pages)

    assert {"adspark_visit", "adspark_session", "adspark_seen_2", "adspark_notice"} <= set(cookies)
    for cookie in cookies.values():
        assert cookie.count("; Secure") == 1, cookie
    assert link == f"https://{HOST}/shared/"


async def test_without_one_they_are_not_and_links_lead_where_the_browser_is(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await give_password(database)
    async with open_gallery(database_url, tmp_path, needs_sign_in=True) as pages:
        cookies = await cookies_of_a_visit(pages)
        link = await share_board(pages)

    assert not any("Secure" in one for one in cookies.values())
    assert link == "http://127.0.0.1/shared/"


@pytest.fixture(params=["0.0.0.0", "127.0.0.1"])
def behind_a_proxy(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The program, as it is served behind a proxy on this machine; its own address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own = {
        "ADSPARK_DATABASE_URL": database_url,
        "ADSPARK_HOME": str(tmp_path),
        "ADSPARK_GALLERY_URL": f"https://{HOST}",
        "ADSPARK_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    command = [sys.executable, "-m", "deployments.gallery.server", "--host", request.param]
    with subprocess.Popen([*command, "--port", str(port)], env=os.environ | own) as process:
        try:
            wait_until(lambda: answers(f"{url}/health"))
            yield url
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        return asking.get(url).status_code == 200
    except httpx.TransportError:
        return False


async def test_the_program_knows_its_name_and_from_where_requests_come(
    behind_a_proxy: str, database: Database
) -> None:
    await give_password(database)
    ads = f"{behind_a_proxy}/api/v1/ads"
    own = {"Host": HOST, "Origin": f"https://{HOST}", "X-Forwarded-Proto": "https"}

    answer = asking.get(ads, headers=own, auth=("Ana", PASSWORD))
    assert answer.status_code == 200
    assert "; Secure" in answer.headers["set-cookie"]
    assert asking.get(ads, headers=own).status_code == 401  # everybody signs in
    assert asking.get(ads, headers={"Host": "evil.example"}).status_code == 403
    for client in ("198.51.100.7", "198.51.100.8", "198.51.100.8"):
        headers = own | {"X-Forwarded-For": f"203.0.113.1, {client}"}
        assert asking.get(ads, headers=headers, auth=("Ana", "wrong")).status_code == 401

    async with database.session() as session:
        counted = await session.execute(
            text("SELECT count(*) FROM rate_slot WHERE name LIKE 'sign-in address %' GROUP BY name")
        )
    assert sorted(counted.scalars()) == [1, 2]


@pytest.mark.parametrize(
    ("client", "status"), [("127.0.0.1", 200), ("::1", 200), ("203.0.113.5", 403)]
)
async def test_where_nobody_signs_in_a_proxy_leads_nobody_from_elsewhere_in(
    client: str, status: int
) -> None:
    answers_all = JSONResponse({})
    transport = httpx.ASGITransport(LocalOnly(answers_all), client=(client, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        answer = await browser.get("/boards")

    assert answer.status_code == status
    assert ("ADSPARK_GALLERY_URL" in answer.text) == (status == 403)
