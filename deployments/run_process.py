"""A flow run's process: forked from a server that has imported Prefect and the flows already.

The server is multiprocessing's forkserver: it has one thread and no connections, so that a fork is
safe, and a run begins where `python -m prefect.engine` is after two seconds of imports. Memory that
they take is shared by all runs of a worker.
"""

import multiprocessing
import os
import runpy
import sys
import warnings
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from uuid import UUID

from prefect.context import refresh_global_settings_context

from deployments.queue_classes import QUEUE_CLASSES

ENGINE = "python -m prefect.engine"
"""The command whose work a forked run does."""

_PRELOADED = (
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.events.worker",
    *(one.module for queue_class in QUEUE_CLASSES for one in queue_class.flows),
    "deployments.run_process",
)


def start_server() -> None:
    """Start the server that runs are forked from; it imports while the worker goes on.

    It takes over this process's environment.
    """
    forkserver.set_forkserver_preload(list(_PRELOADED))
    forkserver.ensure_running()


def fork_run(flow_run_id: UUID, environment: dict[str, str], folder: str) -> ForkServerProcess:
    """Start the process of a run in this environment and working folder."""
    context = multiprocessing.get_context("forkserver")
    process = context.Process(
        target=_run, args=(str(flow_run_id), environment, folder), name=f"run {flow_run_id}"
    )
    process.start()
    return process


def _run(flow_run_id: str, environment: dict[str, str], folder: str) -> None:
    """Be `python -m prefect.engine`."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    refresh_global_settings_context()
    sys.argv = ["prefect.engine", flow_run_id]
    with warnings.catch_warnings():
        # The module is known already, which is the point.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="runpy")
        runpy.run_module("prefect.engine", run_name="__main__")
