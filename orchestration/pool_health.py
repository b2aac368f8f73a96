"""How a work pool is: its workers, what runs and waits in it, and what should be done."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType, WorkerStatus
from prefect.client.schemas.sorting import FlowRunSort
from pydantic import BaseModel

from orchestration.requeue import is_given_up

_LATE = "Late"
_FAILURES = [StateType.FAILED, StateType.CRASHED]
_LATELY = timedelta(hours=24)
_ASKED_LATELY = timedelta(hours=1)  # what a person asked for in vain, and has seen to since
_MOST = 200  # failures that are looked at
_LONGEST_CAUSE = 200  # characters
_OLD = 600.0  # seconds that a run may be late before a person should know


class Problem(BaseModel):
    """Something that a person should see to, and the command that mends it."""

    what: str
    remedy: str


class FailedStarts(BaseModel):
    """Runs of a flow that ended before they had begun, and none of which has begun since.

    Attributes:
        cause: of the newest one, in one line.
    """

    flow: str
    runs: int
    cause: str


class PoolHealth(BaseModel):
    """One work pool.

    Attributes:
        slots: runs at once, at most; None is no bound.
        workers: that are online.
        late: runs whose time has passed; the oldest has waited `oldest_late` seconds.
        failed: runs that failed or crashed in the last 24 hours.
        failed_starts: those of them that repeat because the flow cannot begin.
    """

    name: str
    is_paused: bool
    slots: int | None
    workers: int
    running: int
    pending: int
    scheduled: int
    late: int
    oldest_late: float | None
    failed: int
    failed_starts: list[FailedStarts] = []


def problems_of(pool: PoolHealth) -> list[Problem]:
    """What a person should see to."""
    found = []
    if pool.is_paused:
        remedy = f"adspark resume {pool.name}"
        found.append(Problem(what=f"pool {pool.name} is paused", remedy=remedy))
    elif not pool.workers:
        remedy = (
            f"adspark worker {pool.name}; in the local stack: adspark down; adspark up; in "
            f"containers: docker-compose up -d worker-{pool.name}"
        )
        found.append(Problem(what=f"pool {pool.name} has no worker", remedy=remedy))
    elif pool.late and not pool.running and not pool.pending:
        what = f"pool {pool.name} has {pool.late} late runs, and its worker takes none"
        remedy = (
            f"look into the log of its worker (ADSPARK_HOME/logs/worker-{pool.name}.log; in "
            f"containers: docker-compose logs worker-{pool.name})"
        )
        found.append(Problem(what=what, remedy=remedy))
    elif pool.oldest_late is not None and pool.oldest_late > _OLD:
        minutes = pool.oldest_late / 60
        what = f"pool {pool.name} has {pool.late} late runs, the oldest for {minutes:.0f} min"
        remedy = f"adspark scale {pool.name} N; adspark purge {pool.name}"
        found.append(Problem(what=what, remedy=remedy))
    for one in pool.failed_starts:
        runs = "a run" if one.runs == 1 else f"{one.runs} runs"
        what = f"{runs} of {one.flow} could not begin: {one.cause.rstrip('.')}"
        found.append(Problem(what=what, remedy="adspark failures"))
    return found


async def read_pool(client: PrefectClient, name: str) -> PoolHealth:
    """Look at a pool.

    Raises:
        ObjectNotFound: there is none of this name.
    """
    pool = await client.read_work_pool(name)
    workers = await client.read_workers_for_work_pool(name)
    which = WorkPoolFilter(name=WorkPoolFilterName(any_=[name]))

    async def count(wanted: FlowRunFilter) -> int:
        return await client.count_flow_runs(flow_run_filter=wanted, work_pool_filter=which)

    late = FlowRunFilter(state=FlowRunFilterState(name=FlowRunFilterStateName(any_=[_LATE])))
    oldest = await client.read_flow_runs(
        flow_run_filter=late,
        work_pool_filter=which,
        sort=FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC,
        limit=1,
    )
    waiting = oldest[0].next_scheduled_start_time if oldest else None
    ended = FlowRunFilterEndTime(after_=datetime.now(UTC) - _LATELY)
    return PoolHealth(
        name=name,
        is_paused=bool(pool.is_paused),
        slots=pool.concurrency_limit,
        workers=sum(worker.status == WorkerStatus.ONLINE for worker in workers),
        running=await count(_of(StateType.RUNNING)),
        pending=await count(_of(StateType.PENDING)),
        scheduled=await count(_of(StateType.SCHEDULED)),
        late=await count(late),
        oldest_late=(datetime.now(UTC) - waiting).total_seconds() if waiting else None,
        failed=await count(_of(*_FAILURES).model_copy(update={"end_time": ended})),
        failed_starts=await _read_failed_starts(client, which),
    )


async def _read_failed_starts(client: PrefectClient, which: WorkPoolFilter) -> list[FailedStarts]:
    now = datetime.now(UTC)
    wanted = _of(*_FAILURES)
    wanted.end_time = FlowRunFilterEndTime(after_=now - _LATELY)
    runs = await client.read_flow_runs(
        flow_run_filter=wanted,
        work_pool_filter=which,
        sort=FlowRunSort.END_TIME_DESC,
        limit=_MOST,
    )
    by_deployment: dict[UUID, list[FlowRun]] = {}
    for run in runs:
        if run.deployment_id and _could_not_begin(run, now):
            by_deployment.setdefault(run.deployment_id, []).append(run)
    return [
        await _tell(client, failed)
        for deployment_id, failed in by_deployment.items()
        if _repeats(failed) and not await _has_begun_since(client, deployment_id, failed[0])
    ]


def _could_not_begin(run: FlowRun, now: datetime) -> bool:
    """Whether it never was Running, or died at each of its starts."""
    if is_given_up(run.state):
        return True
    since = now - (_LATELY if run.auto_scheduled else _ASKED_LATELY)
    return run.run_count == 0 and run.end_time is not None and run.end_time > since


def _repeats(failed: list[FlowRun]) -> bool:
    """Whether it goes on by itself, or was asked for in vain again."""
    return len(failed) > 1 or failed[0].auto_scheduled or is_given_up(failed[0].state)


async def _has_begun_since(client: PrefectClient, deployment_id: UUID, last: FlowRun) -> bool:
    # The start of what never began is its end.
    after = last.end_time and last.end_time + timedelta(milliseconds=1)
    begun = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
        start_time=FlowRunFilterStartTime(after_=after),
    )
    return await client.count_flow_runs(flow_run_filter=begun) > 0


async def _tell(client: PrefectClient, failed: list[FlowRun]) -> FailedStarts:
    flow = await client.read_flow(failed[0].flow_id)
    message = (failed[0].state and failed[0].state.message) or "no reason is known"
    return FailedStarts(
        flow=flow.name, runs=len(failed), cause=" ".join(message.split())[:_LONGEST_CAUSE]
    )


def _of(*types: StateType) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))))
