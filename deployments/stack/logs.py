"""The logs of the stack's processes: kept over several starts, bounded in size, their owner's."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 10 * 1024 * 1024  # of one file
KEPT = 3
"""Earlier files of a log, as `server.log.1` (the latest) to `server.log.3`."""


def open_log(path: Path) -> BinaryIO:
    """Open a log for a process that begins to write it; what it held becomes an earlier file."""
    if path.exists() and path.stat().st_size:
        _shift(path)
        path.rename(_earlier(path, 1))
    return append_to_log(path)


def append_to_log(path: Path) -> BinaryIO:
    """Open a log to append to: each write goes to its end, wherever that is by then."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb")


def read_last_line(path: Path) -> str:
    """The last line of a log; empty where there is none."""
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1] if lines else ""


def bound_log(path: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Move what is in a log aside where it is large, also while a process writes it.

    A line that is written between the copy and the cut is lost. On a full disk the oldest file
    goes, and the rest waits.
    """
    if not path.exists() or path.stat().st_size <= most_bytes:
        return
    _shift(path)
    copy = _earlier(path, 1)
    try:
        shutil.copy2(path, copy)
    except OSError:
        copy.unlink(missing_ok=True)
    else:
        os.truncate(path, 0)


def _shift(path: Path) -> None:
    for number in range(KEPT, 1, -1):
        if (newer := _earlier(path, number - 1)).exists():
            newer.replace(_earlier(path, number))


def _earlier(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
