"""Rate limits: Prefect shows and keeps the number, Postgres keeps the count exactly."""

from functools import partial

from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from adspark.db.engine import Database
from adspark.db.rate_limits import acquire_slot, try_acquire_slot
from adspark.db.rates import GENERATIONS, SEARCHES, usual_limits
from adspark.serpapi.client import Gate, no_gate
from adspark.variants.batches.forecast import GenerationLimits
from orchestration.limits.retry_policy import retried_task
from orchestration.runs.optional import read_optional


async def search_slots(database: Database) -> Gate:
    """What waits until another search fits within the limit of all workers."""
    return _slots(database, SEARCHES, await searches_per_minute())


async def generation_slots(database: Database) -> Gate:
    """What waits until another generation fits within the limit of all workers."""
    return _slots(database, GENERATIONS, await _limit(GENERATIONS))


async def searches_per_minute() -> int | None:
    """Searches a minute over all workers, as operators set it in Prefect (`serpapi-searches`).

    None where the limit is switched off; the setting's number where the server has no such limit.
    """
    return await _limit(SEARCHES)


async def generation_limits() -> GenerationLimits:
    """What bounds generations, as operators set it in Prefect; None where they switched it off.

    The settings' number, and one at once, where the server has no such limit or pool.
    """
    per_minute = await _limit(GENERATIONS)
    async with get_client() as client:
        pool = await read_optional(client.read_work_pool("ai-generation"))
    if pool is None:
        return GenerationLimits(per_minute=per_minute)
    return GenerationLimits(
        per_minute=per_minute,
        at_once=pool.concurrency_limit,
        paused_pool=pool.name if pool.is_paused else None,
    )


@retried_task()
async def seconds_until_start(database: Database, name: str) -> float:
    """Seconds until a run may begin by this limit in Prefect; 0 where it may now, and is counted.

    A run that is started again is counted already.
    """
    limit = await _limit(name)
    if limit is None or flow_run.run_count > 1:
        return 0.0
    return await try_acquire_slot(database, name=name, limit=limit)


def _slots(database: Database, name: str, limit: int | None) -> Gate:
    return no_gate if limit is None else partial(acquire_slot, database, name=name, limit=limit)


async def _limit(name: str) -> int | None:
    async with get_client() as client:
        found = await read_optional(client.read_global_concurrency_limit_by_name(name))
    if found is None:
        return usual_limits().get(name)
    return found.limit if found.active else None
