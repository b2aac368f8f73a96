"""The task that finds runs which no worker carries out any more, and requeues them."""

from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger

from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit
from orchestration.runs.lost_runs import LostRuns, requeue_lost


@retried_task()
@time_limit("upkeep_time_limit")
async def requeue_lost_runs(except_for: UUID | None, patience: float) -> LostRuns:
    """Requeue lost runs of our deployments but for one; `patience` in seconds (`requeue_lost`)."""
    async with get_client() as client:
        return await requeue_lost(
            client, except_for, timedelta(seconds=patience), on_loss=get_run_logger().info
        )
