"""Clients that send nothing, or slowly: their connections are closed, and the others served."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from adspark.net.listening import open_listener
from adspark.settings import Settings
from deployments.gallery.access.slow_requests import BodyTime, Patience
from deployments.gallery.server import serve_guarded

SHORT, LONG = 0.05, 3600.0  # seconds
HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 9\r\n"


SLOW = "/slow"
ASK_SLOWLY = b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how long the body was, or that it did not come."""
    if scope["type"] != "http":
        return
    try:
        said = f"{len(await Request(scope, receive).body())} bytes"
    except ClientDisconnect:
        said = "nothing more came"
    if scope["path"] == SLOW:
        await asyncio.sleep(4 * SHORT)
    await PlainTextResponse(said)(scope, receive, send)


@asynccontextmanager
async def served(patience: Patience) -> AsyncIterator[int]:
    """The port of a server with this patience."""
    with open_listener("127.0.0.1", 0, purpose="tests") as listener:
        port: int = listener.getsockname()[1]
        serving = asyncio.create_task(
            serve_guarded(answer, Settings(), listener, needs_sign_in=False, patience=patience)
        )
        try:
            yield port
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def read_all(port: int, sent: bytes) -> bytes:
    """What a connection is sent until the server closes it.

    What it sends is there before the server looks, so in time on any machine.
    """
    with socket.create_connection(("127.0.0.1", port)) as opened:
        opened.sendall(sent)
        opened.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=opened)
        try:
            return await reader.read()
        finally:
            writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(HEAD, id="a part of a head"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET / HT", id="a second head"),
    ],
)
async def test_a_connection_without_a_whole_head_is_closed(sent: bytes) -> None:
    async with served(Patience(head=SHORT)) as port:
        got = await read_all(port, sent)

    assert got.startswith(b"HTTP/1.1 200") == sent.endswith(b"GET / HT")


async def test_a_body_that_does_not_come_is_waited_for_no_longer() -> None:
    async with served(Patience(head=LONG, body=SHORT)) as port:
        got = await read_all(port, HEAD + b"\r\n123")

    assert got.endswith(b"nothing more came")


async def test_hundreds_of_silent_connections_keep_nobody_out_for_long() -> None:
    async with served(Patience(head=SHORT)) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(310)]
        await asyncio.gather(*(reader.read() for reader, _ in silent))  # each was closed
        async with httpx.AsyncClient() as client:
            answered = await client.get(f"http://127.0.0.1:{port}/")
        for _, writer in silent:
            writer.close()

    assert answered.text == "0 bytes"


async def test_who_sends_requests_is_not_cut_off() -> None:
    async with served(Patience(head=LONG)) as port, httpx.AsyncClient() as client:
        for size in (0, 9, 100_000):
            answered = await client.post(f"http://127.0.0.1:{port}/", content=b"x" * size)
            assert answered.text == f"{size} bytes"


async def test_an_answer_may_take_longer_than_a_head() -> None:
    async with served(Patience(head=SHORT)) as port:
        got = await read_all(port, ASK_SLOWLY)

    assert got.endswith(b"0 bytes")


async def test_only_the_time_of_waiting_for_a_body_counts() -> None:
    left = asyncio.Event()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def read(_: Scope, receive: Receive, __: Send) -> None:
        for _number in range(3):
            assert (await receive())["body"] == b"x"
            await asyncio.sleep(SHORT)  # as while a password is checked
        left.set()

    async def send(_: Message) -> None:
        raise AssertionError("nothing is answered")

    await BodyTime(read, SHORT)({"type": "http"}, receive, send)

    assert left.is_set()
