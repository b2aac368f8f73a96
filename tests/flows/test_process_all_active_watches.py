"""The sweep as a flow: how it ends, what it says, and that there is only one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterIdempotencyKey,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.client.schemas.objects import FlowRun, State
from pydantic import SecretStr

from adspark.db.engine import Database
from adspark.db.rates import SWEEPS, WINDOWS
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.settings import Settings, get_settings
from adspark.watches.sharing.due import read_due
from adspark.watches.sweep_store import SweepPlan, SweepSummary
from deployments.provisioning.provision import provision
from flows.process_all_active_watches import process_all_active_watches
from flows.process_sweep_shard import process_sweep_shard
from orchestration.runs.sweep_shards import start_shards
from tests.support.sandbox_control import searches, switch_on
from tests.support.watching import Place

pytestmark = pytest.mark.usefixtures("environment")

WATCHES = 6


@pytest.fixture
async def place(database: Database, environment: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """Six due watches and a sandbox with their advertisers; no wait for the rate limit."""
    with serve(SandboxSettings(generated_advertisers=WATCHES)) as url:
        environment.setenv("ADSPARK_SERPAPI_URL", url)
        environment.setenv("ADSPARK_SEARCHES_PER_MINUTE", "1000")
        get_settings.cache_clear()
        made = Place(database, url)
        for number in range(1, WATCHES + 1):
            await made.add(name=f"watch {number}", advertiser_ids=[f"AR9{number:019d}"])
        await made.make_due()
        yield made


async def sweep() -> State[SweepSummary]:
    """Run the flow; the state that it ends in."""
    state: State[SweepSummary] = await process_all_active_watches(return_state=True)
    return state


async def test_a_sweep_ends_completed_and_says_what_it_came_to(place: Place) -> None:
    state = await sweep()
    assert (state.name, state.is_completed()) == ("Completed", True)
    assert f"{WATCHES} of {WATCHES} due watches checked: 240 known from the start" in (
        state.message or ""
    )
    summary = await state.aresult()
    assert (summary.checked, summary.searches_billed) == (WATCHES, WATCHES)


async def test_without_due_watches_nothing_is_asked(place: Place) -> None:
    await place.change("UPDATE watch SET due_at = now() + interval '1 hour'")
    state = await sweep()
    assert "No watch was due." in (state.message or "")
    assert searches(place.url)["requests"] == 0


async def test_one_failure_stops_no_other_and_is_in_the_state_and_its_message(
    place: Place,
) -> None:
    await place.change("UPDATE watch SET region = '9999' WHERE id = 2")
    state = await sweep()
    assert (state.name, state.is_failed()) == ("Partly Failed", True)
    assert "5 of 6 due watches checked" in (state.message or "")
    assert "1 failed. 1 × SerpApi refused the request" in (state.message or "")
    # Prefect's UI offers it among the states that runs can be filtered by.
    async with get_client() as client:
        observed = await client._client.get("/observed-states", params={"query": "Partly"})
        named = FlowRunFilterStateName(any_=[state.name])
        found = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(name=named))
        )
    assert ("FAILED", state.name) in {
        (one["state_type"], one["state_name"]) for one in observed.json()
    }
    assert state.state_details.flow_run_id in {run.id for run in found}


async def test_progress_and_outcome_are_artifacts_of_the_run(place: Place) -> None:
    await place.change("UPDATE watch SET region = '9999' WHERE id = 2")
    state = await sweep()
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    async with get_client() as client:
        found = await client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    artifacts = {one.key: one for one in found}
    assert artifacts["sweep-progress"].data == 100.0
    assert "| due | 6 |" in str(artifacts["sweep"].data)
    assert "| 2 | SerpApi refused the request" in str(artifacts["sweep"].data)


async def test_too_few_searches_are_foreseen_from_the_account(database: Database) -> None:
    with serve(SandboxSettings(generated_advertisers=WATCHES, monthly_quota=4)) as url:
        place = Place(database, url)
        for number in range(1, WATCHES + 1):
            await place.add(name=f"watch {number}", advertiser_ids=[f"AR9{number:019d}"])
        await place.change("UPDATE watch SET due_at = now() - id * interval '1 hour'")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ADSPARK_SERPAPI_URL", url)
            get_settings.cache_clear()
            state = await sweep()
        assert searches(url) == {"requests": 4, "billed": 4, "cached": 0, "failed": 0}
    assert state.is_failed()
    assert "2 × no searches left (only 4 searches left in this month's plan)" in (
        state.message or ""
    )
    waiting = await place.rows("SELECT id FROM watch WHERE coverage = 'none' ORDER BY id")
    assert [row.id for row in waiting] == [1, 2]  # the least overdue


async def test_a_key_that_is_refused_ends_the_sweep_before_any_search(
    place: Place, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ADSPARK_SERPAPI_KEY", "wrong")
    get_settings.cache_clear()
    state = await sweep()
    assert state.is_failed()
    assert "ADSPARK_SERPAPI_KEY" in (state.message or "")
    assert searches(place.url)["requests"] == 0


async def test_more_sweeps_a_minute_than_operators_allow_are_cancelled(place: Place) -> None:
    async with get_client() as client:
        twice = GlobalConcurrencyLimitCreate(name=SWEEPS, limit=2, slot_decay_per_second=2 / 60)
        await client.create_global_concurrency_limit(twice)
        try:
            states = [await sweep() for _ in range(3)]
        finally:
            await client.delete_global_concurrency_limit_by_name(SWEEPS)
    assert [one.name for one in states] == ["Completed", "Completed", "Cancelled"]
    assert "Too many sweeps were begun (limit 'sweeps')" in (states[2].message or "")


async def test_a_second_sweep_at_the_same_time_is_cancelled(place: Place) -> None:
    switch_on(place.url, {"kind": "latency", "seconds": 1.0})
    first = asyncio.create_task(sweep())
    while not searches(place.url)["requests"]:
        await asyncio.sleep(0.05)
    second = await sweep()
    assert second.is_cancelled()
    assert "Another sweep is under way" in (second.message or "")
    assert (await first).is_completed()
    assert searches(place.url)["billed"] == WATCHES


async def test_a_part_of_a_sweep_checks_only_what_is_still_due(place: Place) -> None:
    await place.change("UPDATE watch SET due_at = now() + interval '1 hour' WHERE id <= 2")
    summary = await process_sweep_shard([1, 2, 3, 4])
    assert (summary.due, summary.checked) == (2, 2)


async def test_a_part_of_a_sweep_that_starts_after_its_end_begins_no_search(place: Place) -> None:
    (now,) = await place.rows("SELECT now() AS at")
    state: State[SweepSummary] = await process_sweep_shard(
        [1, 2], ends_at=now.at, return_state=True
    )
    assert "2 × no time left in this sweep" in (state.message or "")
    assert searches(place.url)["billed"] == 0


@pytest.fixture
async def deployed(
    place: Place, database_url: str, nothing_stays: None, no_pools_stay: None
) -> None:
    """A server with the deployments, and no worker."""
    settings = Settings(
        serpapi_key=SecretStr("sandbox-key"), serpapi_url=place.url, searches_per_minute=1000
    )
    await provision(settings, database_url=database_url)
    async with get_client() as client:
        for name in WINDOWS:
            await client.delete_global_concurrency_limit_by_name(name)


async def shards_of(flow_run_id: object) -> list[FlowRun]:
    """The shards that a flow run has started."""
    keys = [f"sweep/{flow_run_id}/{number}" for number in range(1, 10)]
    async with get_client() as client:
        return await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=keys))
        )


@pytest.mark.usefixtures("deployed")
async def test_a_big_sweep_is_shared_out_and_does_itself_what_no_worker_takes(
    place: Place, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ADSPARK_SWEEP_SHARD_SIZE", "2")
    get_settings.cache_clear()
    (before,) = await place.rows("SELECT clock_timestamp() AS at")
    state = await sweep()
    (after,) = await place.rows("SELECT clock_timestamp() AS at")
    assert state.is_completed(), state.message
    summary = await state.aresult()
    assert (summary.checked, summary.events.baseline) == (WATCHES, 240)
    shards = await shards_of(state.state_details.flow_run_id)
    searching = timedelta(seconds=540)  # nine tenths of the time limit
    ends = [datetime.fromisoformat(one.parameters["ends_at"]) for one in shards]
    assert all(before.at + searching <= end <= after.at + searching for end in ends)
    assert sorted(len(one.parameters["watch_ids"]) for one in shards) == [2, 2]
    assert all(one.state is not None and one.state.is_cancelled() for one in shards)
    assert searches(place.url)["billed"] == WATCHES


@pytest.mark.usefixtures("deployed")
async def test_a_big_sweep_is_shared_out_although_the_account_does_not_answer(place: Place) -> None:
    async with place.database.session() as session:
        due = await read_due(session)
    (now,) = await place.rows("SELECT now() AS at")
    plan = SweepPlan(began_at=now.at, due=due, searches=None)
    shards = await start_shards(plan, flow_run_id=str(uuid4()), size=2, ends_at=now.at)
    assert [one.parameters["searches"] for one in shards] == [None, None]
    assert [datetime.fromisoformat(one.parameters["ends_at"]) for one in shards] == [now.at] * 2


@pytest.mark.usefixtures("deployed")
async def test_a_retry_starts_no_shard_twice(place: Place) -> None:
    async with place.database.session() as session:
        due = await read_due(session)
    (now,) = await place.rows("SELECT now() AS at")
    plan = SweepPlan(began_at=now.at, due=due, searches=60)
    run_id = str(uuid4())
    first = await start_shards(plan, flow_run_id=run_id, size=2, ends_at=now.at)
    again = await start_shards(plan, flow_run_id=run_id, size=2, ends_at=now.at)
    other = await start_shards(plan, flow_run_id=str(uuid4()), size=2, ends_at=now.at)
    assert {one.id for one in first} == {one.id for one in again}
    assert not {one.id for one in first} & {one.id for one in other}
    assert [one.parameters["searches"] for one in first] == [20, 20]
    given = sorted(watch_id for one in first for watch_id in one.parameters["watch_ids"])
    assert len(given) == len(set(given)) == 4


async def test_without_deployments_a_big_sweep_is_done_here(
    place: Place, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ADSPARK_SWEEP_SHARD_SIZE", "2")
    get_settings.cache_clear()
    state = await sweep()
    assert state.is_completed(), state.message
    assert (await state.aresult()).checked == WATCHES
