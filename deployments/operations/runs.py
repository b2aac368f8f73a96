"""What the command asks of Prefect's server: workers that are there, runs that are under way."""

from contextlib import suppress
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import State, StateType, WorkerStatus
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling

from deployments.queue_classes import QUEUE_CLASSES
from orchestration.requeue import RequeueOutcome, settle
from orchestration.state_changes import change_while

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
        handed_back = 0
        for run in runs:
            with suppress(ObjectNotFound):  # it was deleted meanwhile
                outcome = await settle(client, run, reason, cancelled=reason)
                handed_back += outcome is not RequeueOutcome.LEFT
    return handed_back


async def cancel(client: PrefectClient, run_id: UUID) -> str:
    """Cancel a run: at once where it waits, else by having its worker end it.

    Returns:
        What the server has made of it.

    Raises:
        ObjectNotFound: there is no such run.
    """
    dropped: State = Cancelled()
    if (await change_while(client, run_id, dropped, lambda state: state.is_scheduled())).is_made:
        return "It is cancelled"
    ending: State = Cancelling()
    change = await change_while(client, run_id, ending, _can_be_cancelled)
    state = (await client.read_flow_run(run_id)).state
    if state is not None and state.is_cancelled():
        return "It is cancelled"
    if state is not None and state.is_final():
        return f"It was not cancelled: it has ended {state.name}"
    if change.is_made or (state is not None and state.is_cancelling()):
        return "It is being cancelled"
    return f"The server does not cancel it: {change.reason}"


def _can_be_cancelled(state: State) -> bool:
    return not state.is_final() and not state.is_cancelling()
