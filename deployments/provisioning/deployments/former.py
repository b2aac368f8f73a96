"""Deployments under the names of earlier versions, `<flow>/adspark`: they move to the new ones.

What people changed on one goes into the request that makes the new one, so that there is never a
new one without it. The former one's schedules then stop, and it is removed once no run needs it:
Prefect deletes the runs that wait for a deployment with it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.objects import TERMINAL_STATES, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events import AutomationCore

from deployments.provisioning.deployments.drift import Entry, own_fields
from deployments.provisioning.drift import Merge
from orchestration.runs.flow_runs import FAILED, WEEK, filter_runs, read_runs

_FORMER_NAME = "adspark"
_FORMER_FLOWS = {"process-sweep-shard": "process-watches"}
_WRITABLE = set(AutomationCore.model_fields) - {"owner_resource"}


def former_name(name: str) -> str:
    """The name that the deployment `flow/name` had in earlier versions, or its own."""
    flow, _, own = name.partition("/")
    return f"{_FORMER_FLOWS.get(flow, flow)}/{_FORMER_NAME}" if own == flow else name


def current_flow(flow: str) -> str:
    """The name of a flow today that earlier versions called so, or its own."""
    return next((new for new, former in _FORMER_FLOWS.items() if former == flow), flow)


def shared_values(former: DeploymentResponse) -> dict[str, Any]:
    """What people may have changed on it: arguments of `create_deployment`."""
    limit = former.global_concurrency_limit
    pool = {"work_pool_name": former.work_pool_name, "work_queue_name": former.work_queue_name}
    fields = {"schedule", "active", "parameters", "slug", "max_scheduled_runs"}
    return {
        "description": former.description,
        "parameters": former.parameters,
        "tags": former.tags,
        "paused": former.paused,
        "job_variables": former.job_variables,
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": former.concurrency_options,
        "schedules": [
            DeploymentScheduleCreate(**{name: getattr(one, name) for name in fields})
            for one in former.schedules
        ],
        **(pool if former.work_pool_name else {}),
    }


async def move_schedule_bounds(
    client: PrefectClient, former: DeploymentResponse, new: DeploymentResponse
) -> None:
    """Give the new one's schedules the bounds on planned runs, which no request to create takes.

    Args:
        former: the deployment under its old name.
        new: the one that takes its place.
    """
    bounds = {
        (str(one.schedule), one.slug): one.max_scheduled_runs
        for one in former.schedules
        if one.max_scheduled_runs
    }
    for one in new.schedules:
        bound = bounds.get((str(one.schedule), one.slug))
        if bound and one.max_scheduled_runs is None:
            await client.update_deployment_schedule(new.id, one.id, max_scheduled_runs=bound)


async def redirect_automations(client: PrefectClient, former: UUID, new: UUID) -> None:
    """Let people's automations that start or watch the former deployment do so with the new one.

    Args:
        former: id of the deployment under its old name.
        new: id of the one that takes its place.
    """
    for found in await client.read_automations():
        definition = found.model_dump_json(include=_WRITABLE)
        if str(former) in definition:
            changed = definition.replace(str(former), str(new))
            await client.update_automation(found.id, AutomationCore.model_validate_json(changed))


async def retire(
    client: PrefectClient, name: str, former: DeploymentResponse, entry: Entry, merge: Merge
) -> None:
    """Remove a deployment that has moved; while runs need it, it stays, and only they are run.

    Args:
        name: its former name, flow/deployment.
        former: as the server has it.
        entry: of the new one, whose code its runs take.
        merge: of the provisioning.
    """
    if not merge.dry_run:
        await client.pause_deployment(former.id)  # removes what its schedules have planned
    if runs := await _count_runs(client, former.id):
        merge.keep(
            f"deployment {name}: stays, for {runs} of its runs wait or can be retried for a week "
            f"after their failure; provision again"
        )
        if not merge.dry_run:
            await client.update_deployment(former.id, DeploymentUpdate(**own_fields(entry)))
    elif merge.change(f"deployment {name}: is removed, for it has moved"):
        await client.delete_deployment(former.id)


async def _count_runs(client: PrefectClient, deployment_id: UUID) -> int:
    """Runs that are not over, or that a person may retry; without those of schedules."""
    mine = [deployment_id]
    unfinished = filter_runs(types=set(StateType) - TERMINAL_STATES, deployments=mine)
    after = datetime.now(UTC) - timedelta(hours=WEEK)
    failed = filter_runs(types=FAILED, deployments=mine, ended_after=after)
    runs = [*await read_runs(client, unfinished), *await read_runs(client, failed)]
    return sum(
        not (run.auto_scheduled and run.state is not None and run.state.is_scheduled())
        for run in runs
    )
