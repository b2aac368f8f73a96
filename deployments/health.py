"""How the system is: server, database, each pool's workers and runs, and what should be done.

Asked of Prefect's server, of the database, and of this host's processes; nothing is started and
nothing is paid.
"""

from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel

from adspark.rates import GENERATIONS, SEARCHES
from adspark.settings import get_settings
from deployments.outliving import find_outliving
from deployments.queue_classes import QUEUE_CLASSES
from tasks.pool_health import PoolHealth, Problem, problems_of, read_pool


class RateHealth(BaseModel):
    """A rate limit over all workers; None a minute is none."""

    name: str
    a_minute: int | None


class Health(BaseModel):
    """All of it; well where there are no problems."""

    server: str
    version: str
    pools: list[PoolHealth]
    rates: list[RateHealth]
    problems: list[Problem]

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything."""
        return not self.problems


async def read_health(client: PrefectClient) -> Health:
    """Look at the server and all pools."""
    pools, problems = [], []
    for queue_class in QUEUE_CLASSES:
        try:
            pool = await read_pool(client, queue_class.name)
        except ObjectNotFound:
            problems.append(
                Problem(
                    what=f"there is no work pool {queue_class.name}",
                    remedy="adspark provision",
                )
            )
            continue
        pools.append(pool)
        problems += problems_of(pool)
    problems += await find_outliving(client, get_settings().tidy_up_time)
    return Health(
        server=str(client.api_url),
        version=await client.api_version(),
        pools=pools,
        rates=[await read_rate(client, name) for name in (SEARCHES, GENERATIONS)],
        problems=problems,
    )


async def read_rate(client: PrefectClient, name: str) -> RateHealth:
    """The number of a limit, as Prefect has it."""
    try:
        found = await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        return RateHealth(name=name, a_minute=None)
    return RateHealth(name=name, a_minute=found.limit if found.active else None)
