"""A process of the local stack, with its log, its address and the state that people see."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import psutil

from adspark.errors import AdSparkError
from adspark.home.processes import session_members, stop_process_trees, stop_processes
from deployments.stack.logs import append_to_log, open_log, read_last_line

START_TIMEOUT = 120.0  # seconds for one process to become ready, on a slow machine's first start
STOP_PATIENCE = 15.0  # seconds between asking a process to end and killing it
POLL = 0.2  # seconds between two looks at a process
_MOST_DEATHS = 9  # within so many seconds, after which a process is not restarted
_DEATHS_WITHIN = 60.0


class ProcessState(StrEnum):
    """How far a process is."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    NO_ROOM = "waiting for room on the disk"
    STOPPED = "stopped"
    DIED = "died"


class StackFailedError(AdSparkError):
    """A process did not start, or died; all others were stopped."""


@dataclass
class StackProcess:
    """A process as a person sees it; also PostgreSQL, and what is done in the stack's own process.

    Attributes:
        is_ready: whether it does its work; None for what has no process of ours.
    """

    name: str
    on_change: Callable[[], None] = field(repr=False)
    address: str = ""
    log: Path | None = None
    state: ProcessState = ProcessState.WAITING
    is_ready: Callable[[], Awaitable[bool]] | None = field(default=None, repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _spawn: Callable[[BinaryIO], subprocess.Popen[bytes]] | None = field(default=None, repr=False)
    _deaths: list[float] = field(default_factory=list, repr=False)

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def set_state(self, state: ProcessState, *, address: str = "") -> None:
        """Show people its state, and its address where it has a new one."""
        self.state = state
        self.address = address or self.address
        self.on_change()

    def start(self, arguments: list[str], *, log: Path, env: dict[str, str], cwd: Path) -> None:
        """Start a Python process, in a session of its own: Ctrl-C reaches the supervisor alone.

        Args:
            arguments: of the interpreter.
            log: file of its output.
            env: its environment.
            cwd: its working folder.
        """

        def spawn(output: BinaryIO) -> subprocess.Popen[bytes]:
            with output:
                return subprocess.Popen(
                    [sys.executable, "-P", *arguments],
                    env=env,
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

        self.log, self._spawn = log, spawn
        self.process = spawn(open_log(log))

    def restart(self) -> None:
        """Restart it after it died.

        Raises:
            StackFailedError: it dies again and again.
        """
        self._stop_session()
        now = time.monotonic()
        self._deaths = [one for one in self._deaths if now - one < _DEATHS_WITHIN] + [now]
        if len(self._deaths) > _MOST_DEATHS or self._spawn is None or self.log is None:
            self.check_alive()
            return
        self.process = self._spawn(append_to_log(self.log))

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        """Ask it to end, and wait `patience` seconds; then kill what is left of it and below it."""
        if self.process is None:
            return
        if self.is_alive:
            family = psutil.Process(self.process.pid).children(recursive=True)
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
            left = [one for one in family if one.is_running()]
            stop_process_trees(left, timeout=STOP_PATIENCE)
        self._stop_session()
        self.process.wait()

    def _stop_session(self) -> None:
        """End what is left in its session: a process that died may leave its helpers behind.

        Not what those have started in sessions of their own: the runs of a killed worker go on.
        """
        if self.process is not None:
            stop_processes(session_members(self.process.pid), timeout=STOP_PATIENCE)

    def check_alive(self) -> None:
        """Raise StackFailedError where it has ended, with the last line of its log."""
        if self.process is None or (code := self.process.poll()) is None:
            return
        self.state = ProcessState.DIED
        last = "" if self.log is None else read_last_line(self.log)
        raise StackFailedError(f"{self.name} ended with exit code {code}: {last} (log: {self.log})")

    async def answers(self) -> bool:
        """Whether it does its work."""
        return self.is_ready is None or await self.is_ready()

    async def wait_ready(self) -> None:
        """Wait until it is ready.

        Raises:
            StackFailedError: it died, or took longer than `START_TIMEOUT`.
        """
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while not await self.answers():
                    self.check_alive()
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise StackFailedError(
                f"{self.name} was not ready after {START_TIMEOUT:g} s; its log: {self.log}"
            ) from None
        self.set_state(ProcessState.READY)
