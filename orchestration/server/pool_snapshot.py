"""Work pools at one moment: the one model of what they do, for commands, console and metrics.

It takes one request for all pools and one for their unfinished runs; one more for what has ended,
and one a pool for the number of its workers, where those are wanted.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import (
    FlowRun,
    StateType,
    WorkerStatus,
    WorkPool,
    WorkPoolStatus,
)
from prefect.client.schemas.sorting import FlowRunSort
from pydantic import BaseModel, Field, computed_field

from orchestration.runs.flow_runs import (
    ACTIVE,
    FAILED,
    LATE,
    RunCounts,
    count_by_pool,
    filter_pools,
    filter_runs,
)

SOON = timedelta(minutes=10)
"""How far ahead a planned run counts as scheduled."""

_DONE = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
_DAY = timedelta(hours=24)


class FailedStarts(BaseModel):
    """Runs of a flow that ended before they had begun, and none of which has begun since.

    Attributes:
        cause: of the newest one, in one line.
        causes_differ: whether others have another.
    """

    flow: str
    runs: int
    cause: str
    causes_differ: bool = False


class PoolSnapshot(BaseModel):
    """A work pool; a number that was not read is None.

    Attributes:
        is_ready: whether a worker is online; not known of a paused pool.
        slots: runs at once, at most; None is no bound.
        workers: that are online.
        scheduled: runs that are due within ten minutes, or wait for a slot; not the late ones.
        late: runs whose time has passed; the oldest has waited `oldest_late` seconds.
        found_late: seconds since the server found the first of them late. It finds none while it
            is down, so that after a pause this is how long workers could have taken it.
        done: runs that ended in the last 5 minutes, cancelled ones not counted.
        failed_last_hour: runs that failed or crashed; in 24 hours: `failed_last_day`.
        failed_starts: those of them that repeat because the flow cannot begin.
    """

    name: str
    is_paused: bool
    is_ready: bool
    slots: int | None
    workers: int | None = None
    running: int = 0
    pending: int = 0
    cancelling: int = 0
    scheduled: int = 0
    late: int = 0
    oldest_late: float | None = None
    found_late: float | None = Field(default=None, exclude=True)
    done: int | None = None
    failed_last_hour: int | None = None
    failed_last_day: int | None = None
    failed_starts: list[FailedStarts] = []

    @computed_field  # type: ignore[prop-decorator]
    @property
    def active(self) -> int:
        """Runs that take a slot."""
        return self.running + self.pending + self.cancelling

    @property
    def begins_nothing(self) -> bool:
        """Whether somebody has paused it, or left it no slot."""
        return self.is_paused or self.slots == 0

    @property
    def slots_in_use(self) -> str:
        """Active runs, and of how many at most."""
        return str(self.active) if self.slots is None else f"{self.active}/{self.slots}"

    @property
    def done_a_minute(self) -> float:
        """Runs that ended in a minute, over the last five."""
        return (self.done or 0) / (_DONE.total_seconds() / 60)


async def read_pools(
    client: PrefectClient,
    names: Sequence[str],
    *,
    failures: Iterable[FlowRun] | None = None,
    with_done: bool = False,
    with_workers: bool = False,
) -> list[PoolSnapshot]:
    """The pools with these names, in this order; one that does not exist is left out.

    Args:
        names: of the pools.
        failures: as `read_failed_runs` gives them; None does not count them.
        with_done: whether to count what has ended.
        with_workers: whether to count workers.
    """
    now = datetime.now(UTC)
    found, unfinished, done, workers = await asyncio.gather(
        client.read_work_pools(work_pool_filter=filter_pools(names)),
        count_by_pool(
            client,
            filter_runs(types=ACTIVE, due_before=now + SOON, any_of=True),
            names,
            FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC,
        ),
        _count_done(client, names if with_done else (), now),
        count_workers(client, names if with_workers else ()),
    )
    by_name = {pool.name: pool for pool in found}
    pools = [_count(by_name[name], unfinished, now) for name in names if name in by_name]
    for pool in pools:
        pool.done = done.get(pool.name)
        pool.workers = workers.get(pool.name)
        if pool.workers is not None:
            pool.is_ready = pool.workers > 0
        if failures is not None:
            ends = [one.end_time for one in failures if one.work_pool_name == pool.name]
            pool.failed_last_hour = sum(end is not None and end > now - _HOUR for end in ends)
            pool.failed_last_day = sum(end is not None and end > now - _DAY for end in ends)
    return pools


async def count_workers(client: PrefectClient, pools: Sequence[str]) -> dict[str, int]:
    """How many workers of each pool are online, in one request a pool; 0 where it is missing."""
    counts = await asyncio.gather(*(_count_workers(client, pool) for pool in pools))
    return dict(zip(pools, counts, strict=True))


async def _count_workers(client: PrefectClient, pool: str) -> int:
    try:
        workers = await client.read_workers_for_work_pool(pool)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        return 0
    return sum(worker.status == WorkerStatus.ONLINE for worker in workers)


def _count(pool: WorkPool, unfinished: RunCounts, now: datetime) -> PoolSnapshot:
    """What the pool does, as far as unfinished runs show it."""
    counts: Counter[str | None] = Counter()
    for (kind, name), number in unfinished.by_pool[pool.name].items():
        counts[LATE if name == LATE else kind] += number
    late = [
        run for run in unfinished.runs if run.state_name == LATE and run.work_pool_name == pool.name
    ]
    return PoolSnapshot(
        name=pool.name,
        is_paused=bool(pool.is_paused),
        is_ready=pool.status is WorkPoolStatus.READY,
        slots=pool.concurrency_limit,
        late=counts[LATE],
        scheduled=counts[StateType.SCHEDULED],
        running=counts[StateType.RUNNING],
        pending=counts[StateType.PENDING],
        cancelling=counts[StateType.CANCELLING],
        oldest_late=_longest(now, [run.next_scheduled_start_time for run in late]),
        found_late=_longest(now, [run.state.timestamp for run in late if run.state]),
    )


def _longest(now: datetime, since: Iterable[datetime | None]) -> float | None:
    """Seconds since the first of these; None where there is none."""
    first = min(filter(None, since), default=None)
    return (now - first).total_seconds() if first else None


async def _count_done(client: PrefectClient, names: Sequence[str], now: datetime) -> dict[str, int]:
    wanted = filter_runs(types=(StateType.COMPLETED, *FAILED), ended_after=now - _DONE)
    counts = await count_by_pool(client, wanted, names, FlowRunSort.END_TIME_DESC)
    return {pool: states.total() for pool, states in counts.by_pool.items()}
