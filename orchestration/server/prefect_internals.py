"""All that AdSpark uses of Prefect's private parts; no other module imports any of them.

A new version of Prefect may move each of them. Then the test of this module names what is gone, and
only this file has to change. What a server alone needs is imported when it is called: it is slow.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import anyio.abc
from prefect import Flow
from prefect._internal.control_listener import configure_from_env as read_control_address
from prefect._internal.metrics import RunMetrics
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State, WorkPool
from prefect.engine import _drive_run_flow_result, handle_engine_signals
from prefect.exceptions import TerminationSignal
from prefect.flow_engine import load_flow_run, run_flow
from prefect.runner._control_channel import ControlChannel, ControlSignalStatus
from prefect.runner._flow_run_executor import FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle
from prefect.runner._state_proposer import StateProposer
from prefect.settings import Settings, get_current_settings
from prefect.utilities import engine
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from adspark.text.sentences import without_full_stop
from orchestration.runs.state_changes import claim_slot

if TYPE_CHECKING:
    from prefect.workers.base import BaseWorker, BaseWorkerResult

    _Worker = BaseWorker[Any, Any, Any]
else:  # what is mixed in needs no worker, which no run imports
    _Worker = object

# fmt: off
__all__ = [
    "ControlChannel", "ControlSignalStatus", "FlowRunExecutorContext", "ProcessHandle",
    "handle_engine_signals", "load_flow_run", "read_control_address",
]
# fmt: on

Logger: TypeAlias = "logging.Logger | logging.LoggerAdapter[Any]"
RecordEnd = Callable[[FlowRun, str], Awaitable[State | None]]
"""Records the end of a run's process, of which Prefect knows a message; returns the new state where
the run crashed and its hooks are to be called."""


class WorkerHooks(_Worker):
    """What Prefect's worker keeps private; mixed in before its class.

    Attributes:
        shows_submitting: whether a run is in the state Submitting while its process or container is
            started; worth a request only where that lasts.
    """

    shows_submitting = True

    @property
    def pool_id(self) -> UUID | None:
        """Prefect's id of the pool, once it is known."""
        return None if self._work_pool is None else self._work_pool.id

    @property
    def pool_limit(self) -> int | None:
        """How many runs of the pool may run at once, as it was read last; None is any number."""
        return None if self._work_pool is None else self._work_pool.concurrency_limit

    @property
    def run_group(self) -> anyio.abc.TaskGroup | None:
        """The task group of the worker's runs, once it is set up."""
        return self._runs_task_group

    @property
    def is_submitting(self) -> bool:
        """Whether runs are claimed that have not started yet."""
        return bool(self._submitting_flow_run_ids)

    def on_run_ended(self, flow_run_id: UUID) -> None:
        """Called once a run has ended and its state is recorded."""

    async def _propose_pending_state(self, flow_run: FlowRun) -> bool:
        """Claim a run, but only while it is queued and its pool has a slot: Prefect also lets one
        that has ended become Pending, which a worker that had read it before would start again."""
        logger = self.get_flow_run_logger(flow_run)
        try:
            change = await claim_slot(self.client, flow_run.id, self._work_pool_name)
        except Exception:  # whatever it is, the worker goes on
            logger.exception("The run cannot be claimed.")
            return False
        if not change.is_made:
            logger.info("The run is not claimed: %s.", without_full_stop(change.reason))
        return change.is_made

    async def _propose_submitting_state(self, flow_run: FlowRun) -> None:
        if self.shows_submitting:
            await super()._propose_submitting_state(flow_run)

    async def _submit_run_and_capture_errors(
        self, flow_run: FlowRun, task_status: anyio.abc.TaskStatus[Any] | None = None
    ) -> "BaseWorkerResult | Exception":
        try:
            return await super()._submit_run_and_capture_errors(flow_run, task_status)
        finally:
            self.on_run_ended(flow_run.id)

    def _record_work_pool_snapshot(self, work_pool: WorkPool) -> None:
        """As Prefect's; cancellations are heard also of a pool that was deleted and made again."""
        if self._work_pool is not None and self._work_pool.id != work_pool.id:
            self._cancelling_observer = None  # the next synchronisation begins a new one
        super()._record_work_pool_snapshot(work_pool)


class _EndRecorder(StateProposer):
    """Has the end of a process recorded by who knows more of it than its exit code."""

    def __init__(self, client: PrefectClient, record: RecordEnd) -> None:
        super().__init__(client=client)
        self._record = record

    async def propose_crashed(self, flow_run: FlowRun, message: str) -> State | None:
        return await self._record(flow_run, message)


@asynccontextmanager
async def open_executor(record: RecordEnd) -> AsyncIterator[FlowRunExecutorContext]:
    """What starts, cancels and ends processes of runs as Prefect does, but for recording ends."""
    async with FlowRunExecutorContext() as context:
        context._state_proposer = _EndRecorder(context.client, record)
        yield context


