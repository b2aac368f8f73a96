"""Our pools on a test's Prefect server, without workers, and runs in them in any state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prefect import Flow, State
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import IntervalSchedule

from deployments.queue_classes import QUEUE_CLASSES
from flows.generate_ad_variant import generate_ad_variant
from flows.probe import probe
from orchestration.server.deployments import read_deployments

POOL = "data-fetch"
_PLANNED = "planned-"  # names of deployments that have a schedule


@asynccontextmanager
async def open_pools() -> AsyncIterator[PrefectClient]:
    """A client of a server with all our pools; at the end they are gone, with what is queued."""
    async with get_client() as client:
        for one in QUEUE_CLASSES:
            await client.create_work_pool(
                WorkPoolCreate(name=one.name, type="process", concurrency_limit=one.concurrency),
                overwrite=True,
            )
        yield client
        pools = {one.name for one in QUEUE_CLASSES}
        for deployment in await client.read_deployments():
            if deployment.name.startswith(_PLANNED) or deployment.name in pools:
                await client.delete_deployment(deployment.id)
        for one in QUEUE_CLASSES:
            await client.delete_work_pool(one.name)


@asynccontextmanager
async def open_generations() -> AsyncIterator[tuple[PrefectClient, UUID]]:
    """The same with the deployment that generates variants, and its id."""
    async with open_pools() as client:
        flow_id = await client.create_flow(generate_ad_variant)
        made = await client.create_deployment(
            flow_id, generate_ad_variant.name, work_pool_name="ai-generation"
        )
        yield client, made
        await client.delete_deployment(made)


async def delete_pools(client: PrefectClient) -> None:
    """Delete every pool that there is, whoever made it."""
    for pool in await client.read_work_pools():
        await client.delete_work_pool(pool.name)


async def delete_deployments_without_pool(client: PrefectClient) -> None:
    """Delete what other tests have left when they deleted its pool: a health check tells it."""
    for deployment in (await read_deployments(client)).values():
        if deployment.work_pool_name is None:
            await client.delete_deployment(deployment.id)


async def queue(
    client: PrefectClient, *states: State, pool: str = POOL, flow: Flow[Any, Any] = probe
) -> list[FlowRun]:
    """A run in each of these states."""
    flow_id = await client.create_flow(flow)
    deployment = await client.create_deployment(flow_id, pool, work_pool_name=pool)
    runs = [await client.create_flow_run_from_deployment(deployment) for _ in states]
    for run, state in zip(runs, states, strict=True):
        await client.set_flow_run_state(run.id, state, force=True)
    return [await client.read_flow_run(run.id) for run in runs]


async def plan(client: PrefectClient, number: int, *, pool: str = POOL) -> list[FlowRun]:
    """Runs that a schedule made, and whose time has passed."""
    flow_id = await client.create_flow(probe)
    every_minute = IntervalSchedule(interval=timedelta(minutes=1))
    deployment = await client.create_deployment(
        flow_id,
        f"{_PLANNED}{uuid4().hex}",
        work_pool_name=pool,
        schedules=[DeploymentScheduleCreate(schedule=every_minute, active=True)],
    )
    past = datetime.now(UTC) - timedelta(hours=1)
    until = past + timedelta(minutes=number)
    body = {"start_time": past.isoformat(), "end_time": until.isoformat(), "max_runs": number}
    await client.request(
        "POST", "/deployments/{id}/schedule", path_params={"id": deployment}, json=body
    )
    now = FlowRunFilterExpectedStartTime(before_=datetime.now(UTC))
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(expected_start_time=now),
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
    )
