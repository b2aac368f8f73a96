"""How a work pool is: its workers, what runs and waits in it, and what should be done."""

from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType, WorkerStatus
from prefect.client.schemas.sorting import FlowRunSort
from pydantic import BaseModel

_LATE = "Late"
_FAILURES = [StateType.FAILED, StateType.CRASHED]
_LATELY = timedelta(hours=24)
_OLD = 600.0  # seconds that a run may be late before a person should know


class Problem(BaseModel):
    """Something that a person should see to, and the command that mends it."""

    what: str
    remedy: str


class PoolHealth(BaseModel):
    """One work pool.

    Attributes:
        slots: runs at once, at most; None is no bound.
        workers: that are online.
        late: runs whose time has passed; the oldest has waited `oldest_late` seconds.
        failed: runs that failed or crashed in the last 24 hours.
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
    )


def _of(*types: StateType) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))))
