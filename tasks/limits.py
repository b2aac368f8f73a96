"""Rate limits: Prefect shows and keeps the number, Postgres keeps the count exactly."""

from functools import partial

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from adspark.database import Database
from adspark.rates import SEARCHES, take_slot
from adspark.serpapi import Gate, no_gate
from adspark.settings import DEFAULT_SEARCHES_PER_MINUTE, get_settings


async def search_slots(database: Database) -> Gate:
    """What waits until another search fits within the limit of all workers."""
    limit = await searches_per_minute()
    if limit is None:
        return no_gate
    return partial(take_slot, database, name=SEARCHES, limit=limit)


async def searches_per_minute() -> int | None:
    """The limit on searches that operators set in Prefect (Concurrency, `serpapi-searches`).

    Returns:
        Searches a minute over all workers; None where the limit is switched off; the setting's
        number where the server knows no such limit, as without the local stack.
    """
    async with get_client() as client:
        try:
            found = await client.read_global_concurrency_limit_by_name(SEARCHES)
        except ObjectNotFound:
            setting = get_settings().searches_per_minute
            return DEFAULT_SEARCHES_PER_MINUTE if setting == "account" else setting
    return found.limit if found.active else None
