"""Runs that no worker can claim: their pool was deleted, and their place in its queue with it.

Prefect puts no run into another queue, not even once the pool is there again. So a new run of the
same deployment replaces each of them.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelled

from orchestration.runs.flow_runs import filter_runs, read_runs
from orchestration.runs.optional import read_optional
from orchestration.runs.state_changes import change_state


async def replace_runs_without_queue(
    client: PrefectClient, deployments: DeploymentFilter, *, on_loss: Callable[[str], None]
) -> tuple[int, int]:
    """Replace runs that are due and in no queue, where their deployment has its pool again.

    Args:
        deployments: whose runs.
        on_loss: called with a line about each.

    Returns:
        How many were replaced, and how many were cancelled, for their schedule makes new ones.
    """
    due = filter_runs(types=[StateType.SCHEDULED], due_before=datetime.now(UTC))
    replaced = cancelled = 0
    for run in await read_runs(client, due, deployments=deployments):
        deployment_id = run.deployment_id
        if run.work_queue_id is not None or deployment_id is None:
            continue
        if not await _has_pool(client, deployment_id):
            continue
        on_loss(f"{run.name} ({run.state_name}): its pool was deleted.")
        if run.auto_scheduled:
            message = "Its pool was deleted; the next run of its schedule does what it was for."
        else:
            again = await _start_again(client, run, deployment_id)
            message = f"Its pool was deleted; run {again} replaces it."
        ended = await change_state(client, run, Cancelled(message=message))
        replaced += ended.is_made and not run.auto_scheduled
        cancelled += ended.is_made and run.auto_scheduled
    return replaced, cancelled


async def _has_pool(client: PrefectClient, deployment_id: UUID) -> bool:
    deployment = await read_optional(client.read_deployment(deployment_id))
    return deployment is not None and deployment.work_queue_id is not None


async def _start_again(client: PrefectClient, run: FlowRun, deployment_id: UUID) -> UUID:
    """The id of a new run like this one; the same however often it is called."""
    made = await client.create_flow_run_from_deployment(
        deployment_id,
        name=run.name,
        parameters=run.parameters,
        tags=run.tags,
        job_variables=run.job_variables,
        idempotency_key=f"instead of {run.id}",
    )
    return made.id
