"""What a run's process writes: it goes on to the worker's own output, and its end is kept.

It is written into a file and not into a pipe: a run outlives its worker, and would block or fail
once nobody reads the pipe.
"""

import os
import signal
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path

import anyio

_NAME = ".output"
_SIGNALS = ".signals"
_PAUSE = 0.5  # seconds between two looks at the file
_LINES = 20  # that are kept
_LONGEST = 2_000  # characters of a line that are kept
_MOST = 1 << 20  # bytes in the file; where it is in memory, it counts as the run's


class RunOutput:
    """The output of one process.

    Args:
        folder: the run's own.

    Attributes:
        terminated: set once the process was sent SIGTERM, whatever it made of that.
    """

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / _NAME
        self._signals = Path(folder) / _SIGNALS
        self._read = 0
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._rest = ""
        self.terminated = anyio.Event()

    @property
    def last_lines(self) -> list[str]:
        """The last ones, oldest first."""
        return [*self._lines, self._rest] if self._rest else list(self._lines)

    async def follow(self) -> None:
        """Pass on what comes, until it is cancelled."""
        while True:
            self.pass_on()
            await anyio.sleep(_PAUSE)

    def pass_on(self) -> None:
        """Pass on what has come since the last time."""
        with suppress(OSError):  # it has not begun, or it records no signals
            if signal.SIGTERM in self._signals.read_bytes():
                self.terminated.set()
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except OSError:  # it has not begun
            return
        self._read += len(new)
        if self._read > _MOST:  # it is written at its end, wherever that is
            os.truncate(self._path, 0)
            self._read = 0
        if not new:
            return
        text = new.decode(errors="replace")
        sys.stderr.write(text)
        sys.stderr.flush()
        *lines, self._rest = (self._rest + text).split("\n")
        self._lines.extend(line[:_LONGEST] for line in lines)
        self._rest = self._rest[:_LONGEST]


def write_output_to(folder: str) -> None:
    """Have this process, and all that it starts, write into the file."""
    file = os.open(Path(folder) / _NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    os.close(file)


def record_signals_in(folder: str) -> None:
    """Have each signal that this process hears of recorded, a byte each."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK
    signal.set_wakeup_fd(os.open(Path(folder) / _SIGNALS, flags, 0o600))
