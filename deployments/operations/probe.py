"""Send a harmless run through every pool and time it: do its workers take what they are given?"""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel

from deployments.operations.runs.active import cancel
from deployments.operations.runs.failures import unwrap
from deployments.queue_classes import POOL_NAMES, validate_pools
from orchestration.runs.flow_runs import ACTIVE, count_runs, filter_runs, read_runs_by_id

PATIENCE = 120.0
"""Seconds that a probe may take, by default."""

_POLL = 0.5  # seconds between two looks at the probes
_GIVEN_UP = "Given up: this probe took too long."


class ProbeResult(BaseModel):
    """How a pool carried out its probe.

    Attributes:
        seconds_to_start: from its creation until a worker had begun it.
        seconds: from its creation until its end.
        answer: what the run said at its end.
        problem: what a person should know; None where all is well.
    """

    pool: str
    ok: bool
    seconds_to_start: float | None = None
    seconds: float | None = None
    answer: str | None = None
    problem: str | None = None


async def probe(
    client: PrefectClient, pools: Sequence[str] = (), *, patience: float = PATIENCE
) -> list[ProbeResult]:
    """Probe pools at the same time; what has not ended in time is cancelled again.

    Args:
        pools: empty is all of ours.
        patience: seconds for all of it.

    Raises:
        ConfigurationError: there is no such pool.
    """
    validate_pools(pools)
    token = uuid4().hex
    started: dict[str, FlowRun | ProbeResult] = {
        pool: await _start(client, pool, token) for pool in pools or POOL_NAMES
    }
    runs = await _wait_for_ends(
        client, [one.id for one in started.values() if isinstance(one, FlowRun)], patience
    )
    return [
        one
        if isinstance(one, ProbeResult)
        else await _result_of(client, pool, runs[one.id], patience)
        for pool, one in started.items()
    ]


async def _start(client: PrefectClient, pool: str, token: str) -> FlowRun | ProbeResult:
    """Start a pool's probe, or say why it would be in vain."""
    try:
        if (await client.read_work_pool(pool)).is_paused:
            return ProbeResult(pool=pool, ok=False, problem="is paused; nothing was sent through")
        deployment = await client.read_deployment_by_name(f"probe/{pool}")
    except ObjectNotFound:
        problem = f"has no deployment probe/{pool}, or there is no such pool"
        return ProbeResult(pool=pool, ok=False, problem=problem)
    return await client.create_flow_run_from_deployment(deployment.id, parameters={"token": token})


async def _wait_for_ends(
    client: PrefectClient, run_ids: Sequence[UUID], patience: float
) -> dict[UUID, FlowRun]:
    """The probes as they are when all have ended, or time is up."""
    clock = asyncio.get_running_loop()
    end = clock.time() + patience
    while run_ids:
        runs = await read_runs_by_id(client, run_ids)
        if clock.time() > end or all(run.state and run.state.is_final() for run in runs):
            return {run.id: run for run in runs}
        await asyncio.sleep(_POLL)
    return {}


async def _result_of(
    client: PrefectClient, pool: str, run: FlowRun, patience: float
) -> ProbeResult:
    result = ProbeResult(pool=pool, ok=False)
    if run.created and run.start_time:
        result.seconds_to_start = round((run.start_time - run.created).total_seconds(), 2)
    if run.state is None or not run.state.is_final():
        result.problem = await _give_up(client, pool, run, patience)
        return result
    if run.created and run.end_time:
        result.seconds = round((run.end_time - run.created).total_seconds(), 2)
    result.ok = run.state.is_completed()
    if result.ok:
        result.answer = run.state.message
    else:
        result.problem = f"its probe ended {run.state.name}: {unwrap(run.state.message or '')}"
    return result


async def _give_up(client: PrefectClient, pool: str, run: FlowRun, patience: float) -> str:
    """Cancel a probe that takes too long, and say what may hold it."""
    await cancel(client, run.id, message=_GIVEN_UP)
    if run.state is not None and run.state.is_running():
        return f"its probe has not ended within {patience:g} s; it was cancelled"
    slots = (await client.read_work_pool(pool)).concurrency_limit
    busy = await count_runs(client, filter_runs(types=ACTIVE), pool)
    if slots is not None and busy >= slots:
        return f"no worker took its probe within {patience:g} s: all {slots} slots are in use"
    return f"no worker took its probe within {patience:g} s; it was {run.state_name}"
