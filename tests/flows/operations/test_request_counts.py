"""How many requests of Prefect's server each view of the pools takes, however much waits."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prefect import State
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed, Running, Scheduled

from adspark.db.engine import Database
from adspark.settings import Settings
from adspark.watches.searches_left import SearchesLeft
from deployments.console.data import read_slow_view, read_view
from deployments.operations.health import read_health
from deployments.operations.metrics import MetricsCollector
from deployments.operations.monitoring import read_snapshot
from deployments.queue_classes import POOL_NAMES
from orchestration.runs.flow_runs import read_failed_runs
from orchestration.runs.lost_runs import TAG
from orchestration.server.pool_snapshot import read_pools
from orchestration.server.prefect_health import check_prefect
from tests.support.queued import POOL, delete_deployments_without_pool, open_pools, queue

MOST = 8


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools, a worker online in each, and runs in many states."""
    async with open_pools() as opened:
        await delete_deployments_without_pool(opened)
        for pool in POOL_NAMES:
            await opened.send_worker_heartbeat(pool, f"{pool}-worker", 30)
            (run,) = await queue(opened, Running(), pool=pool)
            assert run.deployment_id is not None
            await opened.update_deployment(run.deployment_id, DeploymentUpdate(tags=[TAG]))
        await queue(opened, Scheduled(), Scheduled(name="Late"), Completed(), Failed())
        yield opened


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of all requests that go out to the server, whichever client sends them."""
    sent: list[str] = []
    send = httpx.AsyncHTTPTransport.handle_async_request

    async def count(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(str(PREFECT_API_URL.value())):
            sent.append(f"{request.method} {request.url.path}")
        return await send(transport, request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", count)
    # Runs of others on this host are no part of it; they would be looked up.
    monkeypatch.setattr("deployments.operations.leftover_processes._find_processes", list)
    return sent


@contextmanager
def at_most(number: int, requests: list[str]) -> Iterator[None]:
    """So many requests and no more."""
    requests.clear()
    yield
    assert 0 < len(requests) <= number, requests


async def test_each_view_of_the_pools_takes_at_most_eight_requests(
    client: PrefectClient, database: Database, database_url: str, requests: list[str]
) -> None:
    settings = Settings(serpapi_key="a-key", dify_key="a-key")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("deployments.operations.health.get_settings", lambda: settings)
        with at_most(MOST, requests):
            health = await read_health(client, version="3")
    assert [pool.workers for pool in health.pools] == [1, 1, 1, 1]
    with at_most(MOST, requests):
        failures = await read_failed_runs(client, pools=POOL_NAMES)
        snapshot = await read_snapshot(client, database, failures=failures)
    assert [pool.active for pool in snapshot.pools] == [1, 1, 1, 1]
    searches = SearchesLeft(Settings())
    with at_most(MOST, requests):
        view = await read_view(client, database, searches, pool=None, narrowed="all", flows={})
    assert not view.problems
    with at_most(MOST, requests):
        assert set((await read_slow_view(client)).workers.values()) == {1}
    with at_most(MOST, requests):
        assert all(check.state == "ok" for check in await check_prefect())
    collector = MetricsCollector(
        settings, api_url=str(PREFECT_API_URL.value()), database_url=database_url
    )
    await asyncio.to_thread(lambda: list(collector.collect()))  # reads the names of flows once
    collector._read_at = None
    with at_most(MOST, requests):
        await asyncio.to_thread(lambda: list(collector.collect()))
    await asyncio.to_thread(collector.close)


async def test_a_long_queue_is_counted_by_the_server_in_two_more_requests(
    client: PrefectClient, requests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: State[None] = Scheduled(scheduled_time=datetime.now(UTC) - timedelta(minutes=3))
    await queue(client, *[waiting.model_copy(update={"name": "Late"}) for _ in range(30)])
    monkeypatch.setattr("orchestration.runs.flow_runs.PAGE", 20)
    with at_most(2 + 2, requests):
        pools = {pool.name: pool for pool in await read_pools(client, POOL_NAMES)}
    busy = pools[POOL]
    assert (busy.running, busy.scheduled, busy.late) == (1, 1, 31)
    assert busy.oldest_late is not None
    assert busy.oldest_late > 170
    assert busy.found_late is not None
    assert busy.found_late < 170  # their state is new
    assert [pool.active for pool in pools.values()] == [1, 1, 1, 1]
