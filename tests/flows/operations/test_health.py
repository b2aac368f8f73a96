"""The state of the system and its queues, as operators ask for it."""

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import (
    DeploymentUpdate,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
    WorkPoolCreate,
    WorkPoolUpdate,
)
from prefect.client.schemas.objects import (
    ConcurrencyLimitStrategy,
    ConcurrencyOptions,
    FlowRun,
    State,
    StateType,
)
from prefect.states import AwaitingRetry, Cancelled, Crashed, Failed, Pending, Running, Scheduled
from pydantic import SecretStr
from typer.testing import CliRunner

from adspark.db.engine import Database
from adspark.db.rates import CLEANUPS, GENERATIONS, SEARCHES, SWEEPS, WINDOWS
from adspark.errors import ConfigurationError
from adspark.settings import Settings, get_settings
from adspark.watches.searches_left import SearchesLeft
from blocks.configured import DOCUMENT
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.cli.main import app as cli
from deployments.console.data import read_view
from deployments.execution.output import write_output_to
from deployments.operations.health import Health, read_health, read_not_set_up
from deployments.operations.leftover_processes import name_folder
from deployments.operations.runs.purge import Waiting, count_by_pool, find_waiting, purge
from flows.generate_pending_variants import generate_pending_variants
from orchestration.runs.lost_runs import TAG
from orchestration.runs.requeue import MOST_STARTS, requeue
from orchestration.runs.state_changes import set_states
from orchestration.server.prefect_health import check_prefect
from tests.support.queued import open_pools

