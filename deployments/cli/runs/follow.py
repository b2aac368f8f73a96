"""Start a deployment and follow its run to the end: states, logs, result."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, Log, State, StateType, WorkPool
from pydantic import JsonValue

from adspark.errors import AdSparkError
from adspark.text.paused_pool import describe_paused
from deployments.cli.server import open_server
from deployments.operations.runs.start import start_run
from orchestration.runs.flow_runs import ACTIVE, filter_runs, read_runs
from orchestration.runs.optional import read_optional
from orchestration.runs.results import read_result

_POLL = 0.5  # seconds between two looks at the run
_TURN_POLL = 2.0  # seconds between two looks at the run that is before it
_MOST_REFUSALS = 3  # a run that has just ended gives its slot back in a moment
_NOT_BEGUN = (StateType.SCHEDULED, StateType.PENDING)
_QUIET = 20.0  # seconds without a worker's reaction after which a person wants to know why
_REQUEUED_WITHIN = 5.0  # seconds after its process was killed
_LOG_PAGE = 200
_OVERLAP = 50  # lines that are read again: of several processes, the later one may log first
# What Prefect logs of each run, and its worker of one that it takes: its states say the same.
_STATES = ("Finished in state ", "Beginning flow run ")
_WORKER = "prefect.flow_runs.worker"
# Prefect's message of a run that began while another one of its deployment ran.
_ONE_AT_A_TIME = "Deployment concurrency limit reached"


@dataclass(frozen=True)
class Event:
    """Something that happened to the run: a new state, a line of its log, or a hint of ours."""

    kind: str
    text: str


@dataclass(frozen=True)
class FinishedRun:
    """A completed run; `result` is what the flow gave back, None where it cannot be read here."""

    id: UUID
    name: str
    state: State
    result: JsonValue


class RunFailedError(AdSparkError):
    """The run ended in any state but Completed; the message is the state's."""


class _NotBegunError(RunFailedError):
    """The run was cancelled because another one of its deployment is under way."""


async def run_and_follow(
    api_url: str,
    deployment: str,
    parameters: Mapping[str, JsonValue],
    on_event: Callable[[Event], None] = lambda _: None,
) -> FinishedRun:
    """Run `deployment` (`flow/name`, or a flow's name alone) and wait for its end.

    Where its runs follow one after the other and one is under way, as one of its schedule's, that
    one's end is waited for first.

    Args:
        api_url: of the Prefect server.
        deployment: which one.
        parameters: of the run.
        on_event: called with every event of the run as it comes.

    Raises:
        ConfigurationError: no server, no such deployment, or parameters that it does not take.
        RunFailedError: the run did not complete, or the deployment's limit stays in use.
    """
    async with open_server(api_url) as client:
        refusals = 0  # one after the other, while no run was under way
        while refusals < _MOST_REFUSALS:
            run = await start_run(client, deployment, parameters)
            on_event(Event("run", f"{deployment} · {run.name} · {run.id}"))
            try:
                return await _finish(client, run.id, on_event)
            except _NotBegunError:
                has_waited = await _wait_for_turn(client, run, on_event)
                refusals = 0 if has_waited else refusals + 1
        raise RunFailedError(
            f"{run.name} did not begin: the concurrency limit of {deployment} is in use, and none "
            "of its runs is under way. Look at the limit in Prefect's UI."
        )


async def follow_run(api_url: str, run_id: UUID, on_event: Callable[[Event], None]) -> FinishedRun:
    """Wait for the end of a run that was started before.

    Args:
        api_url: of the Prefect server.
        run_id: of the flow run.
        on_event: called with every event of the run as it comes.

    Raises:
        ConfigurationError: no server.
        RunFailedError: the run did not complete.
    """
    async with open_server(api_url) as client:
        return await _finish(client, run_id, on_event)


async def _wait_for_turn(
    client: PrefectClient, refused: FlowRun, on_event: Callable[[Event], None]
) -> bool:
    """Wait until no other run of the deployment is active; returns whether there was one."""
    assert refused.deployment_id
    active = filter_runs(deployments=[refused.deployment_id], types=ACTIVE)
    running = await read_runs(client, active)
    names = ", ".join(run.name for run in running) or "another run of it"
    on_event(Event("hint", f"it begins when {names} has ended; see: adspark monitor"))
    try:
        while True:
            await asyncio.sleep(_TURN_POLL)
            if not (running and await read_runs(client, active)):
                return bool(running)
    except asyncio.CancelledError:  # by Ctrl-C
        on_event(Event("hint", f"nothing was started; start it again when {names} has ended"))
        raise


