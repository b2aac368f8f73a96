"""The guard of local servers: what browsers send for foreign pages is refused, the rest passes."""

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from adspark.net.request_guard import RequestGuard

OWN = "127.0.0.1:4200"


async def _answer(_: object) -> PlainTextResponse:
    return PlainTextResponse("secret")


async def _greet(opened: WebSocket) -> None:
    await opened.accept()
    await opened.send_text("secret")
    await opened.close()


APP = Starlette(
    routes=[
        Route("/", _answer, methods=["GET", "POST", "OPTIONS"]),
        Route("/pictures/1", _answer, methods=["GET", "POST"]),
        WebSocketRoute("/socket", _greet),
    ]
)
GUARDED = RequestGuard(APP, allowed_hosts=["api"], public_paths=["/pictures/"])


async def ask(
    method: str, headers: list[tuple[str, str]], path: str = "/", scheme: str = "http"
) -> httpx.Response:
    transport = httpx.ASGITransport(GUARDED)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://{OWN}") as client:
        return await client.request(method, path, headers=headers)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a real server: how a WebSocket is refused is its work."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            GUARDED, log_level="warning", lifespan="off", ws="websockets-sansio"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield int(listener.getsockname()[1])
        server.should_exit = True
        thread.join()


def greet(port: int, origin: Origin | None, host: str = "127.0.0.1") -> str:
    """What the server says on a WebSocket that is opened for a page of this origin."""
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        connect(f"ws://{host}:{port}/socket", sock=plain, origin=origin, proxy=None) as opened,
    ):
        return str(opened.recv())


PASSES: list[tuple[str, str, dict[str, str], str]] = [
    ("POST", OWN, {}, "a program"),
    ("GET", "localhost:4200", {}, "a program, by name"),
    ("GET", "LOCALHOST.:4200", {}, "the same name, spelt otherwise"),
    ("GET", "[::1]:4200", {}, "by IPv6"),
    ("GET", "192.168.1.7:4200", {}, "by an address of this machine"),
    ("GET", "api:4200", {}, "by an allowed name"),
    ("POST", OWN, {"origin": f"http://{OWN}", "sec-fetch-site": "same-origin"}, "its own page"),
    ("POST", "localhost:4200", {"origin": "http://localhost:4200"}, "its own page, by name"),
    ("GET", OWN, {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, "a typed address"),
    (
        "GET",
        OWN,
        {
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        },
        "a link that was followed",
    ),
]
REFUSED: list[tuple[str, str, dict[str, str], str]] = [
    ("GET", "evil.example:4200", {}, "DNS rebinding"),
    ("GET", "evil.example", {"origin": "http://evil.example"}, "DNS rebinding, same origin"),
    ("GET", "127.0.0.1.evil.example:4200", {}, "a name that begins like an address"),
    ("GET", "localhost.evil.example", {}, "a name that begins like ours"),
    ("GET", "evillocalhost:4200", {}, "a name that ends like ours"),
    ("GET", "", {}, "no host"),
    ("GET", "evil.example@127.0.0.1:4200", {"origin": "http://evil.example"}, "user part"),
    ("POST", OWN, {"origin": "http://evil.example"}, "a form or fetch of a foreign page"),
    ("POST", OWN, {"origin": "null"}, "a sandboxed frame"),
    ("POST", OWN, {"origin": ""}, "an empty origin"),
    ("POST", OWN, {"origin": "http://127.0.0.1:3000"}, "another server of this machine"),
    ("POST", OWN, {"origin": "http://localhost:4200"}, "another name of it"),
    ("OPTIONS", OWN, {"origin": "http://evil.example"}, "a preflight"),
    ("GET", OWN, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, "a script tag"),
    ("GET", OWN, {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, "another port"),
    (
        "GET",
        OWN,
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        "a frame",
    ),
    (
        "POST",
        OWN,
        {
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        },
        "a form without an origin",
    ),
]


@pytest.mark.parametrize(("method", "host", "headers", "reason"), PASSES)
async def test_what_is_ours_passes(
    method: str, host: str, headers: dict[str, str], reason: str
) -> None:
    answer = await ask(method, [("host", host), *headers.items()])
    assert (answer.status_code, answer.text) == (200, "secret"), reason


@pytest.mark.parametrize(("method", "host", "headers", "reason"), REFUSED)
async def test_what_a_foreign_page_asks_is_refused(
    method: str, host: str, headers: dict[str, str], reason: str
) -> None:
    answer = await ask(method, [("host", host), *headers.items()])
    assert answer.status_code == 403, reason
    assert "secret" not in answer.text
    assert "access-control-allow-origin" not in answer.headers


async def test_a_browser_is_told_in_words_and_a_program_in_json() -> None:
    refused = [("host", "<b>evil.example.com</b>")]
    shown = await ask("GET", [*refused, ("accept", "text/html,application/xhtml+xml,*/*;q=0.8")])
    told = await ask("GET", [*refused, ("accept", "*/*")])
    assert (shown.status_code, told.status_code) == (403, 403)
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.text == told.json()["detail"]
    assert shown.text.endswith("is not this server; open it by its address.")


async def test_a_host_or_origin_that_is_sent_twice_is_refused() -> None:
    for name, value in (("host", OWN), ("origin", f"http://{OWN}")):
        answer = await ask("GET", [("host", OWN), (name, value), (name, "evil.example")])
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("server", "page", "status"),
    [
        ("http", "http", 200),
        ("https", "https", 200),
        ("http", "https", 200),
        ("https", "http", 403),
    ],
)
async def test_over_https_no_page_that_came_unencrypted_is_answered(
    server: str, page: str, status: int
) -> None:
    answer = await ask("POST", [("origin", f"{page}://{OWN}")], scheme=server)
    assert answer.status_code == status


async def test_no_foreign_page_may_frame_or_read_what_is_served() -> None:
    headers = (await ask("GET", [])).headers
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["cross-origin-resource-policy"] == "same-origin"


async def test_every_page_may_show_what_is_public_and_no_more() -> None:
    foreign, rebound = ("origin", "http://evil.example"), ("host", "evil.example")
    assert (await ask("GET", [foreign], "/pictures/1")).status_code == 200
    assert (await ask("POST", [foreign], "/pictures/1")).status_code == 403
    assert (await ask("GET", [rebound], "/pictures/1")).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_web_socket_of_a_foreign_page_is_refused(port: int, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        greet(port, Origin(origin))
    assert refused.value.response.status_code == 403


def test_a_web_socket_of_a_rebound_name_is_refused(port: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        greet(port, Origin(f"http://evil.example:{port}"), host="evil.example")
    assert refused.value.response.status_code == 403


def test_a_web_socket_of_a_program_or_its_own_page_passes(port: int) -> None:
    assert greet(port, None) == greet(port, Origin(f"http://127.0.0.1:{port}")) == "secret"
