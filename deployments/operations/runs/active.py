"""Active runs in an operator's hands: cancel one, requeue those of a stopped stack."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling

from deployments.operations.worker_names import is_of_another
from deployments.queue_classes import POOL_NAMES
from orchestration.runs.flow_runs import ACTIVE, filter_runs, read_runs
from orchestration.runs.requeue import RequeueOutcome, end_or_requeue
from orchestration.runs.state_changes import change_while, may_be_ended
from orchestration.server.pool_snapshot import count_workers


async def have_workers(pools: Sequence[str]) -> bool:
    """Whether each of these pools has a worker that is online."""
    try:
        async with get_client() as client:
            return all((await count_workers(client, pools)).values())
    except httpx.HTTPError:
        return False


async def requeue_unfinished_runs(reason: str) -> int:
    """Requeue the runs of our pools that no worker carries out any more; returns how many.

    The workers that had them have ended; those of another worker of this host are left to it.
    """
    changed = 0
    async with get_client() as client:
        for run in await read_runs(client, filter_runs(types=ACTIVE), pools=POOL_NAMES):
            if is_of_another(run, None, str(client.api_url)):
                continue
            with suppress(ObjectNotFound):  # it was deleted meanwhile
                outcome = await end_or_requeue(client, run, reason, cancelled=reason)
                changed += outcome is not RequeueOutcome.LEFT
    return changed


async def cancel(client: PrefectClient, run_id: UUID, *, message: str | None = None) -> str:
    """Cancel a run: at once where it waits, else by having its worker end it; returns a sentence
    about what the server has made of it.

    Args:
        run_id: the run.
        message: of the state.

    Raises:
        ObjectNotFound: there is no such run.
    """
    dropped: State = Cancelled(message=message)
    if (await change_while(client, run_id, dropped, State.is_scheduled)).is_made:
        return "It is cancelled"
    ending: State = Cancelling(message=message)
    change = await change_while(client, run_id, ending, may_be_ended)
    state = (await client.read_flow_run(run_id)).state
    if state is not None and state.is_cancelled():
        return "It is cancelled"
    if state is not None and state.is_final():
        return f"It was not cancelled: it has ended {state.name}"
    if change.is_made or (state is not None and state.is_cancelling()):
        return "It is being cancelled"
    return f"The server does not cancel it: {change.reason}"
