"""All about one run, as a person asks for it: what it did, what came of it, what to do next.

Nothing in it shows a secret: parameters, results and logs are masked.
"""

import json
import logging
import shlex
from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterTaskRunId
from prefect.client.schemas.objects import FlowRun, StateType, TaskRun
from prefect.client.schemas.sorting import LogSort, TaskRunSort
from pydantic import BaseModel, JsonValue

from adspark.text.redaction import redact_document, redact_foreign
from deployments.operations.runs.deployments import short_name
from deployments.operations.runs.failures import (
    RETRIED,
    command_with_others,
    has_wrong_parameters,
    unwrap,
)
from deployments.operations.runs.lookup import find_run, ui_url
from deployments.operations.worker_names import WORKER_LABEL
from orchestration.runs.flow_runs import PAGE, filter_runs
from orchestration.runs.optional import read_optional
from orchestration.runs.results import read_result, to_document

GENERATION = "generate-ad-variant"
"""The flow whose failed variants are retried by their number: a run of one is refused."""

_TRACEBACK = "Traceback (most recent call last)"
_UNDER_WAY = (StateType.PENDING, StateType.RUNNING, StateType.SCHEDULED, StateType.PAUSED)


class LogLine(BaseModel):
    """A line of a run's log; `level` as Python names it."""

    at: datetime
    level: str
    text: str


class TaskLine(BaseModel):
    """A task run of a flow run."""

    id: UUID
    name: str
    state: str
    seconds: float


class RunReport(BaseModel):
    """One run.

    Attributes:
        kind: flow run, or task run.
        worker: that took it; `infrastructure` is the process or container it ran in.
        expected: when it was to begin.
        seconds: that it ran, all attempts together.
        result: what it gave back, where that was kept and can be read here.
        task_runs: of a flow run, in order; the last 200.
        remedy: commands, and the address in Prefect's UI.
    """

    kind: str
    id: UUID
    name: str
    flow: str | None = None
    deployment: str | None = None
    pool: str | None = None
    worker: str | None = None
    infrastructure: str | None = None
    state: str
    state_type: str
    message: str | None
    parameters: JsonValue = None
    created: datetime | None
    expected: datetime | None
    started: datetime | None
    ended: datetime | None
    seconds: float
    run_count: int
    result: JsonValue = None
    traceback: str | None = None
    task_runs: list[TaskLine] = []
    log: list[LogLine] = []
    remedy: list[str] = []


async def read_report(client: PrefectClient, key: str, *, log_lines: int = 50) -> RunReport:
    """All about the run that `key` means: an id, the beginning of a recent one's, or a name.

    Args:
        log_lines: of its log, the last ones.

    Raises:
        ConfigurationError: there is no such run, or there are several.
    """
    run = await find_run(client, key)
    report = _facts(run)
    report.log = await _read_log(client, run, log_lines)
    report.traceback = await _read_traceback(client, run)
    if run.state and run.state.is_completed():
        report.result = redact_document(await read_result(run.state))
    if isinstance(run, FlowRun):
        await _add_flow_run(client, run, report)
    elif run.flow_run_id is not None:
        report.remedy = [f"adspark task {run.flow_run_id}"]
    place = "flow-run" if isinstance(run, FlowRun) else "task-run"
    report.remedy.append(f"{ui_url(client)}/runs/{place}/{run.id}")
    return report


def _facts(run: FlowRun | TaskRun) -> RunReport:
    state = run.state
    message = unwrap(state.message) if state and state.message else None
    return RunReport(
        kind="flow run" if isinstance(run, FlowRun) else "task run",
        id=run.id,
        name=run.name,
        state=run.state_name or "",
        state_type=run.state_type.value if run.state_type else "",
        message=message,
        created=run.created,
        expected=run.expected_start_time,
        # Of a run that never began Prefect tells its end as its start.
        started=run.start_time if run.run_count else None,
        ended=run.end_time,
        seconds=run.estimated_run_time.total_seconds(),
        run_count=run.run_count,
    )


