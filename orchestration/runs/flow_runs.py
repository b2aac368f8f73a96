"""Flow runs as Prefect's server has them: filters, pages, counts by pool and state."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.orchestration.routes import ServerRoutes
from prefect.client.schemas.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.runtime import flow_run
from pydantic import BaseModel

PAGE = 200
"""Runs that the server returns at most in one response."""
ACTIVE = (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)
"""Types of states in which a run takes a slot."""
FAILED = (StateType.FAILED, StateType.CRASHED)
WEEK = 24 * 7.0
"""Hours that failures are looked for, by default, and so can be retried."""
LATE = "Late"
"""The name that the server gives the state of a scheduled run some seconds after its time."""
QUEUED = ("Scheduled", LATE, "AwaitingConcurrencySlot", "AwaitingRetry")
"""Names of the states of runs that workers take once they are due."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_TOMORROW = timedelta(days=1)  # no counted run is expected to start later


State = tuple[StateType | None, str | None]
"""Type and name of a state, by which runs are counted."""


class RunCounts(NamedTuple):
    """Runs by pool and state, and those of them that were read."""

    by_pool: dict[str, Counter[State]]
    runs: list[FlowRun]


class _Page(BaseModel):  # `count` is of all that match
    results: list[FlowRun]
    count: int


def own_run_id() -> UUID | None:
    """The id of the run that this code is a part of; None in a plain call."""
    return UUID(flow_run.id) if flow_run.id else None


def filter_runs(
    *,
    ids: Collection[UUID] | None = None,
    types: Collection[StateType] | None = None,
    states: Collection[str] | None = None,
    names: Collection[str] | None = None,
    deployments: Collection[UUID] | None = None,
    keys: Collection[str] | None = None,
    expected_before: datetime | None = None,
    due_before: datetime | None = None,
    due_after: datetime | None = None,
    started_after: datetime | None = None,
    ended_after: datetime | None = None,
    any_of: bool = False,
) -> FlowRunFilter:
    """A filter of flow runs; what is None does not matter.

    Args:
        ids: the runs' ids.
        types: of their states.
        states: names of their states.
        names: the runs' names.
        deployments: ids.
        keys: idempotency keys.
        expected_before: the time at which they should start, whatever became of them.
        due_before: the time of the scheduled start of those that have not started.
        due_after: the same.
        started_after: the first start; of a run that ended before it began, its end
            (`read_begun` leaves those out).
        ended_after: the end.
        any_of: whether one of the conditions is enough.
    """
    state = due = None
    if due_before or due_after:
        due = {"before_": due_before, "after_": due_after}
    if types is not None or states is not None:
        state = {"type": _any_of(types), "name": _any_of(states)}
    conditions = {
        "operator": "or_" if any_of else "and_",
        "id": _any_of(ids),
        "state": state,
        "name": _any_of(names),
        "deployment_id": _any_of(deployments),
        "idempotency_key": _any_of(keys),
        "expected_start_time": expected_before and {"before_": expected_before},
        "next_scheduled_start_time": due,
        "start_time": started_after and {"after_": started_after},
        "end_time": ended_after and {"after_": ended_after},
    }
    return FlowRunFilter.model_validate(conditions)


def filter_pools(pools: Iterable[str]) -> WorkPoolFilter:
    """A filter of the work pools with these names."""
    return WorkPoolFilter(name=WorkPoolFilterName(any_=list(pools)))


async def read_runs(
    client: PrefectClient,
    wanted: FlowRunFilter,
    *,
    pools: Iterable[str] | None = None,
    flows: FlowFilter | None = None,
    deployments: DeploymentFilter | None = None,
    sort: FlowRunSort = FlowRunSort.ID_DESC,
) -> list[FlowRun]:
    """All matching runs, page by page; each once, though runs come and go between two pages.

    Args:
        wanted: which runs.
        pools: only of these; None is any, and none.
        flows: only of these.
        deployments: only of these.
        sort: their order.
    """
    found: dict[UUID, FlowRun] = {}
    async for page in read_pages(
        client, wanted, pools=pools, flows=flows, deployments=deployments, sort=sort
    ):
        found |= {run.id: run for run in page}
    return list(found.values())


async def read_pages(
    client: PrefectClient,
    wanted: FlowRunFilter,
    *,
    pools: Iterable[str] | None = None,
    flows: FlowFilter | None = None,
    deployments: DeploymentFilter | None = None,
    sort: FlowRunSort = FlowRunSort.ID_DESC,
    offset: int = 0,
) -> AsyncIterator[list[FlowRun]]:
    """All matching runs, one page at a time; a run comes twice where others came between two pages.

    Args:
        wanted: which runs.
        pools: only of these; None is any, and none.
        flows: only of these.
        deployments: only of these.
        sort: their order.
        offset: how many of them to pass over.
    """
    pool_filter = None if pools is None else filter_pools(pools)
    while True:
        page = await client.read_flow_runs(
            flow_filter=flows,
            flow_run_filter=wanted,
            work_pool_filter=pool_filter,
            deployment_filter=deployments,
            sort=sort,
            limit=PAGE,
            offset=offset,
        )
        yield page
        offset += len(page)
        if len(page) < PAGE:
            return


