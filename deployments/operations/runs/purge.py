"""Empty queues: cancel runs that have not begun, and nothing that has.

They are cancelled, not deleted, so that it can be seen later what was dropped. Schedules go on;
only what they had planned already is purged.

No state is forced. What a worker may take at any moment is claimed before it is cancelled, as a
worker claims it: Prefect's server makes a run Pending only where it is not Running, Cancelling or
Cancelled. That takes two changes of state, of 20 ms, so the rest of a long queue gets by with one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.states import Cancelled, Cancelling

from deployments.operations.runs.deployments import find_deployment
from deployments.queue_classes import POOL_NAMES
from orchestration.runs.flow_runs import LATE, QUEUED, filter_runs, read_runs
from orchestration.runs.state_changes import set_states

_BATCH = 50  # runs whose state the server sets in one request, at most
_FRONT = 50  # runs of a queue that its workers may take while the rest of it is purged
_CLAIMED = "Purging"
_TAKEN = ["Pending", _CLAIMED]  # the latter by a purge that was killed
_PURGED = "Purged."
# The same for each purge: the server refuses a transition that a run has just made, by whomever.
_END = UUID("6a5c2f0e-9d0b-4c55-8a7e-1f6f0c1d3b92")
_NEVER = datetime.max.replace(tzinfo=UTC)


class Waiting(StrEnum):
    """How a run can wait: for a worker though its time has come, for its time, or for its start."""

    LATE = "late"
    SCHEDULED = "scheduled"
    PENDING = "pending"


async def find_waiting(
    client: PrefectClient,
    *,
    pools: Sequence[str],
    states: Sequence[Waiting],
    deployment: str | None = None,
    older_than: float = 0.0,
) -> list[FlowRun]:
    """The runs of these pools that wait like this; late is what is due, whether or not the server
    has named it so yet.

    Args:
        pools: empty is all of ours.
        deployment: only its runs; `flow/name`, or a flow's name alone.
        older_than: seconds that the time at which they were to begin is past; 0 takes also those
            whose time is yet to come.

    Raises:
        ConfigurationError: there is no such deployment.
    """
    now = datetime.now(UTC)
    before = now - timedelta(seconds=older_than) if older_than else None
    wanted = {
        Waiting.LATE: filter_runs(states=QUEUED, due_before=now, expected_before=before),
        Waiting.SCHEDULED: filter_runs(states=QUEUED, due_after=now, expected_before=before),
        Waiting.PENDING: filter_runs(states=_TAKEN, expected_before=before),
    }
    deployments = await _deployment_filter(client, deployment)
    found: dict[UUID, FlowRun] = {}  # each once, though it may begin between two requests
    for state in states:
        runs = await read_runs(
            client, wanted[state], pools=pools or POOL_NAMES, deployments=deployments
        )
        found |= {run.id: run for run in runs}
    return list(found.values())


def count_by_pool(runs: Sequence[FlowRun]) -> dict[str, dict[str, int]]:
    """How many runs of each pool wait in each way."""
    now = datetime.now(UTC)
    counted = Counter((run.work_pool_name or "", _name_of(run, now)) for run in runs)
    pools: dict[str, dict[str, int]] = {}
    for (pool, state), number in sorted(counted.items()):
        pools.setdefault(pool, {})[state] = number
    return pools


def _name_of(run: FlowRun, now: datetime) -> str:
    """How it waits: the name of its state, or late where it is due."""
    due = run.next_scheduled_start_time
    return LATE if due and due <= now else run.state_name or ""


async def purge(
    client: PrefectClient,
    runs: Sequence[FlowRun],
    *,
    on_purged: Callable[[int], None] = lambda _: None,
) -> int:
    """Cancel those of the runs that still wait; returns how many, without those that another purge
    has cancelled meanwhile, and those of a request whose answer was lost.

    Workers take runs from the front of a queue, so it is emptied from its end.

    Args:
        on_purged: called with how many more are cancelled, after each batch.
    """
    fresh = [run for run in runs if _is_fresh(run)]
    fresh.sort(key=lambda run: (run.expected_start_time or _NEVER, run.id), reverse=True)
    front = fresh[-_FRONT:] + [run for run in runs if not _is_fresh(run)]
    taken = [run for run in front if run.state_type is StateType.PENDING]
    queued = [run for run in front if run.state_type is not StateType.PENDING]
    purged = 0
    for part, cancel in (
        (fresh[:-_FRONT], _cancel_scheduled),
        (queued, partial(_claim_and_cancel, names=QUEUED)),
        (taken, partial(_claim_and_cancel, names=_TAKEN)),
    ):
        for start in range(0, len(part), _BATCH):
            number = await cancel(client, [run.id for run in part[start : start + _BATCH]])
            on_purged(number)
            purged += number
    return purged


def _is_fresh(run: FlowRun) -> bool:
    """Whether no worker has been given it, ever; others are not made Cancelled at once."""
    return run.state_type is StateType.SCHEDULED and not run.infrastructure_pid


async def _cancel_scheduled(client: PrefectClient, run_ids: Sequence[UUID]) -> int:
    """Cancel runs that no worker has been given; the server makes Cancelled of Cancelling there."""
    ended = await set_states(client, run_ids, QUEUED, Cancelling(message=_PURGED))
    return sum(one.has_cancelled for one in ended)


async def _claim_and_cancel(
    client: PrefectClient, run_ids: Sequence[UUID], *, names: Sequence[str]
) -> int:
    """Cancel runs that a worker may take at any moment: what is still in a state so named, and
    could be claimed before it."""
    claim = State(type=StateType.PENDING, name=_CLAIMED)
    claimed = await set_states(client, run_ids, names, claim)
    # A deployment's own limit on its runs may have cancelled one at once, or put it back.
    purged = sum(one.has_cancelled for one in claimed)
    end: State[object] = Cancelled(message=_PURGED)
    end.state_details.transition_id = _END
    # Of all of them: where an answer was lost, and asked for again, nothing was claimed any more.
    ended = await set_states(client, run_ids, [_CLAIMED, "AwaitingConcurrencySlot"], end)
    return purged + sum(one.status is SetStateStatus.ACCEPT for one in ended)


async def _deployment_filter(
    client: PrefectClient, deployment: str | None
) -> DeploymentFilter | None:
    if deployment is None:
        return None
    found = await find_deployment(client, deployment)
    return DeploymentFilter(id=DeploymentFilterId(any_=[found.id]))