async def _finish(
    client: PrefectClient, run_id: UUID, on_event: Callable[[Event], None]
) -> FinishedRun:
    try:
        run = await _follow(client, run_id, on_event)
    except asyncio.CancelledError:  # by Ctrl-C
        on_event(Event("hint", f"the run is not cancelled; see it with: adspark task {run_id}"))
        raise
    state = run.state
    if state is None or not state.is_completed():
        error = _NotBegunError if state and _is_refused(state) else RunFailedError
        raise error(_why(run))
    return FinishedRun(run.id, run.name, state, await read_result(state))


def _why(run: FlowRun) -> str:
    """Why a run did not complete, without the words that Prefect puts around our message."""
    state = run.state
    if state is None:
        return f"{run.name} ended without a state."
    if _is_refused(state):
        return (
            f"{run.name} did not begin: another run of it is under way, and they run one after the "
            "other. Wait for that one's end: adspark monitor"
        )
    message = re.sub(r"^(Flow|Task) run encountered an exception:? ", "", state.message or "")
    return f"{run.name} ended {state.name}: {message or 'no message'}"


def _is_refused(state: State) -> bool:
    return state.is_cancelled() and (state.message or "").startswith(_ONE_AT_A_TIME)


async def _follow(
    client: PrefectClient, run_id: UUID, on_event: Callable[[Event], None]
) -> FlowRun:
    seen: set[UUID] = set()
    shown: UUID | None = None
    began = asyncio.get_running_loop().time()
    hinted = crashed = False
    while True:
        run = await read_optional(client.read_flow_run(run_id))
        if run is None:
            raise RunFailedError(
                f"Run {run_id} was deleted while it was followed; what it had not stored is lost. "
                "Start it again if it is still wanted."
            )
        state = run.state
        is_over = state is not None and state.is_final()
        if is_over:
            await _show_logs(client, run.id, seen, on_event)
        if state is not None and state.id != shown:
            shown = state.id
            on_event(Event("state", state.name or state.type.value))
            if state.is_scheduled() and not hinted:
                hinted = await _tell_pause(client, run, on_event)
        if is_over:
            if crashed or state is None or not state.is_crashed():
                return run
            crashed = True
            on_event(Event("hint", "a worker requeues it where that helps, within some seconds"))
            await asyncio.sleep(_REQUEUED_WITHIN)
            continue
        await _show_logs(client, run.id, seen, on_event)
        waited = asyncio.get_running_loop().time() - began
        if not hinted and waited > _QUIET and state is not None and state.type in _NOT_BEGUN:
            hinted = True
            on_event(Event("hint", await explain_wait(client, run)))
        await asyncio.sleep(_POLL)


async def _tell_pause(
    client: PrefectClient, run: FlowRun, on_event: Callable[[Event], None]
) -> bool:
    """Say that the pool of a run is paused, for which nobody has to wait; returns whether it is."""
    pool = await _read_pool(client, run)
    if pool is None or not pool.is_paused:
        return False
    on_event(Event("hint", describe_paused(pool.name)))
    return True


async def _read_pool(client: PrefectClient, run: FlowRun) -> WorkPool | None:
    name = run.work_pool_name
    return await read_optional(client.read_work_pool(name)) if name else None


async def explain_wait(client: PrefectClient, run: FlowRun) -> str:
    """Why a run has not begun, as far as it and its pool show it."""
    if run.state is not None and run.state.is_pending():
        return "a worker has claimed it, and has not started it yet; see: adspark status"
    pool = await _read_pool(client, run)
    if pool and pool.is_paused:
        return describe_paused(pool.name)
    if pool and pool.concurrency_limit == 0:
        return f"pool {pool.name} has 0 slots; give it some with: adspark scale {pool.name} N"
    return f"no worker has taken it yet; pool {run.work_pool_name}; see: adspark status"


async def _show_logs(
    client: PrefectClient, run_id: UUID, seen: set[UUID], on_event: Callable[[Event], None]
) -> None:
    """Show the lines that are not among the seen ones, and add them there."""
    of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]))
    while True:
        offset = max(0, len(seen) - _OVERLAP)
        lines = await client.read_logs(of_run, limit=_LOG_PAGE, offset=offset)
        for line in lines:
            if line.id not in seen and _is_shown(line):
                on_event(Event("log", line.message))
        seen.update(line.id for line in lines)
        if len(lines) < _LOG_PAGE:
            return


def _is_shown(line: Log) -> bool:
    """Whether it says more than the run's states do, and than its end, which is told once."""
    if line.level >= logging.WARNING:
        return line.level < logging.ERROR
    return line.name != _WORKER and not line.message.startswith(_STATES)
