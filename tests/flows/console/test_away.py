"""`adspark top` and `adspark monitor` outlive a server and a database that go away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy.engine import make_url
from textual.widgets import DataTable, Static

from adspark.db.engine import Database
from adspark.settings import Settings, get_settings
from adspark.watches.searches_left import SearchesLeft
from deployments.cli.operating.monitor import _watch
from deployments.console.app import ConsoleApp
from tests.support.cut_connection import Relay
from tests.support.queued import open_pools


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools, without workers."""
    async with open_pools() as opened:
        yield opened


@pytest.fixture
async def server(client: PrefectClient) -> AsyncIterator[Relay]:
    """A relay before it, to which PREFECT_API_URL leads."""
    address = urlsplit(str(client.api_url))
    relay = Relay(str(address.hostname), int(address.port or 0))
    await relay.open()
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{relay.port}/api"}):
        yield relay
    await relay.cut()


@pytest.fixture
async def reached(database_url: str) -> AsyncIterator[tuple[Relay, str]]:
    """A relay before the database, and the address that leads through it."""
    address = make_url(database_url)
    folder, port = address.query.get("host", "127.0.0.1"), address.query.get("port", "5432")
    relay = Relay(str(folder), int(str(port)))
    await relay.open()
    through = address.set(host="127.0.0.1", port=relay.port, query={})
    yield relay, through.render_as_string(hide_password=False)
    await relay.cut()


async def until(what: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(120):
        while True:
            found = what()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.1)


async def test_top_says_what_is_away_since_when_and_heals(
    server: Relay, database: Database
) -> None:
    async with get_client() as own:
        app = ConsoleApp(own, database, SearchesLeft(Settings()))
        async with app.run_test(size=(80, 24)) as pilot:
            away = app.query_one("#away", Static)
            await until(lambda: app.query_one("#pools-table", DataTable).row_count > 0)
            assert not away.display
            await server.cut()
            await until(lambda: bool(away.display))
            assert "Prefect's server has not answered since" in str(away.content)
            await server.open()
            await until(lambda: not away.display)
            notes = [one.message for one in app._notifications]
            assert any("Prefect's server answers again, after" in one for one in notes)
            assert pilot.app.is_running


async def test_monitor_says_what_is_away_since_when_and_heals(
    server: Relay,
    reached: tuple[Relay, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    relay, url = reached
    monkeypatch.setenv("ADSPARK_DATABASE_URL", url)
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.port}/api")
    get_settings.cache_clear()
    looks: list[Any] = []
    told = ""

    def says(what: str) -> bool:
        nonlocal told
        told += " ".join(capsys.readouterr().err.split())
        return what in told

    watching = asyncio.create_task(_watch(None, 0.5, looks.append))
    try:
        await until(lambda: len(looks) > 0 or watching.done())
        assert looks[-1].searches_billed is not None
        await server.cut()
        await until(lambda: says("Prefect's server has not answered since"))
        await server.open()
        await until(lambda: says("Prefect's server answers again"))
        await relay.cut()
        await until(lambda: says("PostgreSQL has not answered since"))
        await until(lambda: looks[-1].searches_billed is None)
        await relay.open()
        await until(lambda: says("PostgreSQL answers again"))
        await until(lambda: looks[-1].searches_billed is not None)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert told.count("has not answered since") == 2
