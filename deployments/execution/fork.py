"""A run's process: how it is started, and ended by Prefect's executor.

It is forked from a server that has imported Prefect and the flows already: multiprocessing's
forkserver, which has one thread and no connections, so that a fork is safe. A run begins where
`python -m prefect.engine` is after two seconds of imports, and the runs of a worker share memory.

Modules may have read the environment when they were imported. So a run whose job variables change
it gets an interpreter of its own.
"""

import gc
import multiprocessing
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import UUID

import anyio
import anyio.abc
import psutil
from anyio.to_thread import run_sync
from prefect.client.schemas.objects import FlowRun
from prefect.context import refresh_global_settings_context

from deployments.execution.output import record_signals_in, write_output_to
from deployments.queue_classes import QUEUE_CLASSES
from orchestration.limits.time_limits import RUN_VARIABLE
from orchestration.server.prefect_internals import ControlChannel, ProcessHandle

StartProcess = Callable[[UUID, dict[str, str], str], BaseProcess]
"""Starts the process of a run, from the run's id, its environment and its working folder."""

ENGINE = "python -m prefect.engine"
"""The command whose work a forked run does."""

PRELOADED = (
    "deployments",  # first: it has Python look for garbage less often
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.events.worker",
    "anyio._backends._asyncio",
    "rich._emoji_codes",
    "deployments.execution.engine",
    *(one.module for queue_class in QUEUE_CLASSES for one in queue_class.flows),
    "deployments.execution.fork",
    "deployments.execution.preload",
)
"""What a run needs, imported before it is forked."""

_READ_ANEW = "PREFECT_"  # variables that a forked run reads anew
_OWN_ENGINE = [sys.executable, "-m", "deployments.execution.engine"]


def start_server() -> None:
    """Start, in this process's environment, the server that runs are forked from."""
    # multiprocessing would import this process's main module, the command, anew in each run; one
    # whose name ends so it leaves out.
    sys.modules["__main__"].__spec__ = ModuleSpec("adspark.__main__", None)
    forkserver.set_forkserver_preload(list(PRELOADED))
    forkserver.ensure_running()


def fork_run(flow_run_id: UUID, environment: dict[str, str], folder: str) -> BaseProcess:
    """Start the process of a run in this environment and working folder.

    Args:
        flow_run_id: of the run.
        environment: all of it; nothing of this process's is added.
        folder: in which it works.
    """
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
    gc.freeze()  # what is imported stays shared: no collection looks through it
    os.setsid()
    _be_killed_first()
    os.chdir(folder)
    write_output_to(folder)
    if is_new:
        os.execve(sys.executable, [*_OWN_ENGINE, flow_run_id], environment)  # noqa: S606
    os.environ.clear()
    os.environ.update(environment)
    from deployments.execution.preload import has_other_settings  # noqa: PLC0415  (preloaded)

    if has_other_settings(environment, folder):  # to read them takes as long as all else
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


@dataclass
class RunStarter:
    """Starts the process of one run, in this environment and working folder.

    Attributes:
        control: through which the process learns why it is ended.
        handle: of the process, from its start on.
        error: why there is no process.
    """

    start_process: StartProcess
    environment: dict[str, str]
    folder: str
    control: ControlChannel
    handle: ProcessHandle | None = None
    error: BaseException | None = None

    async def start(
        self,
        flow_run: FlowRun,
        task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Start it, report its handle, and wait for its end."""
        port, token = self.control.register(flow_run.id)
        environment = self.environment | {
            "PREFECT__CONTROL_PORT": str(port),
            "PREFECT__CONTROL_TOKEN": token,
            # Its worker calls them.
            "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false",
        }
        try:
            process = await run_sync(self.start_process, flow_run.id, environment, self.folder)
        except BaseException as error:
            self.error = error
            self.control.unregister(flow_run.id)
            raise
        self.handle = ProcessHandle(process)  # type: ignore[arg-type]  # any will do
        task_status.started(self.handle)
        await anyio.wait_readable(process.sentinel)
        process.join()


def kill_leftovers(flow_run_id: UUID) -> None:
    """Kill all that a run has started, however far it has detached itself.

    In a run's container this process has the run's environment too, and is spared.
    """
    spared = {os.getpid(), *(one.pid for one in psutil.Process().parents())}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid not in spared and (
                process.environ().get(RUN_VARIABLE) == str(flow_run_id)
            ):
                process.kill()
