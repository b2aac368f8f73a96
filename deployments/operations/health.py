"""How the system is: server, database, each pool's workers and runs, and what should be done.

Asked of Prefect's server, of the database, and of this host's processes; nothing is started and
nothing is paid.
"""

from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel

from adspark.db.rate_limits import GENERATIONS, SEARCHES
from adspark.settings import get_settings
from blocks.configured import DOCUMENT
from deployments.operations.leftover_processes import find_outliving
from deployments.queue_classes import QUEUE_CLASSES
from orchestration.pool_health import PoolHealth, Problem, problems_of, read_pool


class RateHealth(BaseModel):
    """A rate limit over all workers; None a minute is none."""

    name: str
    a_minute: int | None


class NotSetUp(BaseModel):
    """A service that nobody has given a key of; what does not need it works.

    Attributes:
        lacks: what is not done without.
        is_essential: whether nothing much is left then.
    """

    service: str
    lacks: str
    remedy: str
    is_essential: bool = False

    def __str__(self) -> str:
        """It in one line, without a word before."""
        return f"{self.service}, so that {self.lacks}. {self.remedy}"


class Health(BaseModel):
    """All of it; well where there are no problems."""

    server: str
    version: str
    pools: list[PoolHealth]
    rates: list[RateHealth]
    problems: list[Problem]
    not_set_up: list[NotSetUp] = []

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
        not_set_up=await read_not_set_up(client),
    )


async def read_not_set_up(client: PrefectClient) -> list[NotSetUp]:
    """The services whose keys neither a block nor the environment has."""
    settings = get_settings()
    is_chat = settings.generator == "chat"
    found = []
    if settings.serpapi_key is None and not await _has_block(client, "serpapi-credentials"):
        found.append(
            NotSetUp(
                service="SerpApi's key",
                is_essential=True,
                lacks="no ads are fetched and no watch is checked",
                remedy="Set ADSPARK_SERPAPI_KEY and start the stack anew, or save the block "
                "serpapi-credentials/adspark; to try without a key: adspark up --sandbox",
            )
        )
    if not is_chat and settings.dify_key is None and not await _has_block(client, "dify-workflow"):
        found.append(
            NotSetUp(
                service="Dify's key",
                lacks="no variants are made",
                remedy="Set ADSPARK_DIFY_KEY, or save the block dify-workflow/adspark",
            )
        )
    return found


async def _has_block(client: PrefectClient, slug: str) -> bool:
    try:
        await client.read_block_document_by_name(DOCUMENT, slug, include_secrets=False)
    except ObjectNotFound:
        return False
    return True


async def read_rate(client: PrefectClient, name: str) -> RateHealth:
    """The number of a limit, as Prefect has it."""
    try:
        found = await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        return RateHealth(name=name, a_minute=None)
    return RateHealth(name=name, a_minute=found.limit if found.active else None)
