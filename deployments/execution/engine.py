"""Be `python -m prefect.engine`, but see first whether the run can begin.

What cannot begin ends Failed and says why: a flow that cannot be loaded, a parameter that is
missing, is not taken, or is not what it should be. Prefect's own engine would end without a state,
as if its host had died.
"""

import asyncio
import logging
import os
import sys
from typing import Any, TypeAlias
from uuid import UUID

import httpx
from prefect import Flow
from prefect._internal.control_listener import configure_from_env
from prefect._internal.metrics import RunMetrics
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.engine import _drive_run_flow_result, handle_engine_signals
from prefect.exceptions import ScriptError
from prefect.flow_engine import load_flow_run, run_flow
from prefect.flows import load_flow_from_flow_run
from prefect.logging.loggers import flow_run_logger
from prefect.states import Failed

from adspark.text.redaction import remember_environment
from deployments.execution.endings import SERVER_AWAY
from orchestration.parameter_errors import find_mistakes, show_error
from orchestration.state_changes import change_while
from orchestration.time_limits import end_with_run

_RUN = "PREFECT__FLOW_RUN_ID"
_Logger: TypeAlias = "logging.Logger | logging.LoggerAdapter[Any]"


def carry_out(flow_run_id: UUID) -> None:
    """Carry out a run; returns, or exits, once it has ended."""
    remember_environment()
    configure_from_env()
    end_with_run(flow_run_id)
    with handle_engine_signals(flow_run_id):
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
        with RunMetrics(run, flow):
            result: object = run_flow(flow, flow_run=run, error_logger=logger)  # type: ignore[arg-type]
            _drive_run_flow_result(flow, result)


def _load(run: FlowRun, logger: _Logger) -> Flow[..., Any] | None:
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


def _refuse(run: FlowRun, message: str, logger: _Logger) -> None:
    """End the run Failed, unless somebody else has ended it."""

    async def tell() -> None:
        async with get_client() as client:
            failed: State = Failed(message=message)
            await change_while(
                client,
                run.id,
                failed,
                lambda state: not (state.is_final() or state.is_cancelling()),
            )

    logger.error(message)
    asyncio.run(tell())


if __name__ == "__main__":
    carry_out(UUID(sys.argv[1] if len(sys.argv) > 1 else os.environ[_RUN]))
