"""Make a Prefect server match the project: pools, limits, blocks, deployments and automations.

Safe to run again and again, and at once: what is right stays, and so does what was changed by hand
(`merging`). A block is only replaced by something that the environment sets.
"""

from collections.abc import Sequence

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import (
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
)
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel, SecretStr

from adspark.db.engine import Database
from adspark.db.rate_limits import CLEANUPS, GENERATIONS, SEARCHES, SWEEPS, WINDOWS
from adspark.errors import TemporaryError
from adspark.serpapi.client import SerpApiClient
from adspark.settings import DEFAULT_SEARCHES_PER_MINUTE, Settings
from blocks.adspark_database import AdSparkDatabase
from blocks.alert_recipients import AlertRecipients
from blocks.chat_model import ChatModel
from blocks.configured import DOCUMENT
from blocks.dify_workflow import DifyWorkflow
from blocks.digest_recipients import DigestRecipients
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.provisioning.alerts import alert_automations
from deployments.provisioning.automations import provision_automations
from deployments.provisioning.deploy import provision_deployments
from deployments.provisioning.drift import Merge
from deployments.provisioning.pools import provision_pool
from deployments.provisioning.recovery_automations import RECONCILE, recovery_automations
from deployments.queue_classes import QUEUE_CLASSES

_LOCK = "provisioning"
_SWEEPS_A_MINUTE = 5
_CLEANUPS_AN_HOUR = 1


_BLOCK_TYPES: tuple[type[Block], ...] = (
    AdSparkDatabase,
    SerpApiCredentials,
    DigestRecipients,
    AlertRecipients,
    DifyWorkflow,
    ChatModel,
)


class Provisioned(BaseModel):
    """What a provisioning did, or would do, and what it left because people had changed it."""

    dry_run: bool
    changes: list[str]
    kept: list[str]


async def provision(
    settings: Settings, *, database_url: str, dry_run: bool = False, reset: bool = False
) -> Provisioned:
    """Bring the server at PREFECT_API_URL up to the project.

    Args:
        settings: the environment; its keys, where set, become the blocks'.
        database_url: the address that flow runs are to use.
        dry_run: change nothing.
        reset: put back also what was changed by hand.

    Raises:
        ConfigurationError: the deployments cannot be made; quotes Prefect's reason.
        AdSparkError: the database cannot be reached, in which two provisionings await each other.
    """
    async with (
        Database(database_url) as database,
        database.locks() as locks,
        locks.hold(_LOCK, wait=True),
        get_client() as client,
    ):
        merge = await Merge.begin(dry_run=dry_run, reset=reset)
        for queue_class in QUEUE_CLASSES:
            await provision_pool(client, queue_class, settings, merge)
        await _provision_limits(client, settings, merge)
        await _provision_blocks(client, settings, database_url, merge)
        await provision_deployments(client, merge)
        await _provision_automations(client, merge)
        await merge.finish()
        return Provisioned(dry_run=dry_run, changes=merge.changes, kept=merge.kept)


async def _provision_limits(client: PrefectClient, settings: Settings, merge: Merge) -> None:
    searches = settings.searches_per_minute
    if searches == "account":
        searches = await _ask_account(settings) or DEFAULT_SEARCHES_PER_MINUTE
    await _provision_limit(client, SEARCHES, searches, merge)
    await _provision_limit(client, GENERATIONS, settings.generations_per_minute, merge)
    await _provision_limit(client, SWEEPS, _SWEEPS_A_MINUTE, merge)
    await _provision_limit(client, CLEANUPS, _CLEANUPS_AN_HOUR, merge)


async def _provision_limit(client: PrefectClient, name: str, number: int, merge: Merge) -> None:
    """A rate limit: so many in its window; the decay is what Prefect makes of it."""
    thing, decay = f"limit {name}", number / WINDOWS[name]
    try:
        limit = await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        if merge.creates(thing, {"number": number}, f", {number} in {WINDOWS[name]:.0f} s"):
            new = GlobalConcurrencyLimitCreate(
                name=name, limit=number, active=True, slot_decay_per_second=decay
            )
            await client.create_global_concurrency_limit(new)
        return
    if merge.changes_to(f"{thing} number", current=limit.limit, wanted=number):
        await client.update_global_concurrency_limit(
            name, GlobalConcurrencyLimitUpdate(limit=number, slot_decay_per_second=decay)
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


async def _provision_blocks(
    client: PrefectClient, settings: Settings, database_url: str, merge: Merge
) -> None:
    """Make the types known, and save what the environment sets and is not so already."""
    for block in _blocks_of(settings, database_url):
        thing = f"block {block.get_block_type_slug()}/{DOCUMENT}"
        if await _is_saved(block):
            continue
        if merge.creates(thing, {}, " from the environment"):
            await block.save(DOCUMENT, overwrite=True, client=client)
    if not merge.dry_run:
        for block_type in _BLOCK_TYPES:
            await block_type.register_type_and_schema(client=client)


def _blocks_of(settings: Settings, database_url: str) -> Sequence[Block]:
    blocks: list[Block] = [AdSparkDatabase(url=SecretStr(database_url))]
    if settings.serpapi_key is not None:
        blocks.append(SerpApiCredentials.from_settings(settings))
    if settings.notify_addresses is not None:
        blocks.append(DigestRecipients.from_settings(settings))
        blocks.append(AlertRecipients.from_settings(settings))
    if settings.dify_key is not None:
        blocks.append(DifyWorkflow.from_settings(settings))
    if settings.chat_url is not None and settings.chat_model is not None:
        blocks.append(ChatModel.from_settings(settings))
    return blocks


async def _is_saved(block: Block) -> bool:
    """Whether the server has the block just like this."""
    try:
        found: Block = await type(block).aload(DOCUMENT)
    except ValueError:
        return False
    fields = set(type(block).model_fields)
    saved, wanted = found.model_dump(include=fields), block.model_dump(include=fields)
    return saved == wanted


async def _provision_automations(client: PrefectClient, merge: Merge) -> None:
    wanted = await alert_automations(client)
    try:
        wanted += await recovery_automations(client)
    except ObjectNotFound:  # only in a dry run, which has not deployed what they start
        merge.changes.append(f"automations that start {RECONCILE}: are made")
    await provision_automations(client, wanted, merge)
