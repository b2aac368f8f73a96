"""Keys that services echo, and passwords on their way: nothing that is written holds them.

Every logger writes at DEBUG; what is raised, logged and kept is searched for the secret in all the
forms that it was echoed in.
"""

import base64
import json
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import quote, unquote

import httpx
import pytest
import websockets
from prefect.client.orchestration import PrefectClient
from prefect.events.clients import PrefectEventsClient
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings
from pydantic import SecretStr
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import AdSparkError, DatabaseSetupError
from adspark.media.store import MediaStore
from adspark.notifications.apprise import send
from adspark.settings import Settings, media_url
from adspark.text import redaction
from adspark.text.redaction import remember_environment
from tests.support.memory_store import PROTOCOL
from tests.support.raw_server import serve_raw
from tests.support.service_calls import CALLS, KEY

SECRET = KEY.get_secret_value()
PASSWORD = "Kt9-horse/word+long"
TOKEN = "x8Kq2mWz5LrT3vNd"


class Written:
    """Everything that any logger was given."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """What is logged at DEBUG, by loggers that are there and those that are made meanwhile."""
    monkeypatch.setattr(redaction, "_known", {})
    factory = logging.getLogRecordFactory()
    made = Written()
    handler = logging.Handler()
    handler.setFormatter(logging.Formatter())
    monkeypatch.setattr(handler, "emit", lambda record: made.lines.append(handler.format(record)))
    known = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    loggers = [logging.root, *known]
    levels = [(one, one.level, one.disabled) for one in loggers]
    ends = [one for one in loggers if one is logging.root or not one.propagate]
    for one in loggers:
        one.setLevel(logging.DEBUG)
        one.disabled = False
    for one in ends:
        one.addHandler(handler)
    yield made
    for one in ends:
        one.removeHandler(handler)
    for one, level, is_disabled in levels:
        one.setLevel(level)
        one.disabled = is_disabled
    logging.setLogRecordFactory(factory)


def forms_of(secret: str) -> set[str]:
    """What no one may read; in small letters."""
    content = secret.encode()
    padded = [base64.b64encode(b"abc"[:n] + content + b"abc").decode()[4:-8] for n in range(3)]
    found = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], content.hex(), *padded}
    return {one.lower() for one in found}


def check_hidden(told: str, *secrets: str) -> None:
    """Fail where a text holds a secret."""
    lowered = told.lower()
    for secret in secrets:
        for form in forms_of(secret):
            assert form not in lowered
            assert form not in unquote(lowered)


ECHOES: dict[str, Callable[[str], bytes]] = {
    "status line": lambda key: f"HTTP/1.1 403 no {key}\r\n\r\n".encode(),
    "status line that is none": lambda key: f"HTTP/1.1 {key}\r\n\r\n".encode(),
    "header that is none": lambda key: f"HTTP/1.1 200 OK\r\n{key}\x00 x\r\n\r\n".encode(),
    "content type": lambda key: f"HTTP/1.1 200 OK\r\nContent-Type: a/{key}\r\n\r\n<p>".encode(),
    "location": lambda key: (
        f"HTTP/1.1 302 Found\r\nLocation: https://x.example/?api_key={quote(key)}\r\n\r\n"
    ).encode(),
    "packing": lambda key: f"HTTP/1.1 200 OK\r\nContent-Encoding: br, {key}\r\n\r\n".encode(),
    "error": lambda key: _error(f"Invalid key {key}", key),
    "error in base64": lambda key: _error(
        base64.b64encode(f"user:{key}".encode()).decode(), "invalid"
    ),
    "error at the end of many words": lambda key: _error("x" * 285 + key, "invalid"),
    "error in capitals": lambda key: _error(key.upper(), key.encode().hex()),
    "error in HTML": lambda key: f"HTTP/1.1 400 Bad\r\n\r\n<h1>No {key}</h1>".encode(),
    "failure": lambda key: f"HTTP/1.1 500 Oh\r\n\r\n{key}".encode(),
}


def _error(message: str, code: str) -> bytes:
    told = {"error": message, "message": message, "code": code, "status": 400}
    return b"HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\n\r\n" + json.dumps(told).encode()


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("call", CALLS)
async def test_no_key_that_a_service_echoes_is_written(
    written: Written, call: str, echo: str
) -> None:
    def answer(_: bytes) -> Iterable[bytes]:
        yield ECHOES[echo](SECRET)

    with serve_raw(answer) as url, pytest.raises(AdSparkError) as caught:
        await CALLS[call](url)
    told = "".join(traceback.format_exception(caught.value))
    logging.getLogger("adspark.test").error("It failed.", exc_info=caught.value)
    assert written.lines
    check_hidden(str(caught.value) + repr(caught.value) + written.text, SECRET)
    check_hidden(told, SECRET)


async def test_no_key_in_what_a_service_gave_is_kept(written: Written) -> None:
    """In rows, outputs and figures, which go into tables, artifacts and results."""
    sent = f"https://x.example/?api_key={quote(SECRET)}&x=1"
    serpapi = {
        "search_metadata": {"id": f"s-{SECRET}", "status": "Success"},
        "ad_creatives": [{"ad_creative_id": "CR1", "link": sent, "note": {SECRET: [SECRET]}}],
        "serpapi_pagination": {"next_page_token": f"t-{SECRET}"},
        "plan_name": SECRET,
        "user_input_form": [{"paragraph": {"variable": SECRET}}],
        "id": SECRET,
        "model": SECRET,
        "choices": [{"message": {"content": f"Copy {SECRET}\n\n![a]({sent})"}}],
        "name": SECRET,
    }
    event = {"event": "workflow_finished", "workflow_run_id": "r", "data": serpapi}

    for call, make in CALLS.items():

        def answer(_: bytes, call: str = call) -> Iterable[bytes]:
            kind = b"text/event-stream" if call == "run" else b"application/json"
            yield b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n\r\n"
            yield (
                (b"data: " + json.dumps(event).encode() + b"\n\n")
                if call == "run"
                else (json.dumps(serpapi).encode())
            )

        with serve_raw(answer) as url:
            check_hidden(repr(await make(url)), SECRET)
    check_hidden(written.text, SECRET)


async def test_no_token_of_a_webhook_is_written(written: Written) -> None:
    def answer(_: bytes) -> Iterable[bytes]:
        yield f"HTTP/1.1 403 no {TOKEN}\r\n\r\n{TOKEN}".encode()

    with serve_raw(answer) as url:
        host = url.removeprefix("http://")
        for address in (
            f"json://{host}/in/{TOKEN}",
            f"json://anna:{quote(PASSWORD, safe='')}@{host}/in?key={TOKEN}",
            f"mmost://{host}/{TOKEN}",
            f"gotify://{host}/{TOKEN}",
        ):
            with pytest.raises(AdSparkError) as caught:
                await send(SecretStr(address), subject="News", body="x")
            logging.getLogger("adspark.test").info("asked %s", address)
            check_hidden(str(caught.value), TOKEN, PASSWORD)
    check_hidden(written.text, TOKEN, PASSWORD)


@asynccontextmanager
async def events_server() -> AsyncIterator[str]:
    """Takes whoever says a password, as Prefect's server does."""

    async def take(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            if json.loads(message).get("type") == "auth":
                await connection.send(json.dumps({"type": "auth_success"}))

    server = await websockets.serve(take, "127.0.0.1", 0, subprotocols=["prefect"])  # type: ignore[list-item]
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"


async def test_prefects_password_is_not_written(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = f"operator:{PASSWORD}"
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", whole)
    remember_environment()

    def answer(head: bytes) -> Iterable[bytes]:
        yield b"HTTP/1.1 401 no " + base64.b64encode(whole.encode()) + b"\r\n\r\n" + head

    with serve_raw(answer) as url:
        async with PrefectClient(f"{url}/api", auth_string=whole) as client:
            with pytest.raises(httpx.HTTPError) as caught:
                await client.hello()
    log = logging.getLogger("prefect.flow_runs")
    log.error("It failed.", exc_info=caught.value, extra={"send_to_api": False})
    with temporary_settings({PREFECT_API_AUTH_STRING: whole}):
        async with events_server() as url, PrefectEventsClient(api_url=url):
            pass
    assert "auth" in written.text
    check_hidden(written.text, PASSWORD, whole)


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://anna:{quote(PASSWORD, safe='')}@127.0.0.1:1/ads",
        f"postgresql://anna:{PASSWORD}@127.0.0.1:1/ads",
        f"postgresql:///ads?host=127.0.0.1&port=1&password={quote(PASSWORD, safe='')}",
        f"host=127.0.0.1 port=1 user=anna password={PASSWORD}",
        f"host=127.0.0.1 port=1 user=anna password='{PASSWORD}'",
    ],
)
async def test_no_password_of_a_database_is_written(written: Written, address: str) -> None:
    async def ask() -> None:
        async with Database(address) as database, database.session() as session:
            await session.execute(text("SELECT 1"))

    caught = await _failure(ask)
    logging.getLogger("adspark.test").error("asked %s", address, exc_info=caught)
    told = "".join(traceback.format_exception(caught))
    check_hidden(str(caught) + told + written.text, PASSWORD)


async def test_no_password_of_the_media_store_is_told(written: Written) -> None:
    address = f"{PROTOCOL}://anna:{quote(PASSWORD, safe='')}@files.example/pictures"
    settings = Settings(media_url=SecretStr(address))
    check_hidden(repr(settings) + str(settings.model_dump()), PASSWORD)
    store = MediaStore(media_url(settings))
    told = store.locate(f"variants/ab/{'ab' * 32}.png")
    assert told.endswith(".png")
    check_hidden(told, PASSWORD)
    with pytest.raises(AdSparkError) as caught:
        MediaStore(f"nothing://anna:{PASSWORD}@files.example/pictures")
    check_hidden(str(caught.value) + written.text, PASSWORD)


async def _failure(act: Callable[[], Awaitable[None]]) -> AdSparkError:
    with pytest.raises(AdSparkError) as caught:
        await act()
    assert not isinstance(caught.value, DatabaseSetupError) or "password" in str(caught.value)
    return caught.value
