"""Runs that pages start and follow: how far one is. Where Prefect is away, the page says so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import State, StateType
from pydantic import JsonValue

from deployments.gallery.prefect_server import open_prefect
from deployments.operations.runs.failures import unwrap
from deployments.operations.runs.start import start_run
from orchestration.runs.flow_runs import ACTIVE, filter_runs, read_runs
from orchestration.runs.optional import read_optional

# With the kind of an error, which only programmers know, Prefect begins its message.
_KIND = re.compile(r"^(?:\w+\.)*[A-Z]\w*(?:Error|Exception)\b(?:: *)?")
_UNFINISHED = (StateType.SCHEDULED, *ACTIVE)


@dataclass(frozen=True)
class RunProgress:
    """How far a run is.

    Attributes:
        id: of the run.
        state: waiting, paused (waiting in a pool that is), running, completed, failed or cancelled.
        created: when it was asked for.
        message: of its state; in words for people once it is over.
        parameters: of the run.
    """

    id: UUID
    state: str
    created: datetime
    message: str
    parameters: Mapping[str, JsonValue]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("completed", "failed", "cancelled")


async def start_once(
    flow: str, parameters: Mapping[str, JsonValue], *, key: str, again: bool = True
) -> UUID:
    """Start a run of the deployment that is named after a flow, unless one with these parameters
    has not ended yet; returns its id.

    Args:
        flow: its name.
        parameters: of the run.
        key: of the form that asks for it, so that one that is sent twice at once starts one run.
        again: whether a form whose run has ended starts another; else that run is returned.

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
        is_over = run.state is not None and run.state.is_final()
        if again and is_over:  # the same page is used once more
            run = await start_run(client, flow, parameters, key=f"{key}/{run.id}")
        return run.id


async def read_progress(run_id: UUID) -> RunProgress | None:
    """How far a run is; None where there is none, or no longer.

    Raises:
        ServiceUnavailableError: Prefect's server does not answer.
    """
    async with open_prefect() as client:
        run = await read_optional(client.read_flow_run(run_id))
        if run is None:
            return None
        state, pool = _name(run.state), None
        if state == "waiting" and run.work_pool_name:
            pool = await read_optional(client.read_work_pool(run.work_pool_name))
    return RunProgress(
        id=run.id,
        state="paused" if pool and pool.is_paused else state,
        created=run.created or datetime.now(UTC),
        message=_KIND.sub("", unwrap(run.state.message or "")) if run.state else "",
        parameters=run.parameters,
    )


def _name(state: State | None) -> str:
    if state is None or state.is_scheduled() or state.is_pending():
        return "waiting"
    if state.is_completed():
        return "completed"
    if state.is_failed() or state.is_crashed():
        return "failed"
    return "cancelled" if state.is_cancelled() else "running"
