"""Be `python -m prefect.engine`, but see first whether the run can begin.

What cannot begin ends Failed and says why: a flow that cannot be loaded, a parameter that is
missing, is not taken, or is not what it should be. Prefect's own engine would end without a state,
as if its host had died.
"""

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound, ScriptError
from prefect.flows import load_flow_from_flow_run
from prefect.logging.loggers import flow_run_logger, get_logger

from adspark.text.redaction import remember_environment
from adspark.tracing import send_spans
from deployments.execution.endings import SERVER_AWAY
from deployments.execution.output import record_signals_in
from orchestration.limits.time_limits import end_with_run
from orchestration.runs.parameter_errors import find_mistakes, show_error
from orchestration.runs.state_changes import refuse
from orchestration.server.prefect_internals import (
    Logger,
    handle_engine_signals,
    load_flow_run,
    read_control_address,
    run_to_end,
)


def execute(flow_run_id: UUID) -> None:
    """Execute a run; returns, or exits, once it has ended."""
    remember_environment()
    read_control_address()
    end_with_run(flow_run_id)
    with handle_engine_signals(flow_run_id), _ending_if_deleted(flow_run_id):
        try:
            run = load_flow_run(flow_run_id=flow_run_id)
            logger = flow_run_logger(flow_run=run)
            flow = _load(run, logger)
            if flow is None:
                return
            if mistakes := list(find_mistakes(flow, run.parameters)):
                _refuse(run, "\n".join(mistakes), logger)
                return
        except httpx.HTTPError:
            sys.exit(SERVER_AWAY)
        try:
            run_to_end(flow, run, logger)
        finally:
            send_spans()


@contextmanager
def _ending_if_deleted(flow_run_id: UUID) -> Iterator[None]:
    """A run that was deleted ends with a line in the log, without the tracebacks of its engine."""

    def is_of_deletion(error: BaseException | None) -> bool:
        return (
            isinstance(error, ObjectNotFound)
            and isinstance(error.http_exc, httpx.HTTPStatusError)
            and f"/flow_runs/{flow_run_id}" in error.http_exc.request.url.path
        )

    def is_told(record: logging.LogRecord) -> bool:
        return not (record.exc_info and is_of_deletion(record.exc_info[1]))

    logging.getLogger("prefect.flow_runs").addFilter(is_told)
    try:
        yield
    except ObjectNotFound as error:
        if not is_of_deletion(error):
            raise
        get_logger("engine").warning(f"Run {flow_run_id} was deleted; its process ends.")


def _load(run: FlowRun, logger: Logger) -> Flow[..., Any] | None:
    try:
        # Beside Prefect's own loop, which would make a cancellation of an exit.
        return asyncio.run(load_flow_from_flow_run(run, use_placeholder_flow=False))
    except httpx.HTTPError:
        raise
    except (Exception, SystemExit) as error:  # a flow's module may raise anything
        logger.exception("The flow cannot be loaded.")
        _refuse(run, f"Its flow cannot be loaded: {_name_cause(error)}", logger)
        return None


def _name_cause(error: BaseException) -> str:
    """The error that the others came from, in one line."""
    while True:
        deeper = error.user_exc if isinstance(error, ScriptError) else error.__cause__
        if deeper is None or deeper is error:
            return show_error(f"{type(error).__name__}: {error}")
        error = deeper


def _refuse(run: FlowRun, message: str, logger: Logger) -> None:
    async def fail() -> None:
        async with get_client() as client:
            await refuse(client, run.id, message)

    logger.error(message)
    asyncio.run(fail())


if __name__ == "__main__":
    record_signals_in(".")
    execute(UUID(sys.argv[1]))
