"""PostgreSQL is restarted under a run: it goes on, pays nothing twice, and counts all its work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from prefect.client.schemas.objects import State

from adspark.db import migrate
from adspark.db.embedded import LocalPostgres
from adspark.db.engine import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.settings import get_settings
from flows.process_all_active_watches import process_all_active_watches
from flows.process_sweep_shard import process_sweep_shard
from flows.process_watch import process_watch
from tests.support.sandbox_control import searches, switch_on
from tests.support.watching import Place

pytestmark = pytest.mark.usefixtures("environment")

WATCHES = 60


@pytest.fixture
async def server(home_folder: Path) -> AsyncIterator[LocalPostgres]:
    """A server of the test's own."""
    with LocalPostgres(home_folder / "pg").running() as made:
        migrate.upgrade(made.url("adspark"))
        yield made


@pytest.fixture
async def place(server: LocalPostgres, environment: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """Sixty due watches on that server, and a sandbox with their advertisers."""
    environment.setenv("ADSPARK_DATABASE_URL", server.url("adspark"))
    environment.setenv("ADSPARK_RETRY_DELAYS", "0.5,1,2,4,8,16")
    environment.setenv("ADSPARK_SEARCHES_PER_MINUTE", "10000")
    with serve(SandboxSettings(generated_advertisers=WATCHES)) as url:
        environment.setenv("ADSPARK_SERPAPI_URL", url)
        get_settings.cache_clear()
        async with Database(server.url("adspark")) as database:
            made = Place(database, url)
            for number in range(1, WATCHES + 1):
                await made.add(name=f"watch {number}", advertiser_ids=[f"AR9{number:019d}"])
            await made.make_due()
            switch_on(url, {"kind": "latency", "seconds": 0.2})
            yield made


async def under_restart(
    run: Callable[[], Awaitable[State]], server: LocalPostgres, place: Place, *, after: int
) -> State:
    """How a run ends, under which the server is restarted after so many searches."""
    running = asyncio.ensure_future(run())
    while searches(place.url)["requests"] < after:
        await asyncio.sleep(0.02)
    assert not running.done()
    await asyncio.to_thread(server._run, "pg_ctl", "-w", "-mfast", "restart")
    return await running


async def test_a_sweep_goes_on_after_a_restart_and_pays_nothing_twice(
    place: Place, server: LocalPostgres
) -> None:
    state = await under_restart(
        lambda: process_all_active_watches(return_state=True), server, place, after=30
    )
    assert state.is_completed(), state.message
    summary = await state.aresult()
    assert (summary.due, summary.checked, summary.failed) == (WATCHES, WATCHES, 0)
    assert summary.searches_billed == searches(place.url)["billed"] == WATCHES
    assert f"{WATCHES} of {WATCHES} due watches checked" in (state.message or "")


async def test_a_sweep_in_shards_and_a_shard_go_on_after_a_restart(
    place: Place, server: LocalPostgres, environment: pytest.MonkeyPatch
) -> None:
    shard = list(range(1, 31))
    state = await under_restart(
        lambda: process_sweep_shard(shard, return_state=True), server, place, after=10
    )
    assert state.is_completed(), state.message
    summary = await state.aresult()
    assert (summary.due, summary.checked, summary.failed) == (30, 30, 0)

    environment.setenv("ADSPARK_SWEEP_SHARD_SIZE", "10")
    get_settings.cache_clear()
    state = await under_restart(
        lambda: process_all_active_watches(return_state=True), server, place, after=40
    )
    assert state.is_completed(), state.message
    assert searches(place.url)["billed"] == WATCHES


async def test_a_check_of_one_watch_goes_on_after_a_restart(
    place: Place, server: LocalPostgres
) -> None:
    state = await under_restart(lambda: process_watch(1, return_state=True), server, place, after=1)
    assert state.is_completed(), state.message
    assert searches(place.url)["billed"] == 1


async def test_a_run_that_begins_while_the_server_is_away_waits_for_it(
    place: Place, server: LocalPostgres
) -> None:
    await asyncio.to_thread(server._run, "pg_ctl", "-w", "-mfast", "stop")
    running = asyncio.ensure_future(process_all_active_watches(return_state=True))
    await asyncio.sleep(0.7)
    assert not running.done()
    await asyncio.to_thread(server.revive)
    state = await running
    assert state.is_completed(), state.message
