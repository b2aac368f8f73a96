"""How Prefect's executor starts and ends a forked run (`run_process`)."""

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
from prefect.runner._control_channel import ControlChannel
from prefect.runner._process_manager import ProcessHandle

from orchestration.time_limits import RUN_VARIABLE


class ForkStarter:
    """Starts one run by a fork.

    Args:
        environment: of its process.
        folder: in which it works.
        control: over which it is told that it is cancelled or handed back.
        fork: makes the process of a run, from the environment and the folder.
    """

    def __init__(
        self,
        environment: dict[str, str],
        folder: str,
        control: ControlChannel,
        fork: Callable[[UUID, dict[str, str], str], BaseProcess],
    ) -> None:
        self._environment = environment
        self._folder = folder
        self._control = control
        self._fork = fork

    async def start(
        self,
        flow_run: FlowRun,
        task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Start it, tell its handle, and wait for its end."""
        port, token = self._control.register(flow_run.id)
        environment = self._environment | {
            "PREFECT__CONTROL_PORT": str(port),
            "PREFECT__CONTROL_TOKEN": token,
        }
        try:
            process = await run_sync(self._fork, flow_run.id, environment, self._folder)
        except BaseException:
            self._control.unregister(flow_run.id)
            raise
        handle = ProcessHandle(
            process,  # type: ignore[arg-type]  # any process of multiprocessing will do
            termination_scope=_RunScope(flow_run.id),
        )
        task_status.started(handle)
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


def kill_leftovers(flow_run_id: UUID) -> int:
    """Kill what a run has started and left behind, however far it has gone from it.

    In a run's container this process has the run's environment too, and is spared.

    Returns:
        How many processes there were.
    """
    killed = 0
    spared = {os.getpid(), *(one.pid for one in psutil.Process().parents())}
    for process in psutil.process_iter():
        if process.pid in spared:
            continue
        with suppress(psutil.Error, OSError):
            if process.environ().get(RUN_VARIABLE) == str(flow_run_id):
                process.kill()
                killed += 1
    return killed