POOL = "data-fetch"


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools and one deployment, without workers."""
    async with open_pools() as opened:
        yield opened


async def queue(client: PrefectClient, number: int) -> list[FlowRun]:
    """Runs that wait in the pool."""
    flow_id = await client.create_flow(generate_pending_variants)
    deployment = await client.create_deployment(flow_id, "queued", work_pool_name=POOL)
    return [await client.create_flow_run_from_deployment(deployment) for _ in range(number)]


def of(health: Health, name: str) -> list[str]:
    """What is told of a pool that should be seen to."""
    return [one.what for one in health.problems if name in one.what]


async def test_a_pool_without_a_worker_or_paused_says_what_to_do(client: PrefectClient) -> None:
    health = await read_health(client)
    assert not health.is_well
    assert of(health, POOL) == [f"pool {POOL} has no worker"]
    await client.update_work_pool(POOL, WorkPoolUpdate(is_paused=True))
    health = await read_health(client)
    (problem,) = [one for one in health.problems if POOL in one.what]
    assert (problem.what, problem.remedy) == (
        f"pool {POOL} is paused",
        f"adspark resume {POOL}",
    )


async def test_a_pool_without_slots_is_told_at_once_with_the_command_that_gives_it_some(
    client: PrefectClient,
) -> None:
    (run,) = await queue(client, 1)
    await client.send_worker_heartbeat(POOL, "one", 30)
    await client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=0))
    (problem,) = [one for one in (await read_health(client)).problems if POOL in one.what]
    assert problem.what == f"pool {POOL} has 0 slots: none of its runs begins"
    assert problem.remedy == f"adspark scale {POOL} N"
    assert run.deployment_id is not None
    await client.update_deployment(run.deployment_id, DeploymentUpdate(tags=[TAG]))
    (check,) = [one for one in await check_prefect() if one.name == f"pool {POOL}"]
    assert (check.state, check.what) == ("warning", "has 0 slots: none of its runs begins")
    assert check.remedy == problem.remedy


async def test_a_pool_that_is_missing_is_told(client: PrefectClient) -> None:
    await client.delete_work_pool("default")
    health = await read_health(client)
    assert of(health, "default") == ["there is no work pool default"]
    await client.create_work_pool(WorkPoolCreate(name="default", type="process"))


@pytest.fixture
async def limits(client: PrefectClient) -> AsyncIterator[None]:
    """All rate limits, as provisioning makes them."""
    for name in WINDOWS:
        await client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(name=name, limit=5, slot_decay_per_second=1)
        )
    yield
    for name in WINDOWS:
        await client.delete_global_concurrency_limit_by_name(name)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize(
    ("name", "stopped", "unlimited"),
    [
        (SEARCHES, "no search begins", "searches have no limit"),
        (GENERATIONS, "no generation begins", "generations have no limit"),
        (SWEEPS, "no sweep begins", "sweeps have no limit"),
        (CLEANUPS, "no clean-up begins", "clean-ups have no limit"),
    ],
)
async def test_a_rate_limit_that_is_0_or_switched_off_is_a_problem_with_its_remedy(
    client: PrefectClient, database: Database, name: str, stopped: str, unlimited: str
) -> None:
    async def change(**changes: Any) -> None:  # noqa: ANN401  (fields of a limit)
        changed = GlobalConcurrencyLimitUpdate(**changes)
        await client.update_global_concurrency_limit(name, changed)

    assert of(await read_health(client), "limit") == []
    await change(limit=0)
    (problem,) = [one for one in (await read_health(client)).problems if name in one.what]
    assert problem.what == f"limit {name} is 0: {stopped}"
    assert problem.remedy.startswith("set another number under Concurrency in Prefect's UI")
    (check,) = [one for one in await check_prefect() if one.name.startswith("limit")]
    assert (check.name, check.what) == (f"limit {name}", f"is 0: {stopped}")
    assert (check.state, check.remedy) == ("warning", problem.remedy)
    searches = SearchesLeft(Settings())
    view = await read_view(client, database, searches, pool=None, narrowed="all", flows={})
    assert problem in view.problems

    await change(limit=5, active=False)
    (problem,) = [one for one in (await read_health(client)).problems if name in one.what]
    assert problem.what == f"limit {name} is switched off: {unlimited}"
    assert "adspark provision --reset" in problem.remedy
    assert [one.what for one in await check_prefect() if one.name == f"limit {name}"] == [
        f"is switched off: {unlimited}"
    ]


async def test_runs_are_counted_by_what_they_do(client: PrefectClient) -> None:
    runs = await queue(client, 3)
    await client.set_flow_run_state(runs[0].id, Pending())
    await client.set_flow_run_state(runs[1].id, Pending())
    await client.set_flow_run_state(runs[1].id, Running())
    (pool,) = [one for one in (await read_health(client)).pools if one.name == POOL]
    assert (pool.running, pool.pending, pool.scheduled, pool.slots) == (1, 1, 1, 2)


async def fail_to_begin(
    client: PrefectClient, run: FlowRun, cause: str = "user_id: is missing."
) -> None:
    """It ends as one whose parameters are wrong."""
    await client.set_flow_run_state(run.id, Pending())
    await client.set_flow_run_state(run.id, Failed(message=cause))


async def test_a_flow_whose_runs_cannot_begin_is_a_problem_until_one_begins(
    client: PrefectClient,
) -> None:
    first, second, third = await queue(client, 3)
    await fail_to_begin(client, first)
    assert of(await read_health(client), "begin") == []
    await fail_to_begin(client, second)
    health = await read_health(client)
    assert not health.is_well
    (problem,) = [one for one in health.problems if "begin" in one.what]
    assert (problem.what, problem.remedy) == (
        "2 runs of generate-pending-variants could not begin: user_id: is missing",
        "adspark failures",
    )
    await client.set_flow_run_state(third.id, Pending())
    await client.set_flow_run_state(third.id, Running())
    assert of(await read_health(client), "begin") == []


async def test_a_run_that_was_cancelled_before_it_began_hides_no_flow_that_cannot_begin(
    client: PrefectClient,
) -> None:
    first, second, third = await queue(client, 3)
    await fail_to_begin(client, first)
    await fail_to_begin(client, second)
    await client.set_flow_run_state(third.id, Cancelled())
    assert of(await read_health(client), "begin") == [
        "2 runs of generate-pending-variants could not begin: user_id: is missing"
    ]


async def test_of_runs_that_could_not_begin_for_several_causes_the_newest_is_named_as_such(
    client: PrefectClient,
) -> None:
    first, second, third = await queue(client, 3)
    await fail_to_begin(client, first)
    await fail_to_begin(client, second)
    await fail_to_begin(client, third, "limit: is not a number.")
    assert of(await read_health(client), "begin") == [
        "3 runs of generate-pending-variants could not begin; the newest: limit: is not a number"
    ]


async def test_a_run_that_was_started_too_often_is_a_problem(client: PrefectClient) -> None:
    (run,) = await queue(client, 1)
    for _ in range(MOST_STARTS):
        await client.set_flow_run_state(run.id, Pending(), force=True)
        await client.set_flow_run_state(run.id, Crashed(message="Its process was killed."))
        await requeue(client, await client.read_flow_run(run.id), "Its process was killed.")
    assert of(await read_health(client), "begin") == [
        "1 run of generate-pending-variants could not begin: Its process was killed. It was "
        "started 5 times; look at it before: adspark retry"
    ]


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a run leaves behind is told at once."""
    monkeypatch.setenv("ADSPARK_TIDY_UP_TIME", "0.001")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


