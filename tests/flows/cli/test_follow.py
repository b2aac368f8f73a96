"""A run that is followed: its states in their order, its log between them, its end once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import LogCreate, WorkPoolUpdate
from prefect.client.schemas.objects import (
    ConcurrencyLimitStrategy,
    ConcurrencyOptions,
    State,
    StateType,
)
from prefect.client.schemas.responses import SetStateStatus
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled, Completed, Crashed, Pending, Running, Scheduled

from deployments.cli.runs.follow import (
    Event,
    RunFailedError,
    explain_wait,
    follow_run,
    run_and_follow,
)
from deployments.operations.pools import pause
from flows.probe import probe
from orchestration.runs.flow_runs import filter_runs, read_runs
from tests.support.queued import POOL, open_pools, queue

RUN, WORKER = "prefect.flow_runs", "prefect.flow_runs.worker"


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools."""
    async with open_pools() as opened:
        yield opened


async def test_states_stand_in_their_order_and_each_line_once(client: PrefectClient) -> None:
    (run,) = await queue(client, Scheduled())
    told: list[Event] = []
    following = asyncio.create_task(follow_run(PREFECT_API_URL.value(), run.id, told.append))
    began = datetime.now(UTC)

    async def write(second: int, line: str, logger: str = RUN, level: int = logging.INFO) -> None:
        at = began + timedelta(seconds=second)
        made = LogCreate(
            name=logger, level=level, message=line, timestamp=at, flow_run_id=run.id
        )  # fmt: skip
        await client.create_logs([made])

    async def shown(text: str) -> None:
        while text not in [one.text for one in told]:
            assert not following.done()
            await asyncio.sleep(0.01)

    await shown("Scheduled")
    await client.set_flow_run_state(run.id, Running(), force=True)
    await write(0, "Worker 'one' submitting flow run", WORKER)
    await write(1, "Beginning flow run 'one' for flow 'probe'")
    await write(3, "written later")
    await shown("written later")
    await write(2, "read later")  # another process has sent it with delay
    await shown("read later")
    await write(4, "low memory", WORKER, logging.WARNING)
    await write(5, "Finished in state Completed('the summary')")
    await client.set_flow_run_state(run.id, Completed(message="the summary"), force=True)
    finished = await following
    assert [(one.kind, one.text) for one in told] == [
        ("state", "Scheduled"),
        ("state", "Running"),
        ("log", "written later"),
        ("log", "read later"),
        ("log", "low memory"),
        ("state", "Completed"),
    ]
    assert finished.state.message == "the summary"


async def test_who_stops_following_is_told_how_to_see_the_run_which_goes_on(
    client: PrefectClient,
) -> None:
    (run,) = await queue(client, Scheduled())
    told: list[Event] = []
    following = asyncio.create_task(follow_run(PREFECT_API_URL.value(), run.id, told.append))
    while not told:
        await asyncio.sleep(0.01)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert told[-1].text == f"the run is not cancelled; see it with: adspark task {run.id}"


async def test_a_run_that_another_one_keeps_from_beginning_says_so(client: PrefectClient) -> None:
    (run,) = await queue(client, Scheduled())
    ended: State = Cancelled(message="Deployment concurrency limit reached.")
    await client.set_flow_run_state(run.id, ended, force=True)
    with pytest.raises(RunFailedError, match=r"another run of it is under way.*adspark monitor"):
        await follow_run(PREFECT_API_URL.value(), run.id, lambda _: None)


