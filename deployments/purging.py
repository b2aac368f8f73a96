"""Empty queues: cancel runs that have not begun, and nothing that has.

They are cancelled, not deleted, so that it can be seen later what was dropped. Schedules go on;
only what they had planned already is purged.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from adspark.errors import ConfigurationError
from deployments.queue_classes import QUEUE_CLASSES
from tasks.state_changes import change_while

_PAGE = 200  # runs that the server tells at once


class Waiting(StrEnum):
    """How a run can wait."""

    LATE = "late"
    SCHEDULED = "scheduled"
    PENDING = "pending"


_NAMES = {
    Waiting.LATE: ["Late"],
    Waiting.SCHEDULED: ["Scheduled", "AwaitingConcurrencySlot", "AwaitingRetry"],
    Waiting.PENDING: ["Pending"],
}


async def find_waiting(
    client: PrefectClient,
    *,
    pools: Sequence[str],
    states: Sequence[Waiting],
    deployment: str | None = None,
    older_than: float = 0.0,
) -> list[FlowRun]:
    """The runs of these pools that wait like this.

    Args:
        pools: empty is all of ours.
        deployment: only its runs; `flow/name`, or a flow's name alone.
        older_than: seconds that the time at which they were to begin is past; 0 takes also those
            whose time is yet to come.

    Raises:
        ConfigurationError: there is no such deployment.
    """
    names = [name for state in states for name in _NAMES[state]]
    wanted = FlowRunFilter(state=FlowRunFilterState(name=FlowRunFilterStateName(any_=names)))
    if older_than:
        before = datetime.now(UTC) - timedelta(seconds=older_than)
        wanted.expected_start_time = FlowRunFilterExpectedStartTime(before_=before)
    which = list(pools) or [one.name for one in QUEUE_CLASSES]
    found: list[FlowRun] = []
    while True:
        page = await client.read_flow_runs(
            flow_run_filter=wanted,
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=which)),
            deployment_filter=await _deployment_filter(client, deployment),
            limit=_PAGE,
            offset=len(found),
        )
        found += page
        if len(page) < _PAGE:
            return found


def count_by_pool(runs: Sequence[FlowRun]) -> dict[str, dict[str, int]]:
    """How many runs of each pool wait in each way."""
    counted = Counter((run.work_pool_name or "", run.state_name or "") for run in runs)
    pools: dict[str, dict[str, int]] = {}
    for (pool, state), number in sorted(counted.items()):
        pools.setdefault(pool, {})[state] = number
    return pools


async def purge(client: PrefectClient, runs: Sequence[FlowRun]) -> int:
    """Cancel those of the runs that still wait; returns how many."""
    purged = 0
    for run in runs:
        end: State = Cancelled(message="Purged.")
        purged += (await change_while(client, run.id, end, _waits_like(run))).is_made
    return purged


def _waits_like(run: FlowRun) -> Callable[[State], bool]:
    """Whether a state is one in which a run waits, and waits still as this one did."""
    names = {name for listed in _NAMES.values() for name in listed}
    return lambda state: state.name in names and state.type is run.state_type


async def _deployment_filter(
    client: PrefectClient, deployment: str | None
) -> DeploymentFilter | None:
    if deployment is None:
        return None
    name = deployment if "/" in deployment else f"{deployment}/adspark"
    try:
        found = await client.read_deployment_by_name(name)
    except ObjectNotFound:
        raise ConfigurationError(
            f"There is no deployment {name!r}; list them with: prefect deployment ls"
        ) from None
    return DeploymentFilter(id=DeploymentFilterId(any_=[found.id]))
