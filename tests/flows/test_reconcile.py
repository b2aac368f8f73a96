"""Reconcile: what a dead worker left behind is requeued, and nothing else is touched."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events import Event, emit_event
from prefect.events.filters import EventAnyResourceFilter, EventFilter
from prefect.exceptions import ParameterTypeError
from prefect.states import Cancelled, Cancelling, Completed, Crashed, Pending, Running, Scheduled
from prefect.utilities.callables import parameter_schema

from adspark.settings import get_settings
from deployments.environment.stack_settings import process_environment
from deployments.operations.runs.failures import retry_runs
from flows.generate_pending_variants import generate_pending_variants
from flows.reconcile import reconcile
from orchestration.runs.flow_runs import filter_runs
from orchestration.runs.lost_runs import TAG, LostRuns
from orchestration.runs.requeue import MOST_STARTS, SILENT
from tasks.requeue_lost_runs import requeue_lost_runs
from tests.support import asking

POOL = "reconciled"
PATIENCE = 60.0  # seconds


@pytest.fixture
def until_now_is_long_ago(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes what has happened until now just older than the patience, and all else younger."""

    def pass_time() -> None:
        now = datetime.now(UTC) + timedelta(seconds=PATIENCE)
        clock = SimpleNamespace(now=lambda _: now)
        monkeypatch.setattr("orchestration.runs.lost_runs.datetime", clock)

    return pass_time


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with a pool, and without the runs that other tests have left."""
    async with get_client() as opened:
        url, left = f"{opened.api_url}flow_runs/bulk_delete", True
        while left:
            answer = asking.post(url, json={})  # fifty at a time; a busy server refuses some
            left = not answer.is_success or bool(answer.json()["deleted"])
        await opened.create_work_pool(WorkPoolCreate(name=POOL, type="process"), overwrite=True)
        yield opened
        await opened.delete_work_pool(POOL)


async def left(client: PrefectClient, state: State) -> FlowRun:
    """A run that was left in a state."""
    flow_id = await client.create_flow(generate_pending_variants)
    deployment = await client.create_deployment(flow_id, "adspark", work_pool_name=POOL, tags=[TAG])
    run = await client.create_flow_run_from_deployment(deployment)
    await client.set_flow_run_state(run.id, state, force=True)
    return run


async def plan(client: PrefectClient, *schedules: int, runs: int) -> tuple[UUID, list[FlowRun]]:
    """A deployment with hourly schedules that set `limit`, and the first runs of each."""
    deployment = await client.create_deployment(
        await client.create_flow(generate_pending_variants),
        "planned",
        work_pool_name=POOL,
        tags=[TAG],
        schedules=[
            DeploymentScheduleCreate(
                schedule=IntervalSchedule(interval=timedelta(hours=1)), parameters={"limit": limit}
            )
            for limit in schedules
        ],
    )
    await client.request(
        "POST",
        "/deployments/{id}/schedule",
        path_params={"id": deployment},
        json={"min_runs": runs},
    )
    wanted = filter_runs(deployments=[deployment])
    sort = FlowRunSort.EXPECTED_START_TIME_ASC
    return deployment, await client.read_flow_runs(flow_run_filter=wanted, limit=200, sort=sort)


async def state_of(client: PrefectClient, run: FlowRun) -> str:
    return str((await client.read_flow_run(run.id)).state_name)


async def test_what_nobody_carries_out_is_queued_again_and_ended_cancellings_end(
    client: PrefectClient, until_now_is_long_ago: Callable[[], None]
) -> None:
    crashed = await left(client, Crashed())
    stuck = await left(client, Pending())
    silent = await left(client, Running())
    ending = await left(client, Running())
    await client.update_flow_run(ending.id, infrastructure_pid="elsewhere:1:0")
    await client.set_flow_run_state(ending.id, Cancelling(), force=True)
    until_now_is_long_ago()
    fresh = await left(client, Running())
    found = await reconcile(PATIENCE, look_again_after=0)
    assert (found.requeued, found.cancelled, found.given_up) == (3, 1, 0)
    for run in (crashed, stuck, silent):
        assert await state_of(client, run) == "AwaitingRetry"
    assert await state_of(client, ending) == "Cancelled"
    assert await state_of(client, fresh) == "Running"
    assert (await reconcile(PATIENCE, look_again_after=0)).headline == "no run was lost"
    await client.set_flow_run_state(fresh.id, Completed(), force=True)


async def test_a_run_whose_pool_was_deleted_and_is_there_again_is_replaced_once(
    client: PrefectClient,
) -> None:
    flow_id = await client.create_flow(generate_pending_variants)
    fields: dict[str, Any] = {"work_pool_name": POOL, "tags": [TAG]}
    deployment = await client.create_deployment(flow_id, "adspark", **fields)
    lost = await client.create_flow_run_from_deployment(
        deployment, name="asked-for", parameters={"limit": 3}, state=Scheduled()
    )
    await client.delete_work_pool(POOL)
    assert (await reconcile(PATIENCE, look_again_after=0)).headline == "no run was lost"
    await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    await client.create_deployment(flow_id, "adspark", **fields)

    assert (await reconcile(PATIENCE, look_again_after=0)).requeued == 1
    assert (await reconcile(PATIENCE, look_again_after=0)).requeued == 0

    ended = await client.read_flow_run(lost.id)
    (again,) = [
        one
        for one in await client.read_flow_runs(flow_run_filter=filter_runs(names=["asked-for"]))
        if one.id != lost.id
    ]
    assert ended.state is not None
    assert ended.state.message == f"Its pool was deleted; run {again.id} replaces it."
    assert (again.state_name, again.parameters, again.work_pool_name) == (
        "Scheduled",
        {"limit": 3},
        POOL,
    )


async def test_a_run_that_gives_signs_of_life_is_left_alone(
    client: PrefectClient, until_now_is_long_ago: Callable[[], None]
) -> None:
    alive, silent = await left(client, Running()), await left(client, Running())
    until_now_is_long_ago()
    event = emit_event(
        "prefect.flow-run.heartbeat",
        resource={"prefect.resource.id": f"prefect.flow-run.{alive.id}"},
    )
    assert isinstance(event, Event)
    while not await heard(client, alive):  # the server records events with a delay
        await asyncio.sleep(0.1)
    assert (await reconcile(PATIENCE, look_again_after=0)).requeued == 1
    assert await state_of(client, alive) == "Running"
    assert await state_of(client, silent) == "AwaitingRetry"
    await client.set_flow_run_state(alive.id, Completed(), force=True)


def test_its_patience_lets_a_living_run_be_heard_of_twice() -> None:
    own = process_environment(get_settings(), database_url="postgresql:///own", api_url="")
    heartbeat = float(own["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])
    shortest = parameter_schema(reconcile).properties["patience"]["minimum"]
    assert shortest >= 2 * heartbeat
    for patience in (0, shortest - 1):
        with pytest.raises(ParameterTypeError, match=rf"must be 60 to 31622400, not {patience}"):
            reconcile.validate_parameters({"patience": patience})
    reconcile.validate_parameters({"patience": shortest, "look_again_after": 0})


async def test_a_run_that_kills_its_worker_again_and_again_is_given_up(
    client: PrefectClient,
) -> None:
    run = await left(client, Crashed())
    for _ in range(MOST_STARTS):
        await client.set_flow_run_state(run.id, Running(), force=True)
        await client.set_flow_run_state(run.id, Crashed(), force=True)
        found = await reconcile(look_again_after=0)
    assert (found.requeued, found.given_up) == (0, 1)
    told = (await client.read_flow_run(run.id)).state
    assert told is not None
    assert (told.name, "started 5 times" in (told.message or "")) == ("Crashed", True)


async def test_a_run_that_dies_before_it_begins_is_given_up_as_often_and_keeps_its_cause(
    client: PrefectClient,
) -> None:
    run = await left(client, Pending())
    lost: State = Crashed(message="Its process was killed from outside (SIGKILL).")
    for start in range(MOST_STARTS):
        if start:
            await client.set_flow_run_state(run.id, Pending(), force=True)
        await client.set_flow_run_state(run.id, lost, force=True)
        found = await reconcile(look_again_after=0)
        assert (found.requeued, found.given_up) == ((1, 0) if start < MOST_STARTS - 1 else (0, 1))
    now = await client.read_flow_run(run.id)
    assert now.run_count == 0
    assert now.state is not None
    assert now.state.message == (
        "Its process was killed from outside (SIGKILL). It was started 5 times; look at it before: "
        "adspark retry"
    )
    assert (await reconcile(look_again_after=0)).requeued == 0
    # A person who has seen to it lets it begin anew.
    assert await retry_runs(client, [run.id]) == [run.id]
    await client.set_flow_run_state(run.id, Pending(), force=True)
    await client.set_flow_run_state(run.id, lost, force=True)
    assert (await reconcile(look_again_after=0)).requeued == 1


@pytest.mark.parametrize(
    "message",
    [
        "Out of memory: it was killed at its limit of 512 MB.",
        "Execution was aborted by Python system exit call.",
    ],
)
async def test_a_run_that_would_only_end_like_that_again_is_left_to_a_person(
    client: PrefectClient, message: str
) -> None:
    run = await left(client, Running())
    await client.set_flow_run_state(run.id, Crashed(message=message), force=True)
    assert (await reconcile(look_again_after=0)).headline == "no run was lost"
    assert await state_of(client, run) == "Crashed"


async def test_a_run_that_a_newer_one_of_its_schedule_replaces_is_ended(
    client: PrefectClient, until_now_is_long_ago: Callable[[], None]
) -> None:
    _, runs = await plan(client, 1, runs=2)
    old, new = runs[:2]
    await client.set_flow_run_state(old.id, Running(), force=True)
    until_now_is_long_ago()
    await asyncio.sleep(1.1)  # a newer one is one that began more than a second later
    await client.set_flow_run_state(new.id, Running(), force=True)
    found = await reconcile(PATIENCE, look_again_after=0)
    assert (found.requeued, found.given_up) == (0, 1)
    assert await state_of(client, old) == "Crashed"


@pytest.mark.parametrize("newer", ["of another schedule", "by hand", "cancelled before it began"])
async def test_a_scheduled_run_is_requeued_where_no_run_of_its_schedule_has_begun_since(
    client: PrefectClient, newer: str
) -> None:
    deployment, runs = await plan(client, 1, 2, runs=2)
    lost, next_one = [run for run in runs if run.parameters == {"limit": 1}][:2]
    await client.set_flow_run_state(lost.id, Running(), force=True)
    await asyncio.sleep(1.1)  # a newer one is one that began more than a second later
    if newer == "of another schedule":
        other = next(run for run in runs if run.parameters == {"limit": 2})
        await client.set_flow_run_state(other.id, Running(), force=True)
    elif newer == "by hand":
        other = await client.create_flow_run_from_deployment(deployment, parameters={"limit": 77})
        await client.set_flow_run_state(other.id, Running(), force=True)
    else:
        other = next_one
        await client.set_flow_run_state(other.id, Cancelled(), force=True)
    await client.set_flow_run_state(lost.id, Crashed(), force=True)
    found = await reconcile(look_again_after=0)
    assert (found.requeued, found.given_up) == (1, 0)
    assert await state_of(client, lost) == "AwaitingRetry"
    await client.delete_deployment(deployment)
    if not newer.startswith("cancelled"):
        await client.set_flow_run_state(other.id, Completed(), force=True)


async def test_a_run_given_up_for_its_silence_has_the_time_to_be_heard_of(
    client: PrefectClient,
) -> None:
    alive = await left(client, Running())
    await client.set_flow_run_state(alive.id, Crashed(message=SILENT), force=True)
    found = await reconcile(look_again_after=0)
    assert (found.requeued, found.uncertain) == (0, 1)
    assert await state_of(client, alive) == "Crashed"


async def test_runs_that_die_while_it_looks_are_found_too(
    client: PrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await left(client, Crashed())
    second = await left(client, Running())
    looks = 0

    async def look(own_id: UUID | None, patience: float) -> LostRuns:
        nonlocal looks
        looks += 1
        found = await requeue_lost_runs(own_id, patience)
        if looks == 1:
            await client.set_flow_run_state(second.id, Crashed(), force=True)
        return found

    monkeypatch.setattr("flows.reconcile.requeue_lost_runs", look)
    assert (await reconcile(look_again_after=0.1)).requeued == 2
    assert await state_of(client, second) == "AwaitingRetry"


async def heard(client: PrefectClient, run: FlowRun) -> bool:
    """Whether the server has recorded a sign of life of the run."""
    page = await client.read_events(
        EventFilter(any_resource=EventAnyResourceFilter(id=[f"prefect.flow-run.{run.id}"])),
        limit=50,
    )
    return any(one.event == "prefect.flow-run.heartbeat" for one in page.events)