async def deploy_one_at_a_time(client: PrefectClient) -> UUID:
    """A deployment whose new run is cancelled while another one is active."""
    return await client.create_deployment(
        await client.create_flow(probe),
        POOL,
        work_pool_name=POOL,
        concurrency_limit=1,
        concurrency_options=ConcurrencyOptions(
            collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
    )


async def test_a_run_begins_when_one_of_the_schedule_has_ended_that_was_before_it(
    client: PrefectClient,
) -> None:
    deployment = await deploy_one_at_a_time(client)

    async def begin(run_id: UUID) -> bool:
        state: State = Pending()
        return (await client.set_flow_run_state(run_id, state)).status == SetStateStatus.ACCEPT

    async def next_run() -> UUID:
        """What a worker of the pool would take next."""
        scheduled = filter_runs(deployments=[deployment], types=[StateType.SCHEDULED])
        while not (found := await read_runs(client, scheduled)):
            await asyncio.sleep(0.01)
        return found[0].id

    before = await client.create_flow_run_from_deployment(deployment)
    assert await begin(before.id)
    told: list[Event] = []
    following = asyncio.create_task(
        run_and_follow(PREFECT_API_URL.value(), f"probe/{POOL}", {}, told.append)
    )
    assert not await begin(await next_run())
    hint = Event("hint", f"it begins when {before.name} has ended; see: adspark monitor")
    while hint not in told:
        assert not following.done()
        await asyncio.sleep(0.01)
    await client.set_flow_run_state(before.id, Completed(), force=True)
    mine = await next_run()
    assert await begin(mine)
    await client.set_flow_run_state(mine, Completed(message="the summary"), force=True)
    finished = await following
    assert (finished.id, finished.state.message) == (mine, "the summary")


async def test_who_stops_waiting_for_another_run_is_told_that_nothing_was_started(
    client: PrefectClient,
) -> None:
    (before,) = await queue(client, Running())
    told: list[Event] = []
    following = asyncio.create_task(
        run_and_follow(PREFECT_API_URL.value(), f"probe/{POOL}", {}, told.append)
    )
    scheduled = filter_runs(types=[StateType.SCHEDULED])
    while not (found := await read_runs(client, scheduled, pools=[POOL])):
        await asyncio.sleep(0.01)
    refused: State = Cancelled(message="Deployment concurrency limit reached.")
    await client.set_flow_run_state(found[0].id, refused, force=True)
    while told[-1:] != [
        Event("hint", f"it begins when {before.name} has ended; see: adspark monitor")
    ]:
        assert not following.done()
        await asyncio.sleep(0.01)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    hint = f"nothing was started; start it again when {before.name} has ended"
    assert told[-1] == Event("hint", hint)


async def test_a_limit_that_stays_in_use_while_nothing_runs_is_named_after_three_tries(
    client: PrefectClient,
) -> None:
    await queue(client, Completed())
    following = asyncio.create_task(
        run_and_follow(PREFECT_API_URL.value(), f"probe/{POOL}", {}, lambda _: None)
    )
    refused: State = Cancelled(message="Deployment concurrency limit reached.")
    scheduled = filter_runs(types=[StateType.SCHEDULED])
    tries = set()
    while not following.done():
        for run in await read_runs(client, scheduled, pools=[POOL]):
            tries.add(run.id)
            await client.set_flow_run_state(run.id, refused, force=True)
        await asyncio.sleep(0.01)
    with pytest.raises(RunFailedError, match=f"the concurrency limit of probe/{POOL} is in use"):
        await following
    assert len(tries) == 3


async def test_whoever_waits_for_a_run_is_told_why_it_has_not_begun(client: PrefectClient) -> None:
    waiting, claimed = await queue(client, Scheduled(), Pending())
    assert await explain_wait(client, waiting) == (
        f"no worker has taken it yet; pool {POOL}; see: adspark status"
    )
    assert "a worker has claimed it, and has not started it yet" in (
        await explain_wait(client, claimed)
    )
    await client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=0))
    assert f"give it some with: adspark scale {POOL} N" in await explain_wait(client, waiting)
    await pause(client, POOL)
    assert f"Pool {POOL} is paused; resume it with" in await explain_wait(client, waiting)


async def test_a_run_that_is_requeued_after_a_crash_is_followed_to_its_end(
    client: PrefectClient,
) -> None:
    (run,) = await queue(client, Running())
    told: list[Event] = []
    following = asyncio.create_task(follow_run(PREFECT_API_URL.value(), run.id, told.append))
    await client.set_flow_run_state(run.id, Crashed(message="It was killed."), force=True)
    while "Crashed" not in [one.text for one in told]:
        assert not following.done()
        await asyncio.sleep(0.01)
    await client.set_flow_run_state(run.id, Scheduled(), force=True)
    await client.set_flow_run_state(run.id, Completed(message="the summary"), force=True)
    finished = await following
    assert finished.state.is_completed()
    assert "a worker requeues it" in " ".join(one.text for one in told if one.kind == "hint")


async def test_who_follows_a_run_that_is_deleted_is_told_so_in_one_line(
    client: PrefectClient,
) -> None:
    (run,) = await queue(client, Running())
    told: list[Event] = []
    following = asyncio.create_task(follow_run(PREFECT_API_URL.value(), run.id, told.append))
    while not told:
        await asyncio.sleep(0.01)
    await client.delete_flow_run(run.id)
    with pytest.raises(RunFailedError, match=r"^Run \S+ was deleted .* Start it again") as caught:
        await following
    assert "\n" not in str(caught.value)