async def read_begun(
    client: PrefectClient, deployment_id: UUID, *, after: datetime
) -> AsyncIterator[FlowRun]:
    """The runs of a deployment that began after a time, and were carried out: the server gives one
    that ended before it began its end as its start.

    Args:
        deployment_id: of which deployment.
        after: when they began.
    """
    wanted = filter_runs(deployments=[deployment_id], started_after=after)
    async for page in read_pages(client, wanted):
        for run in page:
            if run.run_count:
                yield run


async def read_failed_runs(
    client: PrefectClient,
    *,
    pools: Iterable[str],
    hours: float = 24.0,
    flows: FlowFilter | None = None,
) -> list[FlowRun]:
    """The runs of these pools that failed or crashed in the last hours, newest first.

    Args:
        pools: their names.
        hours: how far back.
        flows: only runs of these.
    """
    wanted = filter_runs(types=FAILED, ended_after=datetime.now(UTC) - timedelta(hours=hours))
    sort = FlowRunSort.END_TIME_DESC
    return await read_runs(client, wanted, pools=pools, flows=flows, sort=sort)


async def read_runs_by_id(client: PrefectClient, ids: Sequence[UUID]) -> list[FlowRun]:
    """Those of these runs that the server knows, in any order."""
    return [
        run
        for start in range(0, len(ids), PAGE)
        for run in await client.read_flow_runs(
            flow_run_filter=filter_runs(ids=ids[start : start + PAGE]), limit=PAGE
        )
    ]


async def count_runs(client: PrefectClient, wanted: FlowRunFilter, pool: str | None = None) -> int:
    """How many runs match, of one pool or of all.

    Args:
        wanted: which runs.
        pool: name of a work pool; None: all.
    """
    pools = None if pool is None else filter_pools([pool])
    return await client.count_flow_runs(flow_run_filter=wanted, work_pool_filter=pools)


async def count_by_pool(
    client: PrefectClient, wanted: FlowRunFilter, pools: Iterable[str], sort: FlowRunSort
) -> RunCounts:
    """Count runs by pool and state, however many there are.

    It takes one request, and two more for each pool because of which there are more than a page:
    there the server counts.

    Args:
        wanted: which runs.
        pools: of these.
        sort: which of them are on the first page.
    """
    left = list(pools)
    counts = RunCounts({pool: Counter() for pool in left}, [])
    while left:
        options = {"sort": sort.value, "limit": PAGE}
        read = await _post(client, "/flow_runs/paginate", wanted, left, options)
        page = _Page.model_validate(read)
        counts.runs.extend(page.results)
        by_pool = Counter(run.work_pool_name or "" for run in page.results)
        if page.count <= len(page.results):
            for run in page.results:
                counts.by_pool[run.work_pool_name or ""][run.state_type, run.state_name] += 1
            break
        ((busiest, _),) = by_pool.most_common(1)
        counts.by_pool[busiest] = await _count_states(client, wanted, busiest)
        left.remove(busiest)
    return counts


async def read_flow_names(client: PrefectClient, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of flows, by their ids."""
    wanted = list(dict.fromkeys(ids))
    names: dict[UUID, str] = {}
    for start in range(0, len(wanted), PAGE):
        page = FlowFilter(id=FlowFilterId(any_=wanted[start : start + PAGE]))
        names |= {one.id: one.name for one in await client.read_flows(flow_filter=page, limit=PAGE)}
    return names


async def _count_states(client: PrefectClient, wanted: FlowRunFilter, pool: str) -> Counter[State]:
    """How many of a pool's matching runs are in each state, as the server counts them."""
    end = datetime.now(UTC) + _TOMORROW
    body = {
        "history_start": _EPOCH.isoformat(),
        "history_end": end.isoformat(),
        "history_interval_seconds": (end - _EPOCH).total_seconds(),
    }
    (history,) = await _post(client, "/flow_runs/history", wanted, [pool], body)
    return Counter(
        {
            (StateType(one["state_type"]), one["state_name"]): one["count_runs"]
            for one in history["states"]
        }
    )


async def _post(
    client: PrefectClient,
    path: ServerRoutes,
    wanted: FlowRunFilter,
    pools: Sequence[str],
    options: dict[str, object],
) -> Any:  # noqa: ANN401  (JSON)
    filters = {"flow_runs": wanted, "work_pools": filter_pools(pools)}
    body = options | {name: one.model_dump(mode="json") for name, one in filters.items()}
    return (await client.request("POST", path, json=body)).json()


def _any_of(values: Collection[object] | None) -> dict[str, object] | None:
    return None if values is None else {"any_": list(values)}
