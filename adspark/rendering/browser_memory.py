"""A bound on the memory of the browser's processes, watched in a thread; past it they are killed.

Their resident memory is summed up first, which is quick and never too little. Only where that is
past the bound is their proportional memory (PSS) read: what they share, as pictures, counts once.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

import psutil

_PAUSE = 0.5  # seconds between two checks
_SHORT_PAUSE = 0.1  # where half of the bound is reached; a page takes a gigabyte in a second


def watch_memory(
    find: Callable[[], list[psutil.Process]], *, limit: int, on_excess: Callable[[], None]
) -> Callable[[], None]:
    """Start a thread that kills processes which take too much memory; returns what stops it.

    Args:
        find: the processes.
        limit: megabytes that they may take together.
        on_excess: is called, in the thread, before they are killed.
    """
    stopped = threading.Event()
    most = limit * 2**20

    def watch() -> None:
        pause = _PAUSE
        while not stopped.wait(pause):
            processes: set[psutil.Process] = set()
            with suppress(psutil.Error):
                processes.update(find())
            resident = sum(map(_resident, processes))
            pause = _PAUSE if resident < most / 2 else _SHORT_PAUSE
            if resident <= most or sum(map(_proportional, processes)) <= most:
                continue
            on_excess()
            for process in processes:
                with suppress(psutil.Error):
                    process.kill()

    threading.Thread(target=watch, name="browser memory", daemon=True).start()
    return stopped.set


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0  # it has ended


def _proportional(process: psutil.Process) -> int:
    """Bytes of one process: its share of what it shares, and what is swapped out."""
    try:
        memory = process.memory_full_info()
    except psutil.AccessDenied:  # as of a program with other rights
        return _resident(process)
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.uss)) + int(getattr(memory, "swap", 0))
