"""Make a Prefect server match the project: pools, limits, blocks and deployments.

Safe to run again and again: what is already right stays, what an operator saved in the UI (a key,
a limit's number) is only replaced by something that the environment sets.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker
from pydantic import SecretStr

from adspark.errors import ConfigurationError, TemporaryError
from adspark.rates import GENERATIONS, SEARCHES, WINDOW
from adspark.serpapi import SerpApiClient
from adspark.settings import DEFAULT_SEARCHES_PER_MINUTE, Settings
from blocks.adspark_database import AdSparkDatabase
from blocks.chat_model import ChatModel
from blocks.configured import DOCUMENT
from blocks.dify_workflow import DifyWorkflow
from blocks.digest_recipients import DigestRecipients
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.queue_classes import QUEUE_CLASSES, QueueClass


async def provision(settings: Settings, *, database_url: str) -> None:
    """Bring the server at PREFECT_API_URL up to the project.

    Args:
        settings: the environment; its key, where set, becomes the block's.
        database_url: the address that flow runs are to use.

    Raises:
        ConfigurationError: the deployments cannot be made; quotes Prefect's reason.
    """
    async with get_client() as client:
        for queue_class in QUEUE_CLASSES:
            await _provision_pool(client, queue_class)
        await _provision_search_limit(client, settings)
        await _provision_limit(client, GENERATIONS, settings.generations_per_minute)
        await _provision_blocks(client, settings, database_url)
    await _deploy(str(client.api_url))


def project_file() -> Path:
    """The `prefect.yaml` of the checkout, or the copy in the installed package."""
    here = Path(__file__).parent
    for candidate in (here / "prefect.yaml", here.parent / "prefect.yaml"):
        if candidate.exists():
            return candidate
    raise ConfigurationError("prefect.yaml is missing; install AdSpark again.")


async def _provision_pool(client: PrefectClient, queue_class: QueueClass) -> None:
    await client.create_work_pool(
        WorkPoolCreate(
            name=queue_class.name,
            type="process",
            description=queue_class.description,
            concurrency_limit=queue_class.concurrency,
            base_job_template=_job_template(),
        ),
        overwrite=True,
    )


def _job_template() -> dict[str, Any]:
    """Prefect's own template, with the command that starts one interpreter instead of three."""
    template = ProcessWorker.get_default_base_job_template()
    template["variables"]["properties"]["command"]["default"] = "python -m prefect.engine"
    return template


async def _provision_search_limit(client: PrefectClient, settings: Settings) -> None:
    """The limit is the operators', unless the environment says that it follows the account."""
    wanted = settings.searches_per_minute
    if wanted == "account":
        limit = await _ask_account(settings)
        if limit is not None:
            await client.upsert_global_concurrency_limit_by_name(SEARCHES, limit, limit / WINDOW)
            return
        wanted = DEFAULT_SEARCHES_PER_MINUTE
    await _provision_limit(client, SEARCHES, wanted)


async def _provision_limit(client: PrefectClient, name: str, a_minute: int) -> None:
    """Make a rate limit where there is none; its number is the operators' from then on."""
    try:
        await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        await client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(
                name=name, limit=a_minute, active=True, slot_decay_per_second=a_minute / WINDOW
            )
        )


async def _ask_account(settings: Settings) -> int | None:
    """Searches a minute that the account's hourly limit comes to; None where it cannot be asked."""
    if settings.serpapi_key is None:
        return None
    client = SerpApiClient(
        settings.serpapi_key, base_url=settings.serpapi_url, timeout=settings.serpapi_timeout
    )
    try:
        async with client:
            an_hour = (await client.account()).account_rate_limit_per_hour
    except TemporaryError:
        return None
    return None if an_hour is None else max(1, an_hour // 60)


async def _provision_blocks(client: PrefectClient, settings: Settings, database_url: str) -> None:
    """Make the types known, and save what the environment sets."""
    for block_type in (
        AdSparkDatabase,
        SerpApiCredentials,
        DigestRecipients,
        DifyWorkflow,
        ChatModel,
    ):
        await block_type.register_type_and_schema(client=client)
    blocks: list[Block] = [AdSparkDatabase(url=SecretStr(database_url))]
    if settings.serpapi_key is not None:
        blocks.append(SerpApiCredentials.from_settings(settings))
    if settings.notify_addresses is not None:
        blocks.append(DigestRecipients.from_settings(settings))
    if settings.dify_key is not None:
        blocks.append(DifyWorkflow.from_settings(settings))
    if settings.chat_url is not None and settings.chat_model is not None:
        blocks.append(ChatModel.from_settings(settings))
    for block in blocks:
        await block.save(DOCUMENT, overwrite=True, client=client)


async def _deploy(api_url: str) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--prefect-file",
        str(project_file()),
        env=os.environ | {"PREFECT_API_URL": api_url, "NO_COLOR": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise ConfigurationError(f"prefect deploy failed: {output.decode().strip()[-2000:]}")
