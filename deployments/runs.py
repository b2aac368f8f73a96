"""What the command asks of Prefect's server: workers that are there, runs that are under way."""

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType, WorkerStatus
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from deployments.queue_classes import QUEUE_CLASSES
from tasks.redelivery import redeliver

_UNDER_WAY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]


async def has_worker(pool: str) -> bool:
    """Whether a worker of this pool is online."""
    try:
        async with get_client() as client:
            workers = await client.read_workers_for_work_pool(pool)
    except (httpx.HTTPError, ObjectNotFound):
        return False
    return any(worker.status == WorkerStatus.ONLINE for worker in workers)


async def hand_back_unfinished_runs(reason: str) -> int:
    """Give the runs of our pools that nobody carries out any more back to the queue.

    Returns:
        How many there were.
    """
    ours = {queue_class.name for queue_class in QUEUE_CLASSES}
    under_way = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNDER_WAY))
    )
    async with get_client() as client:
        found = await client.read_flow_runs(flow_run_filter=under_way)
        runs = [run for run in found if run.work_pool_name in ours]
        for run in runs:
            if run.state and run.state.is_cancelling():
                await client.set_flow_run_state(run.id, Cancelled(message=reason), force=True)
            else:
                await redeliver(client, run, reason)
    return len(runs)
