"""Pools in an operator's hands."""

from collections.abc import AsyncIterator

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.states import AwaitingRetry, Completed, Running, Scheduled

from adspark.errors import ConfigurationError, InvalidQueryError
from deployments.operations import pools
from tests.support.queued import POOL, open_pools, plan, queue


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools."""
    async with open_pools() as opened:
        yield opened


async def states(client: PrefectClient, runs: list[FlowRun]) -> set[str | None]:
    """How these runs are now."""
    return {(await client.read_flow_run(run.id)).state_name for run in runs}


async def test_what_schedules_planned_for_a_pause_can_be_skipped(client: PrefectClient) -> None:
    planned = await plan(client, 3)
    late, again = planned[:2]
    await client.set_flow_run_state(late.id, Scheduled(name="Late"), force=True)
    await client.set_flow_run_state(again.id, AwaitingRetry(), force=True)
    asked = await queue(client, Scheduled(name="Late"), Scheduled())
    await pools.pause(client, POOL)
    assert (await client.read_work_pool(POOL)).is_paused
    assert await pools.resume(client, POOL, skip_late=True) == 2
    assert not (await client.read_work_pool(POOL)).is_paused
    skipped = [run for run in planned if run.id != again.id]
    assert await states(client, skipped) == {"Cancelled"}
    assert await states(client, [again]) == {"AwaitingRetry"}  # a person put it there
    assert await states(client, asked) == {"Late", "Scheduled"}
    message = (await client.read_flow_run(late.id)).state
    assert message is not None
    assert message.message == "Skipped: its pool was paused."


async def test_a_resumed_pool_catches_up_unless_told_otherwise(client: PrefectClient) -> None:
    planned = await plan(client, 1)
    await pools.pause(client, POOL)
    assert await pools.resume(client, POOL, skip_late=False) == 0
    # Nor is anything skipped of a pool that was not paused: it is late for another reason.
    assert await pools.resume(client, POOL, skip_late=True) == 0
    assert await states(client, planned) == {"Scheduled"}


async def test_a_drained_pool_is_paused_and_empty(client: PrefectClient) -> None:
    (running, _) = await queue(client, Running(), Scheduled())
    told: list[int] = []
    named: list[FlowRun] = []

    async def drain(patience: float) -> bool:
        return await pools.drain(
            client, POOL, on_wait=told.append, on_no_worker=named.extend, patience=patience
        )

    assert not await drain(0)
    assert (await client.read_work_pool(POOL)).is_paused
    assert [run.id for run in named] == [running.id]  # it waits for a run that nobody carries out
    await client.set_flow_run_state(running.id, Completed(), force=True)
    assert await drain(30)
    assert await drain(0)  # it looks all the same
    assert (told, len(named)) == ([1], 1)


async def test_of_a_pool_with_a_worker_that_is_drained_no_runs_are_named(
    client: PrefectClient,
) -> None:
    await queue(client, Running())
    await client.send_worker_heartbeat(POOL, "a worker")
    named: list[FlowRun] = []
    ignored: list[int] = []
    assert not await pools.drain(
        client, POOL, on_wait=ignored.append, on_no_worker=named.extend, patience=0
    )
    assert named == []


async def test_a_pool_is_scaled_and_says_what_it_was(client: PrefectClient) -> None:
    assert await pools.scale(client, POOL, 5) == 2
    assert await pools.scale(client, POOL, None) == 5
    assert (await client.read_work_pool(POOL)).concurrency_limit is None
    with pytest.raises(InvalidQueryError, match=f"adspark pause {POOL}"):
        await pools.scale(client, POOL, 0)


async def test_an_unknown_pool_is_told_with_the_one_spelled_like_it(
    client: PrefectClient,
) -> None:
    known = "There is no pool 'fetch'; did you mean 'data-fetch'"
    with pytest.raises(ConfigurationError, match=known):
        await pools.pause(client, "fetch")
    with pytest.raises(ConfigurationError, match=known):
        await pools.scale(client, "fetch", 1)
