"""The flow runs of a batch: some at a time, so that a pause leaves few behind; cancel them.

Each run that begins starts one more. `generate-pending-variants` starts what was left out by an
error.
"""

from prefect.logging import get_run_logger
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.variants.batches.lists import find_next, list_waiting
from adspark.variants.batches.store import Cancelled, cancel_batch
from adspark.variants.generate import stop_generation
from blocks.adspark_database import connect_database
from blocks.generators import open_generator
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


async def end_batch(batch_id: int) -> tuple[Cancelled, list[str]]:
    """Cancel a batch with its open variants, and stop their generations.

    Returns:
        What was cancelled, and why a generation could not be stopped, one sentence each.

    Raises:
        UnknownBatchError: there is no such batch.
    """
    problems = []
    async with connect_database() as database:
        async with database.session() as session, session.begin():
            ended = await cancel_batch(session, batch_id=batch_id)
        for variant_id in ended.submitted:
            try:
                await stop_generation(database, open_generator, variant_id=variant_id)
            except AdSparkError as error:
                problems.append(f"variant {variant_id}: {error}")
    return ended, problems
