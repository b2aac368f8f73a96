"""Runs that a page starts and follows; where Prefect is away, the page says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun, State, StateType
from pydantic import JsonValue

from deployments.gallery.prefect_server import open_prefect
from deployments.operations.runs.start import start_run
from orchestration.runs.flow_runs import ACTIVE, filter_runs, read_runs
from orchestration.runs.optional import read_optional

_UNFINISHED = (StateType.SCHEDULED, *ACTIVE)


@dataclass(frozen=True)
class RunProgress:
    """How far a run is.

    Attributes:
        state: waiting, running, completed, failed or cancelled.
        message: of its state.
    """

    state: str
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("completed", "failed", "cancelled")


async def start_once(flow: str, parameters: Mapping[str, JsonValue], *, key: str) -> UUID:
    """Start a run of the deployment that is named after a flow, unless one with these parameters
    has not ended yet; returns its id.

    Args:
        flow: its name.
        parameters: of the run.
        key: of the form that asks for it, so that one that is sent twice at once starts one run.

    Raises:
        ConfigurationError: no such deployment, or parameters that it does not take.
        ServiceUnavailableError: Prefect's server does not answer.
    """
    wanted = FlowFilter(name=FlowFilterName(any_=[flow]))
    async with open_prefect() as client:
        for run in await read_runs(client, filter_runs(types=_UNFINISHED), flows=wanted):
            if all(run.parameters.get(name) == value for name, value in parameters.items()):
                return run.id
        run = await start_run(client, flow, parameters, key=key)
        if run.state is not None and run.state.is_final():  # the same page is used once more
            run = await start_run(client, flow, parameters, key=f"{key}/{run.id}")
        return run.id


async def read_run(run_id: UUID) -> FlowRun | None:
    """A run; None where there is none, or no longer.

    Raises:
        ServiceUnavailableError: Prefect's server does not answer.
    """
    async with open_prefect() as client:
        return await read_optional(client.read_flow_run(run_id))


def progress_of(run: FlowRun) -> RunProgress:
    """How far a run is."""
    state = run.state
    if state is None or state.is_scheduled() or state.is_pending():
        return RunProgress("waiting")
    return RunProgress(_name(state), state.message or "")


def _name(state: State) -> str:
    if state.is_completed():
        return "completed"
    if state.is_failed() or state.is_crashed():
        return "failed"
    return "cancelled" if state.is_cancelled() else "running"
