"""The task that looks at everything that AdSpark needs, all of it at the same time."""

import asyncio
import time

import httpx
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.exceptions import ObjectNotFound, PrefectException

from adspark.checkups import (
    TIME_LIMIT,
    Check,
    check_chromium,
    check_database,
    check_disk,
    check_generator,
    check_media,
    check_searches,
    look_at,
    not_set_up,
)
from adspark.errors import ConfigurationError
from adspark.media import MediaStore
from adspark.settings import get_settings, media_url
from blocks.adspark_database import AdSparkDatabase
from blocks.chat_model import ChatModel
from blocks.dify_workflow import DifyWorkflow
from blocks.serpapi_credentials import SerpApiCredentials
from tasks.find_lost_runs import TAG
from tasks.pool_health import PoolHealth, problems_of, read_pool
from tasks.time_limits import killed_after

_MOST_DEPLOYMENTS = 200


@task(cache_policy=NO_CACHE, timeout_seconds=get_settings().upkeep_time_limit)
@killed_after("upkeep_time_limit")
async def check_health() -> list[Check]:
    """Look at database, Prefect, pools, SerpApi, what makes variants, browser, media and disk."""
    settings = get_settings()
    pools = asyncio.create_task(_check_prefect())
    checks = await asyncio.gather(
        look_at("database", _check_database, remedy="adspark db check"),
        look_at("SerpApi", _check_searches, remedy="adspark budget"),
        look_at(_generator_name(), _check_generator, remedy="its block, in Prefect's UI"),
        look_at(
            "browser",
            lambda: check_chromium(settings),
            remedy="playwright install chromium-headless-shell",
        ),
        look_at(
            "media store",
            lambda: check_media(MediaStore(media_url(settings))),
            remedy="ADSPARK_MEDIA_URL",
        ),
        look_at("disk", lambda: check_disk(settings.home), remedy="ADSPARK_HOME"),
    )
    return [*checks, *await pools]


async def _check_database() -> Check:
    async with (await AdSparkDatabase.load_configured()).connect() as database:
        return await check_database(database)


async def _check_searches() -> Check:
    try:
        credentials = await SerpApiCredentials.load_configured()
    except ConfigurationError as error:
        return not_set_up("SerpApi", error)
    async with credentials.get_client() as client:
        return await check_searches(client)


async def _check_generator() -> Check:
    name = _generator_name()
    block_type = ChatModel if get_settings().generator == "chat" else DifyWorkflow
    try:
        block = await block_type.load_configured()
    except ConfigurationError as error:
        return not_set_up(name, error)
    async with block.open_generator() as generator:
        return await check_generator(name, generator)


def _generator_name() -> str:
    return "chat model" if get_settings().generator == "chat" else "Dify"


async def _check_prefect() -> list[Check]:
    """As `look_at`, for what comes to several checks."""
    try:
        async with asyncio.timeout(TIME_LIMIT):
            return await _check_pools()
    except (TimeoutError, httpx.HTTPError, PrefectException) as error:
        what = f"does not answer as it should ({type(error).__name__})"
        return [Check.failed("Prefect", what, "adspark status")]


async def _check_pools() -> list[Check]:
    """A check of each pool in which a deployment of ours runs, and one of Prefect's server."""
    async with get_client() as client:
        asked_at = time.monotonic()
        if error := await client.api_healthcheck():
            what = f"does not answer ({type(error).__name__})"
            return [Check.failed("Prefect", what, "adspark up, or docker-compose up -d")]
        seconds = time.monotonic() - asked_at
        deployments = await client.read_deployments(
            deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])),
            limit=_MOST_DEPLOYMENTS,
        )
        names = sorted({one.work_pool_name for one in deployments if one.work_pool_name})
        version = await client.api_version()
        told = f"{version} answers in {seconds * 1000:.0f} ms, {len(deployments)} deployments"
        pools = await asyncio.gather(*(_check_pool(client, name) for name in names))
        return [Check.ok("Prefect", told), *pools]


async def _check_pool(client: PrefectClient, name: str) -> Check:
    try:
        pool = await read_pool(client, name)
    except ObjectNotFound:
        return Check.failed(f"pool {name}", "does not exist", "adspark provision")
    if problems := problems_of(pool):
        what = problems[0].what.removeprefix(f"pool {name} ")
        return Check.failed(f"pool {name}", what, problems[0].remedy)
    return Check.ok(f"pool {name}", _told(pool))


def _told(pool: PoolHealth) -> str:
    busy = pool.running + pool.pending
    slots = "" if pool.slots is None else f" of {pool.slots}"
    return f"{pool.workers} worker(s), {busy}{slots} runs, {pool.late} late"
