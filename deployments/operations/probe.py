"""Send a harmless run through every pool and time it: do its workers take what they are given?"""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from pydantic import BaseModel

from deployments.operations.runs.active import cancel
from deployments.operations.runs.failures import unwrap
from deployments.queue_classes import POOL_NAMES, validate_pools
from orchestration.runs.flow_runs import ACTIVE, count_runs, filter_runs
from orchestration.runs.optional import read_optional

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
    return await asyncio.gather(*(_probe(client, one, patience) for one in pools or POOL_NAMES))


async def _probe(client: PrefectClient, pool: str, patience: float) -> ProbeResult:
    result = ProbeResult(pool=pool, ok=False)
    found = await read_optional(client.read_work_pool(pool))
    if found and found.is_paused:
        result.problem = "is paused; nothing was sent through"
        return result
    if found and found.concurrency_limit == 0:
        result.problem = f"has 0 slots (adspark scale {pool} N); nothing was sent through"
        return result
    deployment = await read_optional(client.read_deployment_by_name(f"probe/{pool}"))
    if found is None or deployment is None:
        result.problem = f"has no deployment probe/{pool}, or there is no such pool"
        return result
    sent = await client.create_flow_run_from_deployment(
        deployment.id, parameters={"token": uuid4().hex}
    )
    run = await _wait_for_end(client, sent.id, patience)
    if run is None:
        result.problem = "its probe was deleted from Prefect; ask again"
        return result
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


async def _wait_for_end(client: PrefectClient, run_id: UUID, patience: float) -> FlowRun | None:
    """The probe as it is when it has ended, or time is up; None where it was deleted."""
    clock = asyncio.get_running_loop()
    end = clock.time() + patience
    while True:
        run = await read_optional(client.read_flow_run(run_id))
        if run is None or clock.time() > end or (run.state and run.state.is_final()):
            return run
        await asyncio.sleep(_POLL)


async def _give_up(client: PrefectClient, pool: str, run: FlowRun, patience: float) -> str:
    """Cancel a probe that takes too long, and say what may hold it."""
    await cancel(client, run.id, message=_GIVEN_UP)
    if run.state is not None and run.state.is_running():
        return f"its probe has not ended within {patience:g} s; it was cancelled"
    slots = (await client.read_work_pool(pool)).concurrency_limit
    busy = await count_runs(client, filter_runs(types=ACTIVE), pool)
    if slots is not None and busy >= slots:
        taken = "its slot is" if slots == 1 else f"all {slots} slots are"
        return f"no worker took its probe within {patience:g} s: {taken} in use"
    return f"no worker took its probe within {patience:g} s; it was {run.state_name}"
