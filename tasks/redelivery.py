"""Giving a run that its worker has lost back to the queue: once more, but not for ever.

All our flows may be run again: what was done is not done twice. A run that dies again and again is
what kills its worker, so after `MOST_STARTS` it stays Crashed, for a person (`adspark failures`).
"""

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import AwaitingRetry, Crashed

MOST_STARTS = 5
_OUT_OF_MEMORY = "Out of memory: "
SILENT = "It has given no sign of life for 90 s."
"""What the server says of a run that it gives up; it may live all the same, cut off for a while."""


def out_of_memory(limit: int | None) -> str:
    """What is told of a run that was killed because it wanted more memory than it may have.

    Args:
        limit: bytes, where they are known.
    """
    bound = "the limit" if limit is None else f"its limit of {limit // 2**20} MB"
    return (
        f"{_OUT_OF_MEMORY}it was killed at {bound}. Ask for less at once, or give the runs of its "
        "pool more, then: adspark retry"
    )


def is_lost(state: State) -> bool:
    """Whether a crashed run may be started again by itself; one that lacks memory would crash
    again."""
    return state.is_crashed() and not (state.message or "").startswith(_OUT_OF_MEMORY)


async def redeliver(
    client: PrefectClient, run: FlowRun, reason: str, *, however_often: bool = False
) -> bool:
    """Put a run back in the queue, or end it Crashed where it was started often enough.

    Args:
        however_often: also then; it has not died, but was handed back.

    Returns:
        Whether it is in the queue again.
    """
    if run.deployment_id is None or (run.run_count >= MOST_STARTS and not however_often):
        told = f"{reason} It was started {run.run_count} times; look at it before: adspark retry"
        if not (run.state and run.state.is_crashed() and run.state.message == told):
            await client.set_flow_run_state(run.id, Crashed(message=told), force=True)
        return False
    await client.set_flow_run_state(
        run.id, AwaitingRetry(message=f"{reason} It is started again."), force=True
    )
    return True
