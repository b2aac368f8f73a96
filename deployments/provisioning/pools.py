"""The work pools as the server has them: their type, their slots, and what a run may choose.

Slots may be changed by hand, as everything that is provisioned (`merging`); the job template may
not. What the runs' processes or containers are, their workers say (`worker`, `container_job`).
"""

from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import TERMINAL_STATES, StateType, WorkPool
from prefect.exceptions import ObjectNotFound
from pydantic import JsonValue

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from deployments.provisioning.container_job import run_image
from deployments.provisioning.drift import Merge
from deployments.provisioning.job_variables import ENVIRONMENT
from deployments.queue_classes import QueueClass
from orchestration.flow_runs import filter_runs, read_runs

# All that a run may choose: a form offers nothing that a worker would refuse, and a worker of
# Prefect's own cannot be told more.
_TEMPLATE: dict[str, Any] = {
    "job_configuration": {"env": "{{ env }}"},
    "variables": {
        "type": "object",
        "properties": {
            "env": {
                "title": "Environment Variables",
                "description": f"Of these: {', '.join(sorted(ENVIRONMENT))}.",
                "type": "object",
                "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            }
        },
    },
}
_FORMERLY = (  # what provisioning has put into templates before
    "command",
    "image",
    "image_pull_policy",
    "mem_limit",
    "memswap_limit",
    "networks",
    "volumes",
    "container_create_kwargs",
)


async def provision_pool(
    client: PrefectClient, queue_class: QueueClass, settings: Settings, merge: Merge
) -> None:
    """Make the pool of a queue class, or bring it up to date.

    Raises:
        ConfigurationError: the pool is of the other type, and runs wait in it.
    """
    name, slots = queue_class.name, queue_class.concurrency
    thing = f"pool {name}"
    if settings.pool_type == "docker":
        run_image(settings)
    try:
        pool = await client.read_work_pool(name)
    except ObjectNotFound:
        await _create(client, queue_class, settings, merge)
        return
    if pool.type != settings.pool_type:
        await _replace(client, pool, queue_class, settings, merge)
        return
    if merge.changes_to(f"{thing} slots", current=pool.concurrency_limit, wanted=slots):
        await client.update_work_pool(name, WorkPoolUpdate(concurrency_limit=slots))
    for variable in _FORMERLY:
        merge.forget(f"{thing} {variable}")
    # Not merged: whoever can change it could otherwise choose what runs on a worker's host.
    if pool.base_job_template != _TEMPLATE and merge.does(
        f"{thing}: its job template is put back; runs are what their workers' settings say"
    ):
        await client.update_work_pool(name, WorkPoolUpdate(base_job_template=_TEMPLATE))


async def _create(
    client: PrefectClient, queue_class: QueueClass, settings: Settings, merge: Merge
) -> None:
    values: dict[str, JsonValue] = {"slots": queue_class.concurrency}
    told = f", {queue_class.concurrency} at once, of the type {settings.pool_type}"
    if not merge.creates(f"pool {queue_class.name}", values, told):
        return
    new = WorkPoolCreate(
        name=queue_class.name,
        type=settings.pool_type,
        description=queue_class.description,
        concurrency_limit=queue_class.concurrency,
        base_job_template=_TEMPLATE,
    )
    await client.create_work_pool(new)


async def _replace(
    client: PrefectClient,
    pool: WorkPool,
    queue_class: QueueClass,
    settings: Settings,
    merge: Merge,
) -> None:
    """Make the pool anew, for its type cannot be changed; what waits in it would be lost."""
    wanted = filter_runs(types=set(StateType) - TERMINAL_STATES)
    found = await read_runs(client, wanted, pools=[pool.name])
    # What a schedule has planned is planned again.
    waiting = [
        run for run in found if not (run.auto_scheduled and run.state and run.state.is_scheduled())
    ]
    if waiting:
        raise ConfigurationError(
            f"The pool {pool.name} is of the type {pool.type}, ADSPARK_POOL_TYPE is "
            f"{settings.pool_type}, and {len(waiting)} runs are waiting or running in it. Let them "
            f"end (adspark drain {pool.name}; adspark purge {pool.name}), then provision again."
        )
    if not merge.dry_run:
        await client.delete_work_pool(pool.name)
    await _create(client, queue_class, settings, merge)
