"""Rate limits: Prefect shows and keeps the number, Postgres keeps the count exactly."""

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from adspark.rates import SEARCHES
from adspark.settings import get_settings


async def searches_per_minute() -> int | None:
    """The limit on searches that operators set in Prefect (Concurrency, `serpapi-searches`).

    Returns:
        Searches a minute over all workers; None where the limit is switched off; the setting's
        number where the server knows no such limit.
    """
    async with get_client() as client:
        try:
            found = await client.read_global_concurrency_limit_by_name(SEARCHES)
        except ObjectNotFound:
            return get_settings().searches_per_minute
    return found.limit if found.active else None