def write_into(folder: str, begun: Connection) -> None:
    """Be a run's process, which hangs."""
    write_output_to(folder)
    begun.send(True)
    time.sleep(600)


@pytest.mark.usefixtures("no_grace")
async def test_a_process_that_has_outlived_its_run_is_told_with_its_remedy(
    client: PrefectClient, tmp_path: Path
) -> None:
    (run,) = await queue(client, 1)
    environment = {**os.environ, "PREFECT__FLOW_RUN_ID": str(run.id)}
    child = await asyncio.create_subprocess_exec("sleep", "600", env=environment)
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    folder = tempfile.mkdtemp(prefix=name_folder(run.id), dir=tmp_path)
    forked = context.Process(target=write_into, args=(folder, theirs))
    forked.start()
    try:
        await asyncio.to_thread(ours.recv)
        await client.set_flow_run_state(run.id, Running(), force=True)
        assert of(await read_health(client), run.name) == []
        await client.set_flow_run_state(run.id, Failed(message="It hung."))
        (problem,) = [one for one in (await read_health(client)).problems if run.name in one.what]
    finally:
        child.kill()
        await child.wait()
        forked.kill()
        forked.join()
    assert f"run {run.name} is Failed" in problem.what
    assert problem.remedy.startswith("kill -KILL ")
    assert {str(child.pid), str(forked.pid)} == set(problem.remedy.split()[2:])
    assert of(await read_health(client), run.name) == []


async def test_a_purge_takes_what_waits_and_leaves_what_runs(client: PrefectClient) -> None:
    late, pending, running, planned = await queue(client, 4)
    soon: State = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(hours=1))
    await client.set_flow_run_state(planned.id, soon, force=True)
    await client.set_flow_run_state(late.id, Scheduled(name="Late"), force=True)
    for run in (pending, running):
        await client.set_flow_run_state(run.id, Pending())
    await client.set_flow_run_state(running.id, Running())
    found = await find_waiting(client, pools=[POOL], states=[Waiting.LATE, Waiting.PENDING])
    assert count_by_pool(found) == {POOL: {"Late": 1, "Pending": 1}}
    assert await purge(client, found) == 2
    assert await purge(client, found) == 0
    names = [(await client.read_flow_run(run.id)).state_name for run in (late, pending, running)]
    assert names == ["Cancelled", "Cancelled", "Running"]
    assert (await client.read_flow_run(planned.id)).state_name == "Scheduled"
    assert await find_waiting(client, pools=["default"], states=list(Waiting)) == []


