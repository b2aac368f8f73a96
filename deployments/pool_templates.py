"""The work pools as the server has them: slots, and what the runs' processes or containers are.

Of a pool's job template only the defaults are ours that stand here; each of them may be changed by
hand, as everything that is provisioned (`merging`).
"""

import copy
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import TERMINAL_STATES, StateType, WorkPool
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker
from prefect_docker.worker import DockerWorker
from pydantic import JsonValue

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from deployments.merging import Merge
from deployments.queue_classes import QueueClass
from deployments.run_pages import in_state, read_runs
from deployments.run_process import ENGINE

RUN_COMMAND = "python -m deployments.run_in_container"
"""The command of a run's container."""

# Nothing to write but /tmp and the volume, no rights, no privileges to win.
_CONTAINER: dict[str, JsonValue] = {
    "init": True,
    "read_only": True,
    "tmpfs": {"/tmp": "mode=1777"},  # noqa: S108  (the container's own)
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "pids_limit": 1024,
    "healthcheck": {"test": ["NONE"]},
    "extra_hosts": {"host.docker.internal": "host-gateway"},
}


async def provision_pool(
    client: PrefectClient, queue_class: QueueClass, settings: Settings, merge: Merge
) -> None:
    """Make the pool of a queue class, or bring it up to date.

    Raises:
        ConfigurationError: the pool is of the other type, and runs wait in it.
    """
    name, slots = queue_class.name, queue_class.concurrency
    defaults = job_defaults(queue_class, settings)
    thing = f"pool {name}"
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
    template = copy.deepcopy(pool.base_job_template)
    properties = template.setdefault("variables", {}).setdefault("properties", {})
    changed = False
    for variable, wanted in defaults.items():
        found = properties.setdefault(variable, {}).get("default")
        if merge.changes_to(f"{thing} {variable}", current=found, wanted=wanted):
            properties[variable]["default"] = wanted
            changed = True
    if changed:
        await client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))


def job_defaults(queue_class: QueueClass, settings: Settings) -> dict[str, JsonValue]:
    """The job variables of a pool's runs.

    Raises:
        ConfigurationError: containers are wanted, and it is not said of which image.
    """
    if settings.pool_type == "process":
        # One interpreter instead of three.
        return {"command": ENGINE}
    if settings.run_image is None:
        raise ConfigurationError(
            "ADSPARK_RUN_IMAGE: runs are to be containers (ADSPARK_POOL_TYPE=docker); name their "
            "image, as adspark:0.1.0."
        )
    memory = f"{queue_class.memory}m"
    return {
        "command": RUN_COMMAND,
        "image": settings.run_image,
        "image_pull_policy": "IfNotPresent",
        "mem_limit": memory,
        "memswap_limit": memory,
        "networks": [settings.run_network] if settings.run_network else [],
        "volumes": [f"{settings.run_volume}:{settings.home}"] if settings.run_volume else [],
        "container_create_kwargs": _CONTAINER,
    }


async def _create(
    client: PrefectClient, queue_class: QueueClass, settings: Settings, merge: Merge
) -> None:
    defaults = job_defaults(queue_class, settings)
    values: dict[str, JsonValue] = {"slots": queue_class.concurrency, **defaults}
    told = f", {queue_class.concurrency} at once, of the type {settings.pool_type}"
    if not merge.creates(f"pool {queue_class.name}", values, told):
        return
    worker = DockerWorker if settings.pool_type == "docker" else ProcessWorker
    template: dict[str, Any] = worker.get_default_base_job_template()
    for variable, value in defaults.items():
        template["variables"]["properties"][variable]["default"] = value
    new = WorkPoolCreate(
        name=queue_class.name,
        type=settings.pool_type,
        description=queue_class.description,
        concurrency_limit=queue_class.concurrency,
        base_job_template=template,
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
    wanted = in_state(*(one for one in StateType if one not in TERMINAL_STATES))
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
