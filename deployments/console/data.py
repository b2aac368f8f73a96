"""What `adspark top` shows, read all at once, and the rows of its tables."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from rich.text import Text

from adspark.db.engine import Database
from adspark.errors import DatabaseUnavailableError
from adspark.settings import get_settings
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.watches.searches_left import SearchesLeft
from deployments.operations.health import find_pool_problems
from deployments.operations.leftover_processes import find_outliving
from deployments.operations.monitoring import Snapshot, read_snapshot
from deployments.operations.runs.failures import FailureGroup, group_failures
from deployments.queue_classes import POOL_NAMES
from deployments.terminal.tables import age, late_runs
from orchestration.runs.flow_runs import (
    ACTIVE,
    FAILED,
    WEEK,
    filter_pools,
    filter_runs,
    read_failed_runs,
    read_flow_names,
)
from orchestration.server.pool_health import Problem
from orchestration.server.pool_snapshot import SOON, count_workers
from orchestration.server.rate_health import find_rate_problems, read_limits

SHOWN = 100
"""Runs in the table: the latest, and those whose time is near."""

FILTERS: dict[str, tuple[StateType, ...]] = {
    "all": (),
    "running": ACTIVE,
    "waiting": (StateType.SCHEDULED, StateType.PAUSED),
    "failed": FAILED,
    "ended": (StateType.COMPLETED, StateType.CANCELLED),
}
"""States that the table of runs can be narrowed to."""

_STYLES = {
    StateType.COMPLETED: "green",
    StateType.FAILED: "bold red",
    StateType.CRASHED: "bold red",
    StateType.RUNNING: "cyan",
    StateType.CANCELLED: "dim",
}
Row = tuple[Text, ...]


@dataclass(frozen=True)
class View:
    """Everything at one moment; `flows` are names by id. Without a database its figures lack."""

    snapshot: Snapshot
    problems: list[Problem]
    runs: list[FlowRun]
    flows: dict[UUID, str]
    failures: list[FailureGroup]
    database_answers: bool = True
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class SlowView:
    """What changes slowly: online workers by pool, and processes that have outlived their runs."""

    workers: dict[str, int]
    problems: list[Problem]


async def read_view(
    client: PrefectClient,
    database: Database,
    searches: SearchesLeft,
    *,
    pool: str | None,
    narrowed: str,
    flows: dict[UUID, str],
) -> View:
    """Read it, in seven requests where all is well.

    Args:
        database: AdSpark's; what it has is left out where it does not answer.
        searches: asks what the account has left, now and then.
        pool: whose runs; None is all.
        narrowed: one of `FILTERS`.
        flows: known names; those that are missing are read.
    """
    failed = await read_failed_runs(client, pools=POOL_NAMES, hours=WEEK)
    wanted = filter_runs(types=FILTERS[narrowed] or None, expected_before=datetime.now(UTC) + SOON)
    (snapshot, answers), limits, runs = await asyncio.gather(
        _read_snapshot(client, database, searches, failed),
        read_limits(client),
        client.read_flow_runs(
            flow_run_filter=wanted,
            work_pool_filter=filter_pools([pool] if pool else POOL_NAMES),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=SHOWN,
        ),
    )
    unknown = {run.flow_id for run in (*runs, *failed)} - flows.keys()
    flows = flows | await read_flow_names(client, unknown)
    problems = await find_pool_problems(client, snapshot.pools, failed)
    problems += find_rate_problems(limits)
    return View(snapshot, problems, runs, flows, group_failures(failed, flows), answers)


async def read_slow_view(client: PrefectClient) -> SlowView:
    """Read it, in a request a pool and one for runs whose processes are here."""
    workers, problems = await asyncio.gather(
        count_workers(client, POOL_NAMES), find_outliving(client, get_settings().tidy_up_time)
    )
    return SlowView(workers, problems)


async def _read_snapshot(
    client: PrefectClient, database: Database, searches: SearchesLeft, failed: list[FlowRun]
) -> tuple[Snapshot, bool]:
    """The snapshot, and whether the database answered."""
    try:
        return await read_snapshot(client, database, searches=searches, failures=failed), True
    except DatabaseUnavailableError:
        return await read_snapshot(client, None, failures=failed), False


POOL_COLUMNS = ("pool", "workers", "active", "scheduled", "late", "done/min", "failed/h")
RUN_COLUMNS = ("state", "flow", "name", "pool", "begun", "for", "message")
FAILURE_COLUMNS = ("key", "flow", "kind", "runs", "last", "cause")


def pool_rows(view: View, workers: Mapping[str, int]) -> dict[str, Row]:
    """A row a pool, under its name."""
    rows: dict[str, Row] = {}
    for one in view.snapshot.pools:
        online = workers.get(one.name)
        rows[one.name] = (
            Text(one.name, "bold"),
            Text("…" if online is None else str(online), "bold red" if online == 0 else ""),
            Text.assemble(
                (one.slots_in_use, "cyan" if one.active else ""),
                (" paused" if one.is_paused else "", "bold yellow"),
            ),
            Text(str(one.scheduled)),
            Text(late_runs(one.late, one.oldest_late), "yellow" if one.late else ""),
            Text(f"{one.done_a_minute:.1f}"),
            Text(str(one.failed_last_hour), "red" if one.failed_last_hour else ""),
        )
    return rows


def run_rows(view: View, wanted: str) -> dict[str, Row]:
    """A row a run, under its id; with `wanted` only those in which these words are."""
    rows: dict[str, Row] = {}
    for run in view.runs:
        state = run.state
        begun = run.start_time or run.expected_start_time
        row: Row = (
            Text(run.state_name or "", _STYLES.get(run.state_type or StateType.PENDING, "yellow")),
            Text(view.flows.get(run.flow_id, "")),
            Text(plain(run.name)),
            Text(run.work_pool_name or ""),
            Text(f"{begun:%H:%M:%S}" if begun else ""),
            Text(f"{run.total_run_time.total_seconds():.0f} s" if run.start_time else ""),
            Text(plain(state.message or "") if state else ""),
        )
        if wanted.lower() in " ".join(cell.plain for cell in row).lower():
            rows[str(run.id)] = row
    return rows


def failure_rows(view: View) -> dict[str, Row]:
    """A row a group of failures, under its key."""
    return {
        one.key: (
            Text(one.key, "bold"),
            Text(one.flow),
            Text(one.kind, "red"),
            Text(str(len(one.runs))),
            Text(age(one.last) or ""),
            Text(plain(one.cause)),
        )
        for one in view.failures
    }


def headline(view: View, slow: SlowView) -> Text:
    """The limits, the searches that are left, and what a person should see to."""
    figures = [
        f"{one.name} {'?' if one.used is None else one.used}"
        f"/{'∞' if one.a_minute is None else one.a_minute} a minute"
        for one in view.snapshot.rates
    ]
    if view.snapshot.searches_left is not None:
        figures.append(f"{counted(view.snapshot.searches_left, 'search')} left")
    text = Text(f"{view.at:%H:%M:%S} UTC · " + " · ".join(figures), "dim")
    for problem in (*view.problems, *slow.problems):
        text.append(f"\n! {problem.what}: {problem.remedy}", "bold red")
    return text
