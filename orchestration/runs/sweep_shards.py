"""Share a big sweep out over the workers of the pool, as runs of `process-sweep-shard`.

Which shards there are is decided once for a flow run: a retry finds them by their idempotency
keys, and starts none twice.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from adspark.watches.sharing.due import DueWatch
from adspark.watches.sweep_store import SweepPlan
from orchestration.runs.flow_runs import filter_runs, read_runs
from orchestration.runs.optional import read_optional
from orchestration.runs.state_changes import change_state

DEPLOYMENT = "process-sweep-shard/process-sweep-shard"

_POLL = 1.0  # seconds between two looks at the shards


def split(due: Sequence[DueWatch], size: int) -> list[list[DueWatch]]:
    """Shards of at most `size`, each with its part of those that come first."""
    count = -(-len(due) // size)
    return [list(due[number::count]) for number in range(count)]


async def start_shards(
    plan: SweepPlan, *, flow_run_id: str, size: int, ends_at: datetime
) -> list[FlowRun]:
    """Start the shards of this flow run but the first, which is the caller's, unless an earlier
    attempt of it has; returns their runs, none where the server has no deployment for them.

    Args:
        plan: what is due.
        flow_run_id: of the sweep.
        size: watches a shard.
        ends_at: by the database's clock, when a shard begins no more search.
    """
    others = split(plan.due, size)[1:]
    if started := await _find(flow_run_id, most=len(others)):
        return started
    try:
        return [
            await arun_deployment(
                DEPLOYMENT,
                parameters={
                    "watch_ids": [one.watch_id for one in shard],
                    "searches": share_of_shard(plan, number, len(others) + 1),
                    "ends_at": ends_at,
                },
                flow_run_name=f"shard-{number}-of-{flow_run_id}",
                idempotency_key=_key(flow_run_id, number),
                timeout=0,
            )
            for number, shard in enumerate(others, start=1)
        ]
    except ObjectNotFound:
        return []


def share_of_shard(plan: SweepPlan, number: int, count: int) -> int | None:
    """How many of the account's searches a shard may make, so that all shards together check the
    watches that come first in the sweep's order.

    Args:
        plan: of the sweep.
        number: of the shard, from 0 on.
        count: of all shards.
    """
    return None if plan.searches is None else len(range(number, plan.searches, count))


def share(plan: SweepPlan, watches: int) -> int | None:
    """How many of the account's searches so many of the watches may make."""
    return None if plan.searches is None else plan.searches * watches // len(plan.due)


def watches_of(shards: Sequence[FlowRun]) -> list[int]:
    """The watches that these shards were given."""
    return [watch_id for run in shards for watch_id in run.parameters["watch_ids"]]


async def take_back(shards: Sequence[FlowRun]) -> FlowRun | None:
    """Wait until all shards have ended, or return the first that has found no worker: it is
    cancelled, and the caller's to do."""
    async with get_client() as client:
        while True:
            found = [await read_optional(client.read_flow_run(one.id)) for one in shards]
            runs = [run for run in found if run is not None]  # a deleted one does nothing more
            for run in runs:
                if run.state is not None and run.state.is_scheduled():
                    message = "No worker was free for it; the sweep does it itself."
                    if (await change_state(client, run, Cancelled(message=message))).is_made:
                        return run
            if all(run.state is not None and run.state.is_final() for run in runs):
                return None
            await asyncio.sleep(_POLL)


async def _find(flow_run_id: str, *, most: int) -> list[FlowRun]:
    keys = [_key(flow_run_id, number) for number in range(1, most + 1)]
    async with get_client() as client:
        return await read_runs(client, filter_runs(keys=keys))


def _key(flow_run_id: UUID | str, number: int) -> str:
    return f"sweep/{flow_run_id}/{number}"
