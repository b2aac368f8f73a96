"""The flow runs of a batch: some at a time, so that a pause leaves few behind.

Each run that begins starts one more, unless its variant was submitted before.
`generate-pending-variants` starts what was left out by an error.
"""

from prefect.logging import get_run_logger
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.variants.batches.lists import find_next, list_waiting
from orchestration.runs.variant_runs import read_states, start_generations

_AT_FIRST = 20  # runs of a batch that wait in the pool's queue


async def start_batch(session: AsyncSession, *, batch_id: int) -> int:
    """Start runs for the first pending variants of a batch that have none; returns how many."""
    waiting = await list_waiting(session, batch_id=batch_id, limit=_AT_FIRST)
    await session.commit()  # no connection waits for Prefect
    states = await read_states([one.flow_run_id for one in waiting if one.flow_run_id])
    idle = [
        one.id
        for one in waiting
        if one.flow_run_id not in states or states[one.flow_run_id].is_final()
    ]
    return len(await start_generations(session, idle, is_retry=True))


async def start_next_of_batch(database: Database, variant_id: int) -> None:
    """Start a run for the next variant of the same batch, where it is in one that goes on."""
    try:
        async with database.session() as session:
            found = await find_next(session, variant_id=variant_id)
            if found is not None:
                await start_generations(session, [found])
    except AdSparkError as error:
        get_run_logger().warning("The next variant of the batch got no run: %s", error)