class JobHooks:
    """What Prefect's job configuration keeps private; mixed in before its class."""

    @classmethod
    def _base_environment(cls) -> dict[str, str]:
        return settings_variables()


_written: list[tuple[Settings, dict[str, str]]] = []  # the settings that were written last


def settings_variables() -> dict[str, str]:
    """Prefect's settings that are set here, as the variables that a worker passes on to its runs.

    They are written once: that takes 30 ms, which each run would take.
    """
    settings = get_current_settings()
    if not _written or _written[0][0] is not settings:
        _written[:] = [(settings, settings.to_environment_variables(exclude_unset=True))]
    return _written[0][1]


class _Terminated(TerminationSignal, SystemExit):
    """What ends the process at SIGTERM; of a callback's errors, asyncio only logs the others."""

    def __init__(self, number: int) -> None:
        super().__init__(signal=number)
        self.code = 1


def _terminate(number: int, _frame: FrameType | None) -> None:
    """Handle SIGTERM as Prefect does, but end the event loop, which cancels its tasks: an error in
    whatever is executed at that moment may be lost, or be taken for one of its own."""

    def end() -> None:
        raise _Terminated(number)

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        end()
    else:
        loop.call_soon_threadsafe(end)  # which also wakes it


def run_to_end(flow: Flow[..., Any], flow_run: FlowRun, logger: Logger) -> None:
    """Execute a flow run in this process, as Prefect's engine does.

    Args:
        flow: what the run executes.
        flow_run: as the server has it.
        logger: of the run.
    """
    engine._prefect_sigterm_handler = _terminate  # type: ignore[assignment]
    with RunMetrics(flow_run, flow):
        result: object = run_flow(flow, flow_run=flow_run, error_logger=logger)  # type: ignore[arg-type]
        _drive_run_flow_result(flow, result)


def serve_health(is_healthy: Callable[[], bool]) -> AbstractContextManager[None]:
    """Serve a worker's `/health` on PREFECT_WORKER_WEBSERVER_PORT: 200, or 503 while it is not
    healthy."""
    from prefect.workers.server import _run_healthcheck_server  # noqa: PLC0415

    return _run_healthcheck_server(is_healthy)


def create_server(*, has_services: bool) -> ASGIApp:
    """Prefect's server, with its background services or without."""
    from prefect.server.api.server import create_app  # noqa: PLC0415

    app: Any = create_app(final=True, webserver_only=not has_services, ignore_cache=True)
    # Prefect responds with 500 where it cannot connect to its database, which no client retries.
    app.api_app.add_exception_handler(OSError, _respond_unavailable)
    server: ASGIApp = app
    return server


async def _respond_unavailable(_request: Request, error: Exception) -> JSONResponse:
    logging.getLogger("prefect.server").warning("%r", error)
    return JSONResponse({"exception_message": "Service Unavailable"}, 503)


async def prepare_server_database() -> None:
    """Migrate the server's database and register the types of blocks; changes nothing twice."""
    from prefect.server.database import provide_database_interface  # noqa: PLC0415
    from prefect.server.models.block_registration import (  # noqa: PLC0415
        run_block_auto_registration,
    )

    database = provide_database_interface()
    await database.run_migrations_upgrade()
    async with await database.session() as session:
        await run_block_auto_registration(session)


@dataclass(frozen=True)
class DeployedFlow:
    """What a deployment says of its runs' parameters."""

    schema: dict[str, JsonValue] = field(default_factory=dict)
    parameters: dict[str, JsonValue] = field(default_factory=dict)
    entrypoint: str = ""


async def read_deployed_flow(deployment_id: UUID) -> DeployedFlow | None:
    """What the server's database has of a deployment; None without such one."""
    from prefect.server.database import provide_database_interface  # noqa: PLC0415
    from prefect.server.models.deployments import read_deployment  # noqa: PLC0415

    async with provide_database_interface().session_context() as session:
        found = await read_deployment(  # type: ignore[attr-defined]  # decorated
            session=session, deployment_id=deployment_id
        )
        if found is None:
            return None
        return DeployedFlow(
            found.parameter_openapi_schema or {}, found.parameters, found.entrypoint or ""
        )


async def read_deployment_of_run(flow_run_id: UUID) -> UUID | None:
    """The deployment of a run; None where it has none, or there is no such run."""
    from prefect.server.database import provide_database_interface  # noqa: PLC0415
    from prefect.server.models.flow_runs import read_flow_run  # noqa: PLC0415

    async with provide_database_interface().session_context() as session:
        found = await read_flow_run(  # type: ignore[attr-defined]  # decorated
            session=session, flow_run_id=flow_run_id
        )
        return found.deployment_id if found else None
