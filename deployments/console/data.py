"""What `adspark top` shows, read all at once, and the rows of its tables."""

from dataclasses import dataclass
from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterExpectedStartTime
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from rich.text import Text

from adspark.db.engine import Database
from adspark.errors import DatabaseUnavailableError
from adspark.text.terminal import plain
from deployments.operations.failures import FailureGroup, read_failures
from deployments.operations.health import Health, read_health
from deployments.operations.monitoring import SOON, Snapshot, read_snapshot
from deployments.operations.searches_left import SearchesLeft
from deployments.provisioning.flow_runs import in_state, of_pools, read_flow_names
from deployments.terminal.output import age

SHOWN = 100
"""Runs in the table: the latest, and those whose time is near."""

FILTERS: dict[str, tuple[StateType, ...]] = {
    "all": (),
    "running": (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING),
    "waiting": (StateType.SCHEDULED, StateType.PAUSED),
    "failed": (StateType.FAILED, StateType.CRASHED),
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
    """Everything at one moment; `flows` are names by id."""

    health: Health
    snapshot: Snapshot
    runs: list[FlowRun]
    flows: dict[object, str]
    failures: list[FailureGroup]


async def read_view(
    client: PrefectClient,
    database: Database,
    searches: SearchesLeft,
    *,
    pool: str | None,
    narrowed: str,
) -> View:
    """Read it.

    Args:
        pool: whose runs; None is all.
        narrowed: one of `FILTERS`.
    """
    try:
        snapshot = await read_snapshot(client, database, searches=searches)
    except DatabaseUnavailableError:
        snapshot = await read_snapshot(client, None)
    types = FILTERS[narrowed]
    wanted = in_state(*types) if types else FlowRunFilter()
    wanted.expected_start_time = FlowRunFilterExpectedStartTime(before_=datetime.now(UTC) + SOON)
    runs = await client.read_flow_runs(
        flow_run_filter=wanted,
        work_pool_filter=of_pools([pool] if pool else []),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=SHOWN,
    )
    return View(
        health=await read_health(client),
        snapshot=snapshot,
        runs=runs,
        flows=await read_flow_names(client, runs),
        failures=await read_failures(client),
    )


POOL_COLUMNS = ("pool", "workers", "active", "soon", "late", "done/min", "failed/h", "")
RUN_COLUMNS = ("state", "flow", "name", "pool", "begun", "for", "message")
FAILURE_COLUMNS = ("key", "flow", "kind", "runs", "last", "cause")


def pool_rows(view: View) -> dict[str, Row]:
    """A row a pool, under its name."""
    workers = {one.name: one.workers for one in view.health.pools}
    rows: dict[str, Row] = {}
    for one in view.snapshot.pools:
        slots = "" if one.slots is None else f"/{one.slots}"
        oldest = "" if one.oldest_late is None else f" ({one.oldest_late:.0f} s)"
        online = workers.get(one.name, 0)
        rows[one.name] = (
            Text(one.name, "bold"),
            Text(str(online), "" if online else "bold red"),
            Text(f"{one.active}{slots}", "cyan" if one.active else ""),
            Text(str(one.scheduled)),
            Text(f"{one.late}{oldest}", "yellow" if one.late else ""),
            Text(f"{one.a_minute:.1f}"),
            Text(str(one.failed), "red" if one.failed else ""),
            Text("paused" if one.is_paused else "", "bold yellow"),
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


def headline(view: View) -> Text:
    """The limits, the searches that are left, and what a person should see to."""
    told = [
        f"{one.name} {one.used}/{'∞' if one.a_minute is None else one.a_minute} a minute"
        for one in view.snapshot.rates
    ]
    if view.snapshot.searches_left is not None:
        told.append(f"{view.snapshot.searches_left} searches left")
    text = Text(f"{datetime.now(UTC):%H:%M:%S} UTC · " + " · ".join(told), "dim")
    for problem in view.health.problems:
        text.append(f"\n! {problem.what}: {problem.remedy}", "bold red")
    return text
