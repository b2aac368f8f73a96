"""What goes on now, in as few questions as possible: pools, rates, and the searches left.

A snapshot takes seven requests of Prefect's server, at the same time; more only where 200 runs or
more are alike, for then they are counted pool by pool.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.client.schemas.objects import StateType, WorkPool
from prefect.client.schemas.sorting import FlowRunSort
from pydantic import BaseModel

from adspark.db.engine import Database
from adspark.db.rate_limits import GENERATIONS, SEARCHES, count_uses
from deployments.operations.health import read_rate
from deployments.operations.searches_left import SearchesLeft
from deployments.provisioning.flow_runs import PAGE, in_state, of_pools
from deployments.queue_classes import QUEUE_CLASSES

SOON = timedelta(minutes=10)
"""How far ahead a planned run counts as scheduled."""
DONE = timedelta(minutes=5)
"""How far back ended runs are counted."""
FAILED = timedelta(hours=1)
"""How far back failures are counted."""

_UNDER_WAY = (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)
_FAILURES = (StateType.FAILED, StateType.CRASHED)
_LATE = "Late"


class PoolActivity(BaseModel):
    """A pool at work.

    Attributes:
        active: runs that take a slot; of `slots`, None is no bound.
        scheduled: runs whose time is near, or which wait for a slot; not the late ones.
        late: runs whose time has passed; the oldest has waited `oldest_late` seconds.
        done: runs that ended in the last 5 minutes, cancelled ones not counted.
        failed: runs that failed or crashed in the last hour.
    """

    name: str
    is_paused: bool
    slots: int | None
    active: int
    scheduled: int
    late: int
    oldest_late: float | None
    done: int
    failed: int

    @property
    def a_minute(self) -> float:
        """Runs that ended in a minute, of late."""
        return self.done / (DONE.total_seconds() / 60)


class RateUse(BaseModel):
    """A rate limit: used in the last minute, of so many; None is no limit."""

    name: str
    used: int
    a_minute: int | None


class Snapshot(BaseModel):
    """What goes on at one moment; `searches_left` is None where it is not known."""

    at: datetime
    pools: list[PoolActivity]
    rates: list[RateUse]
    searches_left: int | None = None
    searches_billed: int | None = None


class _Tally(NamedTuple):
    """Runs of each pool, and when the first of them was to begin."""

    number: Mapping[str, int]
    earliest: Mapping[str, datetime]


class _Tallies(NamedTuple):
    """All that is counted of the pools, in the words of `PoolActivity`."""

    active: _Tally
    scheduled: _Tally
    late: _Tally
    done: _Tally
    failed: _Tally


async def read_snapshot(
    client: PrefectClient, database: Database | None, *, searches: SearchesLeft | None = None
) -> Snapshot:
    """What goes on now.

    Args:
        database: None where it does not answer: what it would tell is left out.
        searches: asks for the searches that are left, at most once a minute; None leaves them out.

    Raises:
        DatabaseUnavailableError: Postgres does not answer.
    """
    now = datetime.now(UTC)
    tallies, pools, rates = await asyncio.gather(
        _read_tallies(client, now), client.read_work_pools(), _read_rates(client, database)
    )
    known = {pool.name: pool for pool in pools}
    ours = [known[one.name] for one in QUEUE_CLASSES if one.name in known]
    snapshot = Snapshot(at=now, pools=[_activity(pool, tallies, now) for pool in ours], rates=rates)
    if searches is not None and database is not None:
        snapshot.searches_billed, snapshot.searches_left = await searches.read(database)
    return snapshot


def _activity(pool: WorkPool, tallies: _Tallies, now: datetime) -> PoolActivity:
    name = pool.name
    earliest = tallies.late.earliest.get(name)
    return PoolActivity(
        name=name,
        is_paused=bool(pool.is_paused),
        slots=pool.concurrency_limit,
        active=tallies.active.number.get(name, 0),
        scheduled=tallies.scheduled.number.get(name, 0),
        late=tallies.late.number.get(name, 0),
        oldest_late=(now - earliest).total_seconds() if earliest else None,
        done=tallies.done.number.get(name, 0),
        failed=tallies.failed.number.get(name, 0),
    )


async def _read_tallies(client: PrefectClient, now: datetime) -> _Tallies:
    return _Tallies(
        *await asyncio.gather(
            _tally(client, in_state(*_UNDER_WAY)),
            _tally(client, _planned(now + SOON)),
            _tally(client, _late()),
            _tally(client, _ended(now - DONE, StateType.COMPLETED, *_FAILURES)),
            _tally(client, _ended(now - FAILED, *_FAILURES)),
        )
    )


def _planned(until: datetime) -> FlowRunFilter:
    """Runs that wait for a time until then, and are not late."""
    wanted = in_state(StateType.SCHEDULED)
    wanted.state = FlowRunFilterState(
        type=wanted.state and wanted.state.type, name=FlowRunFilterStateName(not_any_=[_LATE])
    )
    wanted.next_scheduled_start_time = FlowRunFilterNextScheduledStartTime(before_=until)
    return wanted


def _late() -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(name=FlowRunFilterStateName(any_=[_LATE])))


def _ended(after: datetime, *types: StateType) -> FlowRunFilter:
    wanted = in_state(*types)
    wanted.end_time = FlowRunFilterEndTime(after_=after)
    return wanted


async def _tally(client: PrefectClient, wanted: FlowRunFilter) -> _Tally:
    """Count runs by pool: one page tells it, unless there are more."""
    soonest = FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC
    page = await client.read_flow_runs(
        flow_run_filter=wanted, work_pool_filter=of_pools(), sort=soonest, limit=PAGE
    )
    earliest: dict[str, datetime] = {}
    for run in page:
        if run.next_scheduled_start_time is not None:
            earliest.setdefault(run.work_pool_name or "", run.next_scheduled_start_time)
    if len(page) < PAGE:
        return _Tally(Counter(run.work_pool_name or "" for run in page), earliest)
    return _Tally(
        {one.name: await _count(client, wanted, one.name) for one in QUEUE_CLASSES}, earliest
    )


async def _count(client: PrefectClient, wanted: FlowRunFilter, pool: str) -> int:
    return await client.count_flow_runs(flow_run_filter=wanted, work_pool_filter=of_pools([pool]))


async def _read_rates(client: PrefectClient, database: Database | None) -> list[RateUse]:
    if database is None:
        return []
    async with database.session() as session:
        used = await count_uses(session)
    limits = [await read_rate(client, name) for name in (SEARCHES, GENERATIONS)]
    return [
        RateUse(name=one.name, used=used.get(one.name, 0), a_minute=one.a_minute) for one in limits
    ]
