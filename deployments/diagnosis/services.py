"""What AdSpark talks to: Prefect's server with its pools, SerpApi, the generator; nothing is paid.

Keys are those that runs use: of the server's blocks where one answers, else of the settings.
"""

import asyncio
import threading
from contextlib import suppress
from typing import TypeVar

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from adspark.errors import ConfigurationError
from adspark.maintenance.check import Check, CheckState
from adspark.maintenance.health_checks import (
    check_chromium,
    check_generator,
    check_searches,
    not_set_up,
)
from adspark.settings import Settings
from blocks.configured import ConfiguredBlock
from blocks.generators import generator_block
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.operations.full_check import (
    check_database,
    check_deployments,
    check_messages,
    check_queues,
)
from orchestration.server.client_settings import without_retries
from orchestration.server.prefect_health import check_prefect

_Block = TypeVar("_Block", bound=ConfiguredBlock)

_AWAY = 30.0  # seconds without an answer after which Prefect's server counts as away


async def check_server(settings: Settings, api_url: str | None) -> list[Check]:
    """Prefect's server, its pools with their workers, its deployments, and whether the digest is
    delivered; no address says that there is no server."""
    if api_url is None:
        what = "no server: no stack runs here, and PREFECT_API_URL is not set"
        return [Check.not_set_up("Prefect", what, "adspark up")]
    with temporary_settings({PREFECT_API_URL: api_url}):
        server, *pools = await check_prefect(away=_AWAY)
        if server.state is CheckState.FAILED:
            return [server.model_copy(update={"what": f"{server.what} at {api_url}"})]
        async with get_client() as client:
            number, problems = await check_deployments(client)
            problems += await check_queues(client)
        digest = await _check_digest(settings)
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        deployments = Check.failed("deployments", f"{problems[0].what}{more}", problems[0].remedy)
    else:
        deployments = Check.ok("deployments", f"{number} of {number} ready")
    return [server, *pools, deployments, *digest]


async def _check_digest(settings: Settings) -> list[Check]:
    """What keeps the digest from its receivers; nothing is said where nothing does."""
    _, problems = await asyncio.to_thread(check_database, settings)
    if problems:  # which is told of the database
        return []
    return [Check.failed("digest", one.what, one.remedy) for one in await check_messages(settings)]


async def check_serpapi(settings: Settings, api_url: str | None) -> Check:
    """Whether SerpApi accepts the key."""
    try:
        credentials = await _load(SerpApiCredentials, settings, api_url)
    except ConfigurationError as error:
        return not_set_up("SerpApi", error)
    async with credentials.get_client() as client:
        return await check_searches(client)


async def check_variants(settings: Settings, api_url: str | None) -> Check:
    """Whether what makes variants accepts its key."""
    name = generator_name(settings)
    try:
        block = await _load(generator_block(settings.generator), settings, api_url)
    except ConfigurationError as error:
        return not_set_up(name, error)
    async with block.open_generator() as generator:
        return await check_generator(name, generator)


async def check_browser(settings: Settings) -> Check:
    """Whether the browser starts; in a thread of its own, whose end nobody has to wait for.

    Playwright, cancelled while it starts, may keep the event loop that it runs in from ending.
    """
    loop = asyncio.get_running_loop()
    checked: asyncio.Future[Check] = loop.create_future()

    def end(check: Check | None, error: Exception | None) -> None:
        if checked.done():
            return
        if error is not None:
            checked.set_exception(error)
        elif check is not None:
            checked.set_result(check)

    def look() -> None:
        check, problem = None, None
        try:
            check = asyncio.run(check_chromium(settings))
        except Exception as error:
            problem = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(end, check, problem)

    threading.Thread(target=look, daemon=True).start()
    return await checked


def generator_name(settings: Settings) -> str:
    """What a person knows the generator as."""
    return "chat model" if settings.generator == "chat" else "Dify"


async def _load(block: type[_Block], settings: Settings, api_url: str | None) -> _Block:
    """The block as runs have it; of the settings where no server answers: Prefect would start one,
    or ask again and again."""
    if api_url is not None:
        with suppress(httpx.HTTPError), without_retries(api_url):
            return await block.load_configured()
    return block.from_settings(settings)
