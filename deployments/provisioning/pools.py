"""The work pools as the server has them: their type, their slots, and what a run may choose.

Slots may be changed by hand, as everything that is provisioned (`drift`); the job template may
not (`job_templates`).
"""

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import TERMINAL_STATES, StateType, WorkPool

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from adspark.text.counts import counted
from deployments.provisioning.drift import Merge
from deployments.provisioning.jobs.templates import job_template
from deployments.queue_classes import POOL_NAMES, QueueClass
from orchestration.runs.flow_runs import filter_pools, filter_runs, read_runs
from orchestration.runs.naming import CANCEL, CANCEL_IN_CONTAINERS, name_runs
from orchestration.runs.optional import read_optional


async def check_pool_types(client: PrefectClient, settings: Settings) -> None:
    """Check that every pool of another type can be made anew, before one of them is.

    Raises:
        ConfigurationError: runs are left in one.
    """
    for pool in await client.read_work_pools(work_pool_filter=filter_pools(POOL_NAMES)):
        if pool.type != settings.pool_type:
            await _check_idle(client, pool, settings.pool_type)


async def provision_pool(
    client: PrefectClient, queue_class: QueueClass, settings: Settings, merge: Merge
) -> None:
    """Make the pool of a queue class, or bring it up to date.

    Args:
        queue_class: what the pool is for.
        settings: with the type of the pools.
        merge: of the provisioning.

    Raises:
        ConfigurationError: the pool is of another type, and runs are left in it.
    """
    name, slots, kind = queue_class.name, queue_class.concurrency, settings.pool_type
    thing = f"pool {name}"
    template = job_template(queue_class, settings)
    pool = await read_optional(client.read_work_pool(name))
    if pool is not None and pool.type != kind:  # it cannot be changed
        await _check_idle(client, pool, kind)
        if not merge.dry_run:
            await client.delete_work_pool(name)
        pool = None
    if pool is None:
        detail = f", {slots} at once, of the type {kind}"
        if merge.create(thing, {"slots": slots}, detail):
            await client.create_work_pool(
                WorkPoolCreate(
                    name=name,
                    type=kind,
                    description=queue_class.description,
                    concurrency_limit=slots,
                    base_job_template=template,
                )
            )
        return
    if merge.update(f"{thing} slots", current=pool.concurrency_limit, wanted=slots):
        await client.update_work_pool(name, WorkPoolUpdate(concurrency_limit=slots))
    # Not merged: whoever can change it could otherwise choose what runs on a worker's host.
    if pool.base_job_template != template and merge.change(
        f"{thing}: its job template is reset; runs are what their workers' settings say"
    ):
        await client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))


async def _check_idle(client: PrefectClient, pool: WorkPool, kind: str) -> None:
    """Refuse to delete a pool that runs would be lost with; schedules plan theirs anew."""
    wanted = filter_runs(types=set(StateType) - TERMINAL_STATES)
    found = await read_runs(client, wanted, pools=[pool.name])
    waiting = [
        run for run in found if not (run.auto_scheduled and run.state and run.state.is_scheduled())
    ]
    if waiting:
        raise ConfigurationError(
            f"The pool {pool.name} is of the type {pool.type}, ADSPARK_POOL_TYPE is {kind}, and it "
            f"has {counted(len(waiting), 'run')} left: {name_runs(waiting)}",
            command=f"let them end (adspark drain {pool.name}, as long as its workers are online) "
            f"or cancel each ({CANCEL}; in containers: {CANCEL_IN_CONTAINERS}), then provision "
            "again.",
        )
