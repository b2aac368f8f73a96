"""How the system is: server, database, each pool's workers and runs, and what should be done.

Asked of Prefect's server and of the database only; nothing is started and nothing is paid.
"""

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
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel

from adspark.rates import GENERATIONS, SEARCHES
from deployments.queue_classes import QUEUE_CLASSES

_LATE = "Late"
_FAILURES = [StateType.FAILED, StateType.CRASHED]
_LATELY = timedelta(hours=24)


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


class RateHealth(BaseModel):
    """A rate limit over all workers; None a minute is none."""

    name: str
    a_minute: int | None


class Health(BaseModel):
    """All of it; well where there are no problems."""

    server: str
    version: str
    pools: list[PoolHealth]
    rates: list[RateHealth]
    problems: list[Problem]

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything."""
        return not self.problems


async def read_health(client: PrefectClient) -> Health:
    """Look at the server and all pools."""
    pools, problems = [], []
    for queue_class in QUEUE_CLASSES:
        try:
            pool = await _read_pool(client, queue_class.name)
        except ObjectNotFound:
            problems.append(
                Problem(
                    what=f"there is no work pool {queue_class.name}",
                    remedy="adspark down; adspark up",
                )
            )
            continue
        pools.append(pool)
        problems += _problems_of(pool)
    return Health(
        server=str(client.api_url),
        version=await client.api_version(),
        pools=pools,
        rates=[await read_rate(client, name) for name in (SEARCHES, GENERATIONS)],
        problems=problems,
    )


def _problems_of(pool: PoolHealth) -> list[Problem]:
    found = []
    if pool.is_paused:
        remedy = f"adspark resume {pool.name}"
        found.append(Problem(what=f"pool {pool.name} is paused", remedy=remedy))
    elif not pool.workers:
        remedy = f"adspark worker {pool.name}; in the local stack: adspark down; adspark up"
        found.append(Problem(what=f"pool {pool.name} has no worker", remedy=remedy))
    elif pool.late and not pool.running and not pool.pending:
        what = f"pool {pool.name} has {pool.late} late runs, and its worker takes none"
        remedy = f"look into the log of its worker (ADSPARK_HOME/logs/worker-{pool.name}.log)"
        found.append(Problem(what=what, remedy=remedy))
    return found


async def _read_pool(client: PrefectClient, name: str) -> PoolHealth:
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


async def read_rate(client: PrefectClient, name: str) -> RateHealth:
    """The number of a limit, as Prefect has it."""
    try:
        found = await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        return RateHealth(name=name, a_minute=None)
    return RateHealth(name=name, a_minute=found.limit if found.active else None)
