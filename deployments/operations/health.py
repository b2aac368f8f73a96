"""How the system is: server, each pool's workers and runs, services, and what should be done.

Read from Prefect's server and this host's processes; nothing is started and nothing is paid.
"""

import asyncio

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from pydantic import BaseModel

from adspark.settings import get_settings
from blocks.configured import DOCUMENT
from deployments.operations.leftover_processes import find_outliving
from deployments.operations.rates import Rate, rates_of
from deployments.queue_classes import POOL_NAMES
from orchestration.runs.flow_runs import read_failed_runs
from orchestration.runs.optional import read_optional
from orchestration.server.pool_health import Problem, add_failed_starts, find_problems
from orchestration.server.pool_snapshot import PoolSnapshot, read_pools
from orchestration.server.rate_health import find_rate_problems, read_limits


class NotSetUp(BaseModel):
    """A service without a key; what does not need it works.

    Attributes:
        lacks: what is not done without it.
        is_essential: whether nothing much is left then.
    """

    service: str
    lacks: str
    remedy: str
    is_essential: bool = False

    def __str__(self) -> str:
        """In one line."""
        return f"{self.service}, so that {self.lacks}. {self.remedy}"


_NO_SERPAPI = NotSetUp(
    service="SerpApi's key",
    is_essential=True,
    lacks="no ads are fetched and no watch is checked",
    remedy="Set ADSPARK_SERPAPI_KEY and start the stack anew, or save the block "
    "serpapi-credentials/adspark; to try without a key: adspark up --sandbox",
)
_NO_DIFY = NotSetUp(
    service="Dify's key",
    lacks="no variants are made",
    remedy="Set ADSPARK_DIFY_KEY, or save the block dify-workflow/adspark",
)


class Health(BaseModel):
    """All of it; well where there are no problems."""

    server: str
    version: str
    pools: list[PoolSnapshot]
    rates: list[Rate]
    problems: list[Problem]
    not_set_up: list[NotSetUp] = []

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything."""
        return not self.problems


async def read_health(client: PrefectClient, *, version: str | None = None) -> Health:
    """Read the server, all pools, limits and services; its version where it is not given.

    Eight requests where all is well; more where a service has no key here, a flow cannot begin, a
    process has outlived its run, or more than a page of runs is due.
    """
    failures = await read_failed_runs(client, pools=POOL_NAMES)
    pools, limits, not_set_up = await asyncio.gather(
        read_pools(client, POOL_NAMES, failures=failures, with_workers=True),
        read_limits(client),
        read_not_set_up(client),
    )
    problems = await find_pool_problems(client, pools, failures) + find_rate_problems(limits)
    return Health(
        server=str(client.api_url),
        version=version or await client.api_version(),
        pools=pools,
        rates=rates_of(limits),
        problems=problems + await find_outliving(client, get_settings().tidy_up_time),
        not_set_up=not_set_up,
    )


async def find_pool_problems(
    client: PrefectClient, pools: list[PoolSnapshot], failures: list[FlowRun]
) -> list[Problem]:
    """What a person should see to in the pools, those that are missing included.

    Args:
        pools: all that there are; flows that cannot begin are added to them.
        failures: of the last day at least, newest first.
    """
    await add_failed_starts(client, pools, failures)
    by_name = {pool.name: pool for pool in pools}
    problems = []
    for name in POOL_NAMES:
        if name in by_name:
            problems += find_problems(by_name[name])
        else:
            problems.append(Problem(f"there is no work pool {name}", "adspark provision"))
    return problems


async def read_not_set_up(client: PrefectClient) -> list[NotSetUp]:
    """The services whose keys neither a block nor the environment has."""
    settings = get_settings()
    found = []
    if settings.serpapi_key is None and not await _has_block(client, "serpapi-credentials"):
        found.append(_NO_SERPAPI)
    uses_dify = settings.generator != "chat" and settings.dify_key is None
    if uses_dify and not await _has_block(client, "dify-workflow"):
        found.append(_NO_DIFY)
    return found


async def _has_block(client: PrefectClient, slug: str) -> bool:
    reading = client.read_block_document_by_name(DOCUMENT, slug, include_secrets=False)
    return await read_optional(reading) is not None
