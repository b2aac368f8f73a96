"""Dead letters: runs that failed or crashed, grouped by their cause, and retried.

A run is retried under its own id, with its own parameters. All our flows may be run twice.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import AwaitingRetry
from pydantic import BaseModel

from adspark.errors import ConfigurationError
from adspark.text.redaction import redact_foreign
from adspark.text.terminal import plain
from adspark.validation.near_names import describe_unknown
from deployments.operations.runs.deployments import short_name
from deployments.queue_classes import POOL_NAMES, validate_pools
from orchestration.runs.flow_runs import PAGE, WEEK, read_failed_runs, read_flow_names
from orchestration.runs.optional import read_optional
from orchestration.runs.state_changes import change_state

RETRIED = (StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)
"""Ends from which a run can be retried."""

_LONGEST_READ = 2000  # characters of a message; a search takes the square of its time
_LONGEST_CAUSE = 300  # characters
_NO_MESSAGE = "no message"
_KEY = 6  # hex digits of a group's key
_WRAPPING = re.compile(
    r"^((Flow|Task) run encountered an exception|"
    r"Execution was interrupted by an unexpected exception|Finished in state \w+)\b[:\s('\"]*"
)
# What differs between two failures of one cause. A status of HTTP is part of the cause.
_ID = re.compile(r"(?i)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=[a-f]*\d)[0-9a-f]{12,}\b")
_ADDRESS = re.compile(
    r"(?i)\b[a-z][a-z0-9+.-]*://[^\s,;)'\"]+|\b(\d{1,3}\.){3}\d{1,3}(:\d+)?\b|\b[a-z][\w.-]*:\d{2,5}\b"
)
_NUMBER = re.compile(r"(?<!HTTP )(?<!\d)\d+([.,:T-]\d+)*Z?")


# How `run_engine` refuses a run: a line for each parameter or job variable, which it begins with.
_FIELD = re.compile(r"[A-Za-z_][\w.]*: ")
_PARAMETER_ERRORS = (
    "InvalidQueryError", "UnknownWatchError", "UnknownVariantError", "UnknownBatchError",
    "ParameterTypeError", "SignatureMismatchError", "ValidationError",
)  # fmt: skip


class FailureGroup(BaseModel):
    """Failures of one flow that have one cause.

    Attributes:
        key: a short name for the group, the same as long as there is such a cause.
        cause: the newest one's message on one line, at most 300 characters.
        kind: the state's name: Failed, Crashed, TimedOut, Postponed …
        runs: newest first; `first` and `last` are when the oldest and the newest ended.
        example: the newest one's whole message.
        fails_again: because of the parameters or job variables, which a retry keeps.
    """

    key: str
    cause: str
    flow: str
    pool: str
    kind: str
    runs: list[UUID]
    first: datetime
    last: datetime
    example: str
    fails_again: bool = False


async def read_failures(
    client: PrefectClient,
    *,
    hours: float = WEEK,
    pools: Sequence[str] = (),
    flow: str | None = None,
) -> list[FailureGroup]:
    """Failures that were not mended since, the group with the newest one first.

    Args:
        hours: how far back to look.
        pools: empty is all of ours.
        flow: only runs of this one.

    Raises:
        ConfigurationError: there is no such pool or flow.
    """
    validate_pools(pools)
    runs = await read_failed_runs(
        client, pools=pools or POOL_NAMES, hours=hours, flows=await _flow_filter(client, flow)
    )
    return group_failures(runs, await read_flow_names(client, [run.flow_id for run in runs]))


def is_key(text: str) -> bool:
    """Whether it looks like a group's key."""
    return re.fullmatch(rf"[0-9a-f]{{{_KEY}}}", text) is not None


def group_failures(runs: Sequence[FlowRun], flows: Mapping[UUID, str]) -> list[FailureGroup]:
    """The groups of runs that failed, in the order of their newest runs; `flows` are names."""
    groups: dict[str, FailureGroup] = {}
    for run in runs:
        group = group_of(run, flows.get(run.flow_id, ""))
        known = groups.setdefault(group.key, group)
        if known is not group:
            known.runs += group.runs
            known.first = min(known.first, group.first)
    return list(groups.values())


async def retry_runs(client: PrefectClient, run_ids: Sequence[UUID]) -> list[UUID]:
    """Queue runs once more that ended badly, where a worker can take them; returns those."""
    queued = []
    for run_id in dict.fromkeys(run_ids):
        run = await read_optional(client.read_flow_run(run_id))
        if run is None or run.state_type not in RETRIED or not await has_deployment(client, run):
            continue
        if (await change_state(client, run, AwaitingRetry())).is_made:
            queued.append(run_id)
    return queued


async def has_deployment(client: PrefectClient, run: FlowRun) -> bool:
    """Whether a worker would take it; one cancels a run whose deployment was deleted since."""
    if run.deployment_id is None:
        return False
    return await read_optional(client.read_deployment(run.deployment_id)) is not None


def group_of(run: FlowRun, flow: str) -> FailureGroup:
    """The group that a run is the first of."""
    message = (run.state and run.state.message) or ""
    pool, kind = run.work_pool_name or "", run.state_name or ""
    key = sha256("\n".join((flow, pool, kind, find_cause(message))).encode()).hexdigest()[:_KEY]
    ended = run.end_time or run.expected_start_time or datetime.now(UTC)
    return FailureGroup(
        key=key,
        cause=_one_line(message)[:_LONGEST_CAUSE] or _NO_MESSAGE,
        flow=flow,
        pool=pool,
        kind=kind,
        runs=[run.id],
        first=ended,
        last=ended,
        example=unwrap(message),
        fails_again=has_wrong_parameters(run),
    )


def has_wrong_parameters(run: FlowRun) -> bool:
    """Whether a run has failed for its parameters: before it began, or with an error that says so.

    A flow that cannot be loaded does not begin either; that is no parameter's fault.
    """
    message = (run.state and run.state.message) or ""
    if run.state_type != StateType.FAILED:
        return False
    never_began = run.run_count == 0 and bool(_FIELD.match(message))
    return never_began or unwrap(message).startswith(_PARAMETER_ERRORS)


def command_with_others(deployment: str) -> str:
    """What to do in place of a retry where a run's parameters or job variables are wrong: the
    command that starts one anew with right ones."""
    return f"adspark run {short_name(deployment)} -p NAME=VALUE"


def unwrap(message: str) -> str:
    """A state's message without the words that Prefect puts around ours, and without secrets."""
    return redact_foreign(_WRAPPING.sub("", message)).strip()


def find_cause(message: str) -> str:
    """What remains of a message without ids, addresses and numbers: the same for one cause."""
    cause = _one_line(message)[:_LONGEST_READ]
    for pattern, sign in ((_ID, "#"), (_ADDRESS, "<address>"), (_NUMBER, "#")):
        cause = pattern.sub(sign, cause)
    return cause[:_LONGEST_CAUSE] or _NO_MESSAGE


def _one_line(message: str) -> str:
    return " ".join(plain(unwrap(message)).split())


async def _flow_filter(client: PrefectClient, flow: str | None) -> FlowFilter | None:
    if flow is None:
        return None
    wanted = FlowFilter(name=FlowFilterName(any_=[flow]))
    if not await client.read_flows(flow_filter=wanted):
        names = sorted(one.name for one in await client.read_flows(limit=PAGE))
        said = describe_unknown(f"There is no flow {flow!r}.", flow, names)
        raise ConfigurationError(said, command="list them with: prefect flow ls")
    return wanted
