"""States are set only where they are still what was seen: whoever is faster wins, above all a
cancelling."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import (
    AwaitingRetry,
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Failed,
    Pending,
    Running,
    Scheduled,
)

from deployments.execution.run_executor import RunExecutor
from deployments.operations.pools import pause, resume
from deployments.operations.probe import probe
from deployments.operations.runs.active import cancel
from deployments.operations.runs.failures import retry_runs
from deployments.operations.runs.purge import purge
from deployments.worker.process_worker import ProcessPoolWorker
from orchestration.runs.lost_runs import TAG, requeue_lost
from orchestration.runs.requeue import (
    MOST_STARTS,
    RequeueOutcome,
    count_starts,
    end_or_requeue,
    requeue,
)
from orchestration.runs.state_changes import NO_SLOT, change_state, claim, claim_slot
from tests.support.meanwhile import meanwhile
from tests.support.queued import open_pools, plan, queue

SET = "/flow_runs/bulk_set_state"
REASON = "Its worker was stopped."


@pytest.fixture
async def other() -> AsyncIterator[PrefectClient]:
    """A client of whoever else changes a run; with our pools."""
    async with open_pools() as opened:
        yield opened


@pytest.fixture
async def client(other: PrefectClient) -> AsyncIterator[PrefectClient]:
    """Ours."""
    async with get_client() as opened:
        yield opened


def becomes(other: PrefectClient, run: FlowRun, *states: State) -> Callable[[], Awaitable[object]]:
    """Somebody else brings the run into these states, one after another."""

    async def act() -> None:
        for state in states:
            await other.set_flow_run_state(run.id, state, force=True)

    return act


async def state_of(client: PrefectClient, run: FlowRun) -> State:
    state = (await client.read_flow_run(run.id)).state
    assert state is not None
    return state


FASTER: dict[str, tuple[State, ...]] = {
    "cancelling": (Cancelling(),),
    "cancelled": (Cancelling(), Cancelled()),
    "completed": (Completed(),),
    "failed": (Failed(),),
    "queued": (AwaitingRetry(),),
    "taken again": (AwaitingRetry(), Pending()),
}


@pytest.mark.parametrize("faster", FASTER.values(), ids=FASTER)
@pytest.mark.parametrize("path", ["/flow_run_states/", SET], ids=["deciding", "setting"])
async def test_a_lost_run_that_changes_meanwhile_is_left_alone(
    client: PrefectClient, other: PrefectClient, faster: tuple[State, ...], path: str
) -> None:
    (run,) = await queue(other, Running())
    changed = meanwhile(client, path, becomes(other, run, *faster))
    assert await requeue(client, run, REASON) is RequeueOutcome.LEFT
    assert len(changed) == 1
    assert (await state_of(client, run)).name == faster[-1].name


async def test_a_run_that_has_begun_again_is_not_what_was_seen(
    client: PrefectClient, other: PrefectClient
) -> None:
    (run,) = await queue(other, Running())
    await becomes(other, run, AwaitingRetry(), Pending(), Running())()
    assert not (await change_state(client, run, Crashed())).is_made
    assert (await state_of(client, run)).name == "Running"


async def test_a_look_for_lost_runs_leaves_a_run_that_begins_again_meanwhile(
    client: PrefectClient, other: PrefectClient
) -> None:
    flow_id = await other.create_flow_from_name("probe")
    deployment = await other.create_deployment(flow_id, "lost", tags=[TAG])
    run = await other.create_flow_run_from_deployment(deployment)
    await becomes(other, run, Pending(), Running())()
    # While it asks whether the silent run gives signs of life, somebody has it run again.
    begins = becomes(other, run, Crashed(), AwaitingRetry(), Pending(), Running())
    changed = meanwhile(client, "/events/filter", begins)
    told: list[str] = []
    found = await requeue_lost(client, None, timedelta(0), on_loss=told.append)
    assert len(changed) == 1
    assert len(told) == 1
    assert (found.requeued, found.given_up, found.cancelled) == (0, 0, 0)
    assert (await state_of(client, run)).name == "Running"
    await other.delete_flow_run(run.id)


@pytest.mark.parametrize("path", ["/flow_run_states/", SET], ids=["deciding", "setting"])
async def test_a_cancelling_wins_over_a_hand_back_whenever_it_comes(
    client: PrefectClient, other: PrefectClient, path: str
) -> None:
    (run,) = await queue(other, Running())
    changed = meanwhile(client, path, becomes(other, run, Cancelling()))
    await RunExecutor(client, run, worker="stopped")._requeue(run)
    assert len(changed) == 1
    assert (await state_of(client, run)).name == "Cancelled"


@pytest.mark.parametrize("path", ["/flow_run_states/", SET], ids=["deciding", "setting"])
async def test_a_cancelling_wins_over_what_a_dead_worker_leaves(
    client: PrefectClient, other: PrefectClient, path: str
) -> None:
    (run,) = await queue(other, Running())
    meanwhile(client, path, becomes(other, run, Cancelling()))
    outcome = await end_or_requeue(client, run, REASON, cancelled="Cancelled.")
    assert outcome is RequeueOutcome.CANCELLED
    assert (await state_of(client, run)).name == "Cancelled"


async def test_a_cancelling_that_a_crash_has_overwritten_still_wins(
    client: PrefectClient, other: PrefectClient
) -> None:
    (run,) = await queue(other, Running())
    await becomes(other, run, Cancelling(), Crashed(message="Execution was aborted by a signal"))()
    outcome = await end_or_requeue(client, await other.read_flow_run(run.id), REASON, cancelled="")
    assert outcome is RequeueOutcome.CANCELLED
    assert (await state_of(client, run)).name == "Cancelled"


@pytest.mark.parametrize("begun", [(Pending(),), (Pending(), Running())], ids=["taken", "running"])
async def test_a_purge_leaves_a_run_that_begins_meanwhile(
    client: PrefectClient, other: PrefectClient, begun: tuple[State, ...]
) -> None:
    (run,) = await queue(other, Scheduled())
    changed = meanwhile(client, SET, becomes(other, run, *begun))
    purged = await purge(client, [run])
    assert len(changed) == 1
    assert (purged, (await state_of(client, run)).name) == (0, begun[-1].name)


async def test_what_is_skipped_is_not_what_has_begun_meanwhile(
    client: PrefectClient, other: PrefectClient
) -> None:
    (run, *_) = await plan(other, 1)
    await pause(other, "data-fetch")
    changed = meanwhile(client, SET, becomes(other, run, Pending(), Running()))
    assert await resume(client, "data-fetch", skip_late=True) == 0
    assert len(changed) == 1
    assert (await state_of(client, run)).name == "Running"


async def test_a_failed_run_that_was_put_back_by_another_is_not_put_back_twice(
    client: PrefectClient, other: PrefectClient
) -> None:
    (run,) = await queue(other, Failed())
    meanwhile(client, SET, becomes(other, run, AwaitingRetry(), Pending(), Running()))
    assert await retry_runs(client, [run.id]) == []
    assert (await state_of(client, run)).name == "Running"


async def test_a_cancel_says_what_the_server_has_made_of_it(
    client: PrefectClient, other: PrefectClient
) -> None:
    waiting, running, ended = await queue(other, Scheduled(), Running(), Completed())
    assert await cancel(client, waiting.id) == "It is cancelled"
    assert await cancel(client, running.id) == "It is being cancelled"
    assert await cancel(client, running.id) == "It is being cancelled"
    assert await cancel(client, ended.id) == "It was not cancelled: it has ended Completed"
    states = [(await state_of(client, one)).name for one in (waiting, running, ended)]
    assert states == ["Cancelled", "Cancelling", "Completed"]


async def test_a_waiting_run_that_begins_while_it_is_cancelled_is_ended_by_its_worker(
    client: PrefectClient, other: PrefectClient
) -> None:
    (run,) = await queue(other, Scheduled())
    meanwhile(client, SET, becomes(other, run, Pending(), Running()))
    assert await cancel(client, run.id) == "It is being cancelled"
    assert (await state_of(client, run)).name == "Cancelling"


async def test_a_probe_that_takes_too_long_is_cancelled_in_whatever_state_it_is(
    client: PrefectClient, other: PrefectClient
) -> None:
    flow_id = await other.create_flow_from_name("probe")
    deployment = await other.create_deployment(flow_id, "data-fetch", work_pool_name="data-fetch")
    begun: list[FlowRun] = []

    async def begins() -> None:
        of_pool = WorkPoolFilter(name=WorkPoolFilterName(any_=["data-fetch"]))
        (found,) = await other.read_flow_runs(work_pool_filter=of_pool)
        begun.append(found)
        await becomes(other, found, Pending(), Running())()

    meanwhile(client, SET, begins)
    (result,) = await probe(client, ["data-fetch"], patience=0)
    assert not result.ok
    assert (await state_of(client, begun[0])).name == "Cancelling"
    await other.delete_deployment(deployment)


@pytest.mark.parametrize("state", [Scheduled(), Scheduled(name="Late"), AwaitingRetry()])
async def test_a_queued_run_is_claimed_once(
    client: PrefectClient, other: PrefectClient, state: State
) -> None:
    (run,) = await queue(other, state)
    first, second = await claim(client, run.id), await claim(other, run.id)
    assert (first.is_made, second.is_made) == (True, False)
    assert (await state_of(client, run)).name == "Pending"


async def test_workers_that_claim_at_once_never_have_more_runs_than_the_pool_has_slots(
    client: PrefectClient, other: PrefectClient
) -> None:
    runs = await queue(other, *[Scheduled()] * 4, pool="default")  # of two slots
    started: set[UUID] = set()
    while len(started) < 2:
        claims = [
            claim_slot(one, run.id, "default")
            for one, run in zip((client, other) * 2, runs, strict=True)
        ]
        made = [change.is_made for change in await asyncio.gather(*claims)]
        started |= {run.id for run, is_made in zip(runs, made, strict=True) if is_made}
        names = Counter([(await state_of(client, run)).name for run in runs])
        assert names == Counter(Pending=len(started), Scheduled=4 - len(started))
    left = next(run for run in runs if run.id not in started)
    assert await claim_slot(client, left.id, "default") == (False, NO_SLOT)


async def test_a_claim_without_a_slot_is_no_start(
    client: PrefectClient, other: PrefectClient
) -> None:
    _, run = await queue(other, Running(), Scheduled(), pool="maintenance")  # of one slot
    for _ in range(MOST_STARTS):
        assert not (await claim_slot(client, run.id, "maintenance")).is_made
    await becomes(other, run, Pending())()
    assert count_starts(await client.read_flow_run_states(run.id)) == 1


async def test_a_pool_without_a_limit_has_a_slot_for_each(
    client: PrefectClient, other: PrefectClient
) -> None:
    runs = await queue(other, *[Scheduled()] * 3, pool="maintenance")
    await other.update_work_pool("maintenance", WorkPoolUpdate(concurrency_limit=None))
    assert all([(await claim_slot(client, run.id, "maintenance")).is_made for run in runs])


async def test_a_claim_that_is_sent_twice_is_one(
    client: PrefectClient, other: PrefectClient
) -> None:
    (run,) = await queue(other, Scheduled())
    send = client.request

    async def twice(*args: object, **kwargs: object) -> object:
        await send(*args, **kwargs)  # type: ignore[arg-type]  # its answer is lost
        client.request = send  # type: ignore[method-assign]
        return await send(*args, **kwargs)  # type: ignore[arg-type]

    client.request = twice  # type: ignore[method-assign,assignment]
    assert (await claim(client, run.id)).is_made


@pytest.mark.parametrize("end", [Completed(), Failed(), Crashed(), Cancelled(), Running()])
async def test_a_worker_that_read_a_run_before_its_end_does_not_start_it_again(
    client: PrefectClient, other: PrefectClient, end: State
) -> None:
    (run,) = await queue(other, Scheduled())
    await becomes(other, run, Pending(), Running(), end)()
    worker = ProcessPoolWorker("default", name="slow")
    worker._client = client
    assert not await worker._propose_pending_state(run)
    assert (await state_of(client, run)).name == end.name
