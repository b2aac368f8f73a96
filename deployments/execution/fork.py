"""A run's process: forked from a server that has imported Prefect and the flows already.

The server is multiprocessing's forkserver: it has one thread and no connections, so that a fork is
safe, and a run begins where `python -m prefect.engine` is after two seconds of imports. Memory that
they take is shared by all runs of a worker.

Modules may have read the environment when they were imported. So a run whose job variables change
it gets an interpreter of its own.
"""

import multiprocessing
import os
import sys
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import UUID

from prefect.context import refresh_global_settings_context

from deployments.execution.output import record_signals_in, write_output_to
from deployments.queue_classes import QUEUE_CLASSES

ENGINE = "python -m prefect.engine"
"""The command whose work a forked run does."""

PRELOADED = (
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.events.worker",
    "deployments.execution.engine",
    *(one.module for queue_class in QUEUE_CLASSES for one in queue_class.flows),
    "deployments.execution.fork",
)
"""What a run needs, imported before it is forked."""

_READ_ANEW = "PREFECT_"  # variables that a forked run reads anew
_OWN_ENGINE = [sys.executable, "-m", "deployments.execution.engine"]


def start_server() -> None:
    """Start the server that runs are forked from; it imports while the worker goes on.

    It takes over this process's environment.
    """
    forkserver.set_forkserver_preload(list(PRELOADED))
    forkserver.ensure_running()


def fork_run(flow_run_id: UUID, environment: dict[str, str], folder: str) -> BaseProcess:
    """Start the process of a run in this environment and working folder."""
    process = multiprocessing.get_context("forkserver").Process(
        target=be_run,
        args=(str(flow_run_id), environment, folder, _is_changed(environment)),
        name=f"run {flow_run_id}",
    )
    process.start()
    return process


def _is_changed(environment: dict[str, str]) -> bool:
    """Whether it changes what modules may have read when they were imported."""
    run, worker = (
        {name: value for name, value in one.items() if not name.startswith(_READ_ANEW)}
        for one in (environment, os.environ)
    )
    return run != worker


def be_run(
    flow_run_id: str, environment: dict[str, str], folder: str, is_new: bool = False
) -> None:
    """Execute the run, as `python -m prefect.engine` would.

    Args:
        flow_run_id: the run.
        environment: which this process takes on.
        folder: in which it works, and where its output goes.
        is_new: whether it begins with a new interpreter.
    """
    os.setsid()
    _be_killed_first()
    os.chdir(folder)
    write_output_to(folder)
    if is_new:
        os.execve(sys.executable, [*_OWN_ENGINE, flow_run_id], environment)  # noqa: S606
    os.environ.clear()
    os.environ.update(environment)
    refresh_global_settings_context()
    sys.argv = ["prefect.engine", flow_run_id]
    record_signals_in(folder)
    from deployments.execution.engine import execute  # noqa: PLC0415  (slow; preloaded here)

    execute(UUID(flow_run_id))


def _be_killed_first() -> None:
    """Where a container's memory is used up, the run is killed with what it has started, and not
    the process that records why."""
    with suppress(OSError):  # there is no such file on macOS
        Path("/proc/self/oom_score_adj").write_text("500")
