"""Make a Prefect server match the project: pools, limits, blocks, deployments and automations.

Safe to run again and again, and at once: what is right stays, and so does what was changed by hand
(`drift`). A block is only replaced by something that the environment sets.
"""

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel, SecretStr

from adspark.db.engine import Database
from adspark.notifications.addresses import check_notify_addresses
from adspark.settings import Settings
from blocks.adspark_database import AdSparkDatabase
from blocks.alert_recipients import AlertRecipients
from blocks.chat_model import ChatModel
from blocks.configured import DOCUMENT, ConfiguredBlock
from blocks.dify_workflow import DifyWorkflow
from blocks.digest_recipients import DigestRecipients
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.provisioning.automations.alerts import alert_automations
from deployments.provisioning.automations.provision import (
    provision_automations,
    remove_former_automations,
)
from deployments.provisioning.automations.recovery import RECONCILE, recovery_automations
from deployments.provisioning.deployments.deploy import provision_deployments
from deployments.provisioning.drift import Merge
from deployments.provisioning.limits import provision_limits
from deployments.provisioning.pools import check_pool_types, provision_pool
from deployments.queue_classes import QUEUE_CLASSES

_LOCK = "provisioning"
_KINDS = ("pool", "limit", "block", "deployment")  # as the report lists them; others come last
# The block types that the settings may fill, with the settings that they need.
_NEEDED: dict[type[ConfiguredBlock] | type[AlertRecipients], tuple[str, ...]] = {
    SerpApiCredentials: ("serpapi_key",),
    DigestRecipients: ("notify_addresses",),
    AlertRecipients: ("notify_addresses",),
    DifyWorkflow: ("dify_key",),
    ChatModel: ("chat_url", "chat_model"),
}


class Provisioned(BaseModel):
    """What a provisioning did, or would do, and what it left because people had changed it.

    Attributes:
        kept: what a reset would put back.
        added: schedules that people gave to deployments; a reset leaves them too.
    """

    dry_run: bool
    changes: list[str]
    kept: list[str]
    added: list[str] = []


async def provision(
    settings: Settings, *, database_url: str, dry_run: bool = False, reset: bool = False
) -> Provisioned:
    """Bring the server at PREFECT_API_URL in line with the project.

    Args:
        settings: the environment; its keys, where set, become the blocks'.
        database_url: the address that flow runs are to use.
        dry_run: change nothing.
        reset: reset also what was changed by hand.

    Raises:
        ConfigurationError: the deployments cannot be made, and Prefect's reason is quoted; or an
            address of ADSPARK_NOTIFY_ADDRESSES cannot be used.
        AdSparkError: the database cannot be reached, in which two provisionings await each other.
    """
    check_notify_addresses(settings)
    async with (
        Database(database_url) as database,
        database.locks() as locks,
        locks.acquire(_LOCK, wait_for="another provisioning of this database"),
        get_client() as client,
    ):
        merge = await Merge.load(dry_run=dry_run, reset=reset)
        await check_pool_types(client, settings)
        for queue_class in QUEUE_CLASSES:
            await provision_pool(client, queue_class, settings, merge)
        await provision_limits(client, settings, merge)
        await _provision_blocks(client, settings, database_url, merge)
        await provision_deployments(client, merge)
        await _provision_automations(client, settings, merge)
        await merge.save()
        changes, kept = (sorted(lines, key=_place) for lines in (merge.changes, merge.kept))
        return Provisioned(dry_run=dry_run, changes=changes, kept=kept, added=sorted(merge.added))


def _place(line: str) -> int:
    """Where a line of the report stands, by the kind that it begins with."""
    kind = line.partition(" ")[0]
    return _KINDS.index(kind) if kind in _KINDS else len(_KINDS)


async def _provision_blocks(
    client: PrefectClient, settings: Settings, database_url: str, merge: Merge
) -> None:
    """Make the types known, and save what the environment sets and is not so already."""
    blocks: list[Block] = [AdSparkDatabase(url=SecretStr(database_url))]
    blocks += [
        block_type.from_settings(settings)
        for block_type, needed in _NEEDED.items()
        if all(getattr(settings, name) is not None for name in needed)
    ]
    saved: set[type[Block]] = set()  # which registers its type
    for block in blocks:
        thing = f"block {block.get_block_type_slug()}/{DOCUMENT}"
        if not await _is_saved(block) and merge.create(thing, {}, " from the environment"):
            await block.save(DOCUMENT, overwrite=True, client=client)
            saved.add(type(block))
    if not merge.dry_run:
        for block_type in {AdSparkDatabase, *_NEEDED} - saved:
            await block_type.register_type_and_schema(client=client)


async def _is_saved(block: Block) -> bool:
    """Whether the server has the block just like this."""
    try:
        found: Block = await type(block).aload(DOCUMENT)
    except ValueError:
        return False
    fields = set(type(block).model_fields)
    saved, wanted = found.model_dump(include=fields), block.model_dump(include=fields)
    return saved == wanted


async def _provision_automations(client: PrefectClient, settings: Settings, merge: Merge) -> None:
    wanted = await alert_automations(client)
    try:
        wanted += await recovery_automations(client, settings)
    except ObjectNotFound:  # only in a dry run, which has not deployed what they start
        merge.changes.append(f"automations that start {RECONCILE}: are made")
    await remove_former_automations(client, merge)
    await provision_automations(client, wanted, merge)
