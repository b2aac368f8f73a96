"""A command in a terminal of its own, of 80 columns, and a person who answers its questions."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.waiting import wait_until

CTRL_C = "\x03"
ADSPARK = str(Path(sys.executable).parent / "adspark")

_STYLES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x1b\x07]*(\x07|\x1b\\))")
_HIDDEN = "(not shown)"
_PATIENCE = 240.0  # seconds without a word, after which the command hangs


@dataclass(frozen=True)
class Shown:
    """What a person saw on the terminal, and how the command ended."""

    screen: str
    exit_code: int

    @property
    def text(self) -> str:
        """On one line."""
        return " ".join(self.screen.split())

    @property
    def widest(self) -> int:
        """Characters of the longest line."""
        return max(len(line) for line in self.screen.splitlines())


def converse(
    command: Sequence[str],
    answers: Sequence[tuple[str, str | None]] = (),
    *,
    environment: Mapping[str, str],
    folder: Path,
) -> Shown:
    """Run a command in a terminal, and give each answer once its question is there.

    Args:
        command: the program with its arguments.
        answers: pairs of what is shown at last and what is typed then, without Enter; `CTRL_C`;
            None where it is only waited for.
        environment: of the command, which has no width of its own.
        folder: in which it runs.
    """
    variables = {k: v for k, v in environment.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(folder)
        os.execvpe(command[0], list(command), variables | {"TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
    seen, asked = "", 0
    for question, answer in answers:
        while question not in _plain(seen)[asked:]:
            more = _read(terminal)
            assert more is not None, f"{question!r} was never asked:\n{_plain(seen)}"
            seen += more
        asked = _plain(seen).index(question, asked) + len(question)
        if answer is None:
            continue
        if _HIDDEN in question:  # what is typed before the echo is switched off is thrown away
            wait_until(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO)
        if answer == CTRL_C:  # before the command waits for a key it is echoed, and not heard
            wait_until(lambda: psutil.Process(child).status() == psutil.STATUS_SLEEPING)
        os.write(terminal, (answer if answer == CTRL_C else f"{answer}\n").encode())
    while (more := _read(terminal)) is not None:
        seen += more
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return Shown(_plain(seen), os.waitstatus_to_exitcode(status))


def _read(terminal: int) -> str | None:
    """What comes next; None at the end."""
    ready, _, _ = select.select([terminal], [], [], _PATIENCE)
    assert ready, "nothing comes any more"
    content = b""
    with suppress(OSError):  # the other side is closed
        content = os.read(terminal, 65536)
    return content.decode(errors="replace") if content else None


def _plain(written: str) -> str:
    return _STYLES.sub("", written).replace("\r\n", "\n").replace("\r", "\n")
