"""A part of the local stack: one process with a log, an address and a state that people see."""

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
from adspark.home.processes import stop_process_trees
from deployments.stack.logs import append_to_log, open_log

START_TIMEOUT = 120.0  # seconds for one part to become ready, on a slow machine's first start
STOP_PATIENCE = 15.0  # seconds between asking a part to end and forcing it
POLL = 0.2  # seconds between two looks at a part
_MOST_DEATHS = 9  # within so many seconds, after which a part is not started again
_DEATHS_WITHIN = 60.0


class PartState(StrEnum):
    """How far a part is."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    NO_ROOM = "waiting for room on the disk"
    STOPPED = "stopped"
    DIED = "died"


class StackFailedError(AdSparkError):
    """A part did not start, or died; all others were stopped."""


@dataclass
class Part:
    """A part as a person sees it; `process` for those that are one."""

    name: str
    address: str = ""
    log: Path | None = None
    state: PartState = PartState.WAITING
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _call: Callable[[BinaryIO], subprocess.Popen[bytes]] | None = field(default=None, repr=False)
    _deaths: list[float] = field(default_factory=list, repr=False)

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def start(self, arguments: list[str], *, log: Path, env: dict[str, str], cwd: Path) -> None:
        """Start a Python process of this part, in a session of its own.

        Ctrl-C then reaches the supervisor alone, which ends the parts in their order.
        """
        self.log = log

        def call(output: BinaryIO) -> subprocess.Popen[bytes]:
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

        self._call = call
        self.process = call(open_log(log))

    def restart(self) -> None:
        """Start its process again, after it died.

        Raises:
            StackFailedError: it dies again and again.
        """
        now = time.monotonic()
        self._deaths = [one for one in self._deaths if now - one < _DEATHS_WITHIN] + [now]
        if len(self._deaths) > _MOST_DEATHS or self._call is None or self.log is None:
            self.check_alive()
            return
        self.process = self._call(append_to_log(self.log))

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        """Ask its process to end, and wait for that; then end all that is left below it."""
        if self.process is None or self.process.poll() is not None:
            return
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        left = [one for one in family if one.is_running()]
        stop_process_trees([*left, *self._own_process()], timeout=STOP_PATIENCE)
        self.process.wait()

    def check_alive(self) -> None:
        """Raise StackFailedError where its process has ended, with its last words."""
        if self.process is None or (code := self.process.poll()) is None:
            return
        self.state = PartState.DIED
        raise StackFailedError(
            f"{self.name} ended with exit code {code}: {self._last_words()} (log: {self.log})"
        )

    async def until(self, is_ready: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it is ready.

        Raises:
            StackFailedError: it died, or took longer than `START_TIMEOUT`.
        """
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while not await is_ready():
                    self.check_alive()
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise StackFailedError(
                f"{self.name} was not ready after {START_TIMEOUT:g} s; its log: {self.log}"
            ) from None

    def _own_process(self) -> list[psutil.Process]:
        return [psutil.Process(self.process.pid)] if self.process and self.is_alive else []

    def _last_words(self) -> str:
        if self.log is None or not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
