"""An assistant: the protocol's own client, which asks the server in this process or over HTTP."""

import asyncio
import json
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent
from pydantic import SecretStr

from adspark.net.request_guard import RequestGuard
from adspark.settings import Settings
from deployments.gallery.access.head_limit import HeadLimit
from deployments.mcp.http import PATH, make_app
from deployments.mcp.serve import Serving


def serving(
    database_url: str,
    media: Path,
    *,
    allows_spending: bool = False,
    **settings: Any,  # noqa: ANN401
) -> Serving:
    """What is served of a database and a folder of pictures."""
    chosen = Settings(media_url=str(media), database_url=SecretStr(database_url), **settings)
    return Serving(chosen, 1, allows_spending)


@asynccontextmanager
async def open_assistant(served: Serving) -> AsyncIterator[Client]:
    """A client of the server in this process."""
    async with served.open() as (server, _), Client(server) as client:
        yield client


@contextmanager
def serve_over_http(served: Serving, *, needs_sign_in: bool = False) -> Iterator[str]:
    """The server over HTTP, as `adspark mcp --http` serves it; yields its address."""
    ready, started = threading.Event(), list[uvicorn.Server]()

    async def serve() -> None:
        async with served.open(needs_sign_in=needs_sign_in) as (server, gallery):
            app = RequestGuard(HeadLimit(make_app(server, gallery, needs_sign_in=needs_sign_in)))
            config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1)
            started.append(uvicorn.Server(config))
            task = asyncio.create_task(started[0].serve())
            while not started[0].started and not task.done():
                await asyncio.sleep(0.01)
            ready.set()
            await task

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        ready.wait()
        port = started[0].servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}{PATH}"
    finally:
        started[0].should_exit = True
        thread.join()


def basic(name: str, password: str) -> dict[str, str]:
    """The header of name and password, as an assistant's configuration has it."""
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


@asynccontextmanager
async def open_http_assistant(
    url: str, headers: dict[str, str] | None = None, *, mode: str = "auto"
) -> AsyncIterator[Client]:
    """A client of a server over HTTP, with these headers in each request; `legacy`: one that speaks
    the protocol of before 2026, with a handshake."""
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


async def ask(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
    """The answer of a tool that succeeds; its text says the same as its structure."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, read_text(answer)
    document: dict[str, Any] = answer.structured_content
    assert json.loads(read_text(answer)) == document
    assert {"is_complete", "as_of", "looked_at", "not_looked_at", "meaning"} == set(
        document["coverage"]
    )
    return document


async def ask_in_vain(client: Client, tool: str, **arguments: Any) -> str:  # noqa: ANN401
    """What a call is told that fails."""
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error, read_text(answer)
    return read_text(answer)


def read_text(answer: CallToolResult) -> str:
    """The text of an answer."""
    first = answer.content[0]
    assert isinstance(first, TextContent)
    return first.text