async def test_what_is_due_is_late_before_the_server_has_named_it_so(
    client: PrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, named, retried, planned = await queue(client, 4)
    await client.set_flow_run_state(named.id, Scheduled(name="Late"), force=True)
    await client.set_flow_run_state(retried.id, AwaitingRetry(), force=True)
    hour = timedelta(hours=1)
    soon: State = Scheduled(scheduled_time=datetime.now(UTC) + hour)
    await client.set_flow_run_state(planned.id, soon, force=True)
    late = await find_waiting(client, pools=[POOL], states=[Waiting.LATE])
    assert {run.id for run in late} == {due.id, named.id, retried.id}
    assert count_by_pool(late) == {POOL: {"Late": 3}}
    to_come = await find_waiting(client, pools=[POOL], states=[Waiting.SCHEDULED])
    assert [run.id for run in to_come] == [planned.id]
    assert count_by_pool(to_come) == {POOL: {"Scheduled": 1}}
    old = await find_waiting(
        client, pools=[POOL], states=list(Waiting), older_than=hour.total_seconds()
    )
    assert old == []
    monkeypatch.setenv("PREFECT_API_URL", str(client.api_url))
    words = ["purge", POOL, "--yes"]
    said = await asyncio.to_thread(lambda: CliRunner().invoke(cli, words).stdout)
    assert said.splitlines() == [f"{POOL}: 3 Late", "Cancelled 3 runs."]


async def test_what_two_purges_at_once_cancel_is_counted_by_one_of_them(
    client: PrefectClient,
) -> None:
    await queue(client, 60)
    found = await find_waiting(client, pools=[POOL], states=[Waiting.LATE])
    both = asyncio.Barrier(2)
    async with get_client() as other:
        for one in (client, other):
            one._client.event_hooks["request"].append(_send_changes_together(both))
        counts = await asyncio.gather(purge(client, found), purge(other, found))
    ended = Counter([(await client.read_flow_run(run.id)).state_name for run in found])
    assert ended == {"Cancelled": 60}
    assert sum(counts) <= 60  # fewer where an answer comes too late and is asked for again


def _send_changes_together(both: asyncio.Barrier) -> Callable[[httpx.Request], Awaitable[None]]:
    """Send each of the three changes of states when the other purge sends its own, too."""
    left = 3

    async def look(request: httpx.Request) -> None:
        nonlocal left
        if left and request.url.path.endswith("bulk_set_state"):
            left -= 1
            await both.wait()

    return look


async def test_a_purge_leaves_alone_what_has_begun_since_it_was_found(
    client: PrefectClient,
) -> None:
    before, between, late = await queue(client, 3)
    await client.set_flow_run_state(late.id, Scheduled(name="Late"), force=True)
    await client.set_flow_run_state(between.id, Pending())
    found = await find_waiting(client, pools=[POOL], states=list(Waiting))
    await client.set_flow_run_state(before.id, Pending())
    await client.set_flow_run_state(before.id, Running())
    requests = 0

    async def begin_after_the_claim(request: httpx.Request) -> None:
        nonlocal requests
        requests += request.url.path.endswith("bulk_set_state")
        if requests == 2:
            requests += 1
            async with get_client() as worker:
                await worker.set_flow_run_state(between.id, Running())

    client._client.event_hooks["request"].append(begin_after_the_claim)
    assert await purge(client, found) == 1
    names = [(await client.read_flow_run(run.id)).state_name for run in (before, between, late)]
    assert names == ["Running", "Running", "Cancelled"]


async def test_a_purge_asks_the_server_once_for_fifty_runs_and_tells_how_far_it_is(
    client: PrefectClient,
) -> None:
    await queue(client, 120)
    found = await find_waiting(client, pools=[POOL], states=[Waiting.LATE])
    requests: list[bytes] = []

    async def note(request: httpx.Request) -> None:
        requests.append(request.content)

    client._client.event_hooks["request"].append(note)
    told: list[int] = []
    purged = await purge(client, found, on_purged=told.append)
    assert (len(set(requests)), sum(told)) == (2 + 2, purged)
    # A busy server may answer too late, and the same is requested again: what it did is uncounted.
    assert sorted(told) == [20, 50, 50] or len(requests) > len(set(requests))
    assert await find_waiting(client, pools=[POOL], states=list(Waiting)) == []


async def test_a_purge_takes_runs_that_were_begun_once_and_wait_for_a_retry(
    client: PrefectClient,
) -> None:
    for run in await queue(client, 60):
        await client.update_flow_run(run.id, infrastructure_pid="host:1")
        await client.set_flow_run_state(run.id, AwaitingRetry(), force=True)
    found = await find_waiting(client, pools=[POOL], states=[Waiting.LATE])
    assert (len(found), await purge(client, found)) == (60, 60)
    ended = {(await client.read_flow_run(run.id)).state_name for run in found}
    assert ended == {"Cancelled"}


async def test_a_purge_whose_answer_was_lost_ends_what_it_has_claimed(
    client: PrefectClient,
) -> None:
    runs = [run.id for run in await queue(client, 3)]
    found = await find_waiting(client, pools=[POOL], states=[Waiting.LATE])
    claim: State[object] = State(type=StateType.PENDING, name="Purging")
    claimed = await set_states(client, runs, ["Scheduled", "Late"], claim)
    assert len(claimed) == 3
    assert len(await find_waiting(client, pools=[POOL], states=[Waiting.PENDING])) == 3

    assert await purge(client, found) == 3

    ended = {(await client.read_flow_run(run)).state_name for run in runs}
    assert ended == {"Cancelled"}


async def test_a_purge_takes_runs_whose_deployment_bounds_its_own_runs(
    client: PrefectClient,
) -> None:
    flow_id = await client.create_flow(generate_pending_variants)
    for strategy in ConcurrencyLimitStrategy:
        deployment = await client.create_deployment(
            flow_id,
            f"bounded {strategy}",
            work_pool_name=POOL,
            concurrency_limit=1,
            concurrency_options=ConcurrencyOptions(collision_strategy=strategy),
        )
        for _ in range(3):
            await client.create_flow_run_from_deployment(deployment)
    found = await find_waiting(client, pools=[POOL], states=[Waiting.LATE])
    assert (len(found), await purge(client, found)) == (6, 6)
    ended = [(await client.read_flow_run(run.id)).state_name for run in found]
    assert ended == ["Cancelled"] * 6


async def test_a_purge_of_an_unknown_deployment_is_refused(client: PrefectClient) -> None:
    with pytest.raises(ConfigurationError, match="no deployment 'nothing/nothing'"):
        await find_waiting(client, pools=[], states=list(Waiting), deployment="nothing")


async def test_keys_that_nobody_has_given_are_told_with_what_they_are_for(
    client: PrefectClient, environment: pytest.MonkeyPatch
) -> None:
    for name in ("ADSPARK_SERPAPI_KEY", "ADSPARK_DIFY_KEY"):
        environment.delenv(name, raising=False)
    get_settings.cache_clear()
    serpapi, dify = await read_not_set_up(client)
    assert (serpapi.is_essential, dify.is_essential) == (True, False)
    assert str(serpapi).startswith(
        "SerpApi's key, so that no ads are fetched and no watch is check"
    )
    assert "adspark up --sandbox" in serpapi.remedy
    assert str(dify).startswith("Dify's key, so that no variants are made. Set ADSPARK_DIFY_KEY")

    environment.setenv("PREFECT_API_URL", str(client.api_url))
    said = await asyncio.to_thread(lambda: CliRunner().invoke(cli, ["status"]).stdout)
    assert "Not set up: SerpApi's key, so that no ads are fetched" in said
    assert "Everything is well" not in said

    block = SerpApiCredentials(api_key=SecretStr("k"))
    await block.save(DOCUMENT, client=client)
    try:
        assert await read_not_set_up(client) == [dify]
    finally:
        await SerpApiCredentials.adelete(DOCUMENT)
    environment.setenv("ADSPARK_GENERATOR", "chat")
    environment.setenv("ADSPARK_SERPAPI_KEY", "k")
    get_settings.cache_clear()
    assert await read_not_set_up(client) == []
