"""What is wrong with a work pool, and the commands that mend it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun

from adspark.text.counts import counted
from adspark.text.sentences import without_full_stop
from orchestration.runs.flow_runs import read_begun, read_flow_names
from orchestration.runs.requeue import is_given_up
from orchestration.server.pool_snapshot import FailedStarts, PoolSnapshot

_LATELY = timedelta(hours=24)
_REQUESTED_LATELY = timedelta(hours=1)  # older ones a person has seen to since
_LONGEST_CAUSE = 200  # characters
_UNCLAIMED = 60.0  # seconds; between two runs of a busy pool there is a moment without any
_OLD = 600.0  # seconds that a run may be late before a person should know


@dataclass(frozen=True)
class Problem:
    """Something that a person should see to, and the command that mends it."""

    what: str
    remedy: str


def find_problems(pool: PoolSnapshot) -> list[Problem]:
    """What a person should see to, the most important first."""
    found = []
    if pool.is_paused:
        found.append(Problem(f"pool {pool.name} is paused", f"adspark resume {pool.name}"))
    elif pool.slots == 0:
        what = f"pool {pool.name} has 0 slots: none of its runs begins"
        found.append(Problem(what, f"adspark scale {pool.name} N"))
    elif not pool.is_ready:
        remedy = (
            f"adspark worker {pool.name}; in the local stack: adspark down; adspark up; in "
            f"containers: docker-compose up -d worker-{pool.name}"
        )
        found.append(Problem(f"pool {pool.name} has no worker", remedy))
    elif (pool.found_late or 0.0) > _UNCLAIMED and not pool.running and not pool.pending:
        what = f"pool {pool.name} has {counted(pool.late, 'late run')}, and its worker takes none"
        found.append(Problem(what, f"look into {name_worker_log(pool.name)}"))
    elif pool.oldest_late is not None and (pool.found_late or 0.0) > _OLD:
        late, minutes = counted(pool.late, "late run"), pool.oldest_late / 60
        what = f"pool {pool.name} has {late}, the oldest for {minutes:.0f} min"
        found.append(Problem(what, f"adspark scale {pool.name} N; adspark purge {pool.name}"))
    for one in pool.failed_starts:
        newest = "; the newest" if one.causes_differ else ""
        what = f"{counted(one.runs, 'run')} of {one.flow} could not begin{newest}"
        found.append(Problem(f"{what}: {without_full_stop(one.cause)}", "adspark failures"))
    return found


def name_worker_log(pool: str) -> str:
    """Where the worker of a pool writes: in the local stack, one process is that of all pools."""
    return (
        "the log of its worker (adspark up: ADSPARK_HOME/logs/workers.log; adspark up --sandbox: "
        f"ADSPARK_HOME/sandbox/logs/workers.log; in containers: docker-compose logs worker-{pool})"
    )


async def add_failed_starts(
    client: PrefectClient, pools: list[PoolSnapshot], failures: list[FlowRun]
) -> None:
    """Set `failed_starts` of the pools: a request for each flow that may not be able to begin.

    Args:
        pools: are changed.
        failures: of these pools, newest first.
    """
    now = datetime.now(UTC)
    by_deployment: dict[UUID, list[FlowRun]] = {}
    for run in failures:
        if run.deployment_id and _could_not_begin(run, now):
            by_deployment.setdefault(run.deployment_id, []).append(run)
    lasting = [
        failed
        for deployment_id, failed in by_deployment.items()
        if _repeats(failed) and not await _has_begun_since(client, deployment_id, failed[0])
    ]
    names = await read_flow_names(client, [failed[0].flow_id for failed in lasting])
    by_name = {pool.name: pool for pool in pools}
    for newest, *more in lasting:
        if pool := by_name.get(newest.work_pool_name or ""):
            cause = _cause_of(newest)
            pool.failed_starts.append(
                FailedStarts(
                    flow=names.get(newest.flow_id, ""),
                    runs=1 + len(more),
                    cause=cause,
                    causes_differ=any(_cause_of(one) != cause for one in more),
                )
            )


def _cause_of(run: FlowRun) -> str:
    message = (run.state and run.state.message) or "no reason is known"
    return " ".join(message.split())[:_LONGEST_CAUSE]


def _could_not_begin(run: FlowRun, now: datetime) -> bool:
    """Whether it never was Running, or died at each of its starts."""
    gave_up = is_given_up(run.state)
    since = now - (_LATELY if gave_up or run.auto_scheduled else _REQUESTED_LATELY)
    return (gave_up or run.run_count == 0) and run.end_time is not None and run.end_time > since


def _repeats(failed: list[FlowRun]) -> bool:
    """Whether it goes on by itself, or was requested in vain again."""
    return len(failed) > 1 or failed[0].auto_scheduled or is_given_up(failed[0].state)


async def _has_begun_since(client: PrefectClient, deployment_id: UUID, last: FlowRun) -> bool:
    if last.end_time is None:
        return False
    async for _ in read_begun(client, deployment_id, after=last.end_time):
        return True
    return False
