"""Runs of `archive-creatives` beside its schedule: asked for by what has stored new pictures.

At most one of them waits: its idempotency key names the run that began before it, so that whoever
asks meanwhile finds it. It waits a minute, in which more may come; a run that is still under way by
then looks for new versions once more before it ends.
"""

from datetime import UTC, datetime, timedelta

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.logging import get_run_logger
from prefect.states import Scheduled

from orchestration.runs.flow_runs import ACTIVE, FAILED, filter_runs

DEPLOYMENT = "archive-creatives/archive-creatives"

_GATHERING = timedelta(seconds=60)
_BEGUN = (*ACTIVE, *FAILED, StateType.COMPLETED)


async def request_archive() -> None:
    """Let new pictures be archived soon; where that cannot be asked for, the schedule does it."""
    try:
        async with get_client() as client:
            deployment = await client.read_deployment_by_name(DEPLOYMENT)
            begun = await client.read_flow_runs(
                flow_run_filter=filter_runs(deployments=[deployment.id], types=_BEGUN),
                sort=FlowRunSort.START_TIME_DESC,
                limit=1,
            )
            await client.create_flow_run_from_deployment(
                deployment.id,
                state=Scheduled(scheduled_time=datetime.now(UTC) + _GATHERING),
                idempotency_key=f"archive/after/{begun[0].id if begun else 'none'}",
            )
    except ObjectNotFound:  # a server without deployments, as that of a plain call
        return
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        get_run_logger().warning(
            "Prefect's server took no run of archive-creatives (%s); its schedule archives what "
            "is new.",
            type(error).__name__,
        )
