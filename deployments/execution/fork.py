"""A flow run's process: forked from a server that has imported Prefect and the flows already.

The server is multiprocessing's forkserver: it has one thread and no connections, so that a fork is
safe, and a run begins where `python -m prefect.engine` is after two seconds of imports. Memory that
they take is shared by all runs of a worker.
"""

import multiprocessing
import os
import sys
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from uuid import UUID

from prefect.context import refresh_global_settings_context

from deployments.execution.output import note_signals_in, write_output_to
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


def start_server() -> None:
    """Start the server that runs are forked from; it imports while the worker goes on.

    It takes over this process's environment.
    """
    forkserver.set_forkserver_preload(list(PRELOADED))
    forkserver.ensure_running()


def fork_run(flow_run_id: UUID, environment: dict[str, str], folder: str) -> ForkServerProcess:
    """Start the process of a run in this environment and working folder."""
    context = multiprocessing.get_context("forkserver")
    process = context.Process(
        target=be_run, args=(str(flow_run_id), environment, folder), name=f"run {flow_run_id}"
    )
    process.start()
    return process


def be_run(flow_run_id: str, environment: dict[str, str], folder: str) -> None:
    """Carry out the run, as `python -m prefect.engine` would."""
    os.setsid()
    _go_first_when_memory_ends()
    os.chdir(folder)
    write_output_to(folder)
    note_signals_in(folder)
    os.environ.clear()
    os.environ.update(environment)
    refresh_global_settings_context()
    sys.argv = ["prefect.engine", flow_run_id]
    from deployments.execution.engine import carry_out  # noqa: PLC0415  (slow; preloaded here)

    carry_out(UUID(flow_run_id))


def _go_first_when_memory_ends() -> None:
    """In a container whose memory is used up the run is killed, with what it has started, and not
    who tells why."""
    with suppress(OSError):  # there is no such file on macOS
        Path("/proc/self/oom_score_adj").write_text("500")
