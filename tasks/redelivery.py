"""Giving a run that its worker has lost back to the queue: once more, but not for ever.

All our flows may be run again: what was done is not done twice. A run that dies again and again is
what kills its worker, so after `MOST_STARTS` it stays Crashed, for a person (`adspark failures`).
"""

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.states import AwaitingRetry, Crashed

MOST_STARTS = 5


async def redeliver(client: PrefectClient, run: FlowRun, reason: str) -> bool:
    """Put a run back in the queue, or end it Crashed where it was started often enough.

    Returns:
        Whether it is in the queue again.
    """
    if run.deployment_id is None or run.run_count >= MOST_STARTS:
        told = f"{reason} It was started {run.run_count} times; look at it before: adspark retry"
        if not (run.state and run.state.is_crashed() and run.state.message == told):
            await client.set_flow_run_state(run.id, Crashed(message=told), force=True)
        return False
    await client.set_flow_run_state(
        run.id, AwaitingRetry(message=f"{reason} It is started again."), force=True
    )
    return True
