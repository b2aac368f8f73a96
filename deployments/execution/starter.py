"""How Prefect's executor starts and ends the process of a run."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from uuid import UUID

import anyio
import anyio.abc
import psutil
from anyio.to_thread import run_sync
from prefect.client.schemas.objects import FlowRun

from orchestration.prefect_internals import ControlChannel, ProcessHandle
from orchestration.time_limits import RUN_VARIABLE

StartProcess = Callable[[UUID, dict[str, str], str], BaseProcess]
"""Starts the process of a run, from the run's id, its environment and its working folder."""


class RunStarter:
    """Starts the process of one run.

    Args:
        start: what starts it.
        environment: of the process.
        folder: in which it works.
        control: through which it learns why it is ended.

    Attributes:
        handle: of the process, from its start on.
        error: why there is no process.
    """

    def __init__(
        self,
        start: StartProcess,
        environment: dict[str, str],
        folder: str,
        control: ControlChannel,
    ) -> None:
        self.handle: ProcessHandle | None = None
        self.error: BaseException | None = None
        self._start = start
        self._environment = environment
        self._folder = folder
        self._control = control

    async def start(
        self,
        flow_run: FlowRun,
        task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Start it, report its handle, and wait for its end."""
        port, token = self._control.register(flow_run.id)
        environment = self._environment | {
            "PREFECT__CONTROL_PORT": str(port),
            "PREFECT__CONTROL_TOKEN": token,
            # Its worker calls them.
            "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false",
        }
        try:
            process = await run_sync(self._start, flow_run.id, environment, self._folder)
        except BaseException as error:
            self.error = error
            self._control.unregister(flow_run.id)
            raise
        self.handle = ProcessHandle(
            process,  # type: ignore[arg-type]  # any process of multiprocessing will do
            termination_scope=_RunScope(flow_run.id),
        )
        task_status.started(self.handle)
        await anyio.wait_readable(process.sentinel)
        process.join()


class _RunScope:
    """A run's process and all that it has started."""

    wait_after_graceful_kill = True

    def __init__(self, flow_run_id: UUID) -> None:
        self._flow_run_id = flow_run_id

    def is_alive(self, pid: int) -> bool:
        return psutil.pid_exists(pid)

    def graceful_kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGTERM)

    def hard_kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        kill_leftovers(self._flow_run_id)

    def close(self) -> None:
        """Nothing is held."""


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