async def _add_flow_run(client: PrefectClient, run: FlowRun, report: RunReport) -> None:
    """What only a flow run has."""
    report.flow = (await client.read_flow(run.flow_id)).name
    report.deployment = await _deployment_name(client, run, report.flow)
    report.pool = run.work_pool_name
    worker = run.labels.get(WORKER_LABEL)
    report.worker = None if worker is None else str(worker)
    report.infrastructure = run.infrastructure_pid
    report.parameters = redact_document(to_document(run.parameters))
    report.task_runs = await _read_task_runs(client, run.id)
    report.remedy = _remedy(report, fails_again=has_wrong_parameters(run))
    if run.deployment_id and report.deployment is None and run.state and run.state.is_final():
        report.remedy = [command_anew(report.flow, report.parameters)]  # no worker would retry it


async def _deployment_name(client: PrefectClient, run: FlowRun, flow: str) -> str | None:
    if run.deployment_id is None:
        return None
    found = await read_optional(client.read_deployment(run.deployment_id))
    return f"{flow}/{found.name}" if found else None  # deleted since


async def _read_task_runs(client: PrefectClient, run_id: UUID) -> list[TaskLine]:
    found = await client.read_task_runs(
        flow_run_filter=filter_runs(ids=[run_id]),
        sort=TaskRunSort.EXPECTED_START_TIME_DESC,
        limit=PAGE,
    )
    return [
        TaskLine(
            id=run.id,
            name=run.name,
            state=run.state_name or "",
            seconds=run.estimated_run_time.total_seconds(),
        )
        for run in reversed(found)
    ]


def _log_of(run: FlowRun | TaskRun) -> LogFilter:
    if isinstance(run, FlowRun):
        return LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
    return LogFilter(task_run_id=LogFilterTaskRunId(any_=[run.id]))


async def _read_log(client: PrefectClient, run: FlowRun | TaskRun, number: int) -> list[LogLine]:
    """The last lines, oldest first; without tracebacks."""
    if number < 1:
        return []
    lines = await client.read_logs(
        _log_of(run), limit=min(number, PAGE), sort=LogSort.TIMESTAMP_DESC
    )
    return [
        LogLine(
            at=line.timestamp,
            level=logging.getLevelName(line.level),
            text=redact_foreign(line.message.partition(_TRACEBACK)[0]).rstrip(),
        )
        for line in reversed(lines)
    ]


async def _read_traceback(client: PrefectClient, run: FlowRun | TaskRun) -> str | None:
    """The last one in its log; only a run that ended badly has one."""
    if run.state_type not in RETRIED:
        return None
    lines = await client.read_logs(_log_of(run), limit=PAGE, sort=LogSort.TIMESTAMP_DESC)
    for line in lines:
        _, found, rest = line.message.partition(_TRACEBACK)
        if found:
            return redact_foreign(found + rest).strip()
    return None


def _remedy(report: RunReport, *, fails_again: bool) -> list[str]:
    if report.state_type in {one.value for one in _UNDER_WAY}:
        return [f"prefect flow-run cancel {report.id}"]
    if report.deployment is None:
        return []
    if report.state_type not in {one.value for one in RETRIED}:
        return [command_anew(report.deployment, report.parameters)]
    if fails_again:
        return [command_with_others(report.deployment)]
    if report.flow == GENERATION and report.state in {"Failed", "Cancelled"}:
        variant = report.parameters.get("variant_id") if isinstance(report.parameters, dict) else ""
        return [f"adspark variant retry {variant or 'ID'}"]
    return [f"adspark retry {report.id}"]


def command_anew(deployment: str, parameters: JsonValue) -> str:
    """The command that does the same in a new run of `flow/deployment`, or of a flow's own."""
    words = ["adspark", "run", short_name(deployment)]
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        if value is not None:
            words += ["-p", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return shlex.join(words)
