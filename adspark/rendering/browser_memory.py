"""The memory of the browser's processes, watched beside the event loop; past its bound they end.

Their resident memory is summed up first, which is quick and never too little. Only where that is
past the bound is it asked what they really take (PSS): shared memory, as of pictures, counts once.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

import psutil

_PAUSE = 0.5  # seconds between two looks
_SHORT_PAUSE = 0.1  # where half of the bound is reached; a page takes a gigabyte in a second


class MemoryWatch:
    """A thread that looks from `start` to `stop`.

    Args:
        find: the processes.
        limit: megabytes that they may take together.
        on_excess: is called, in the thread, before they are killed.
    """

    def __init__(
        self,
        find: Callable[[], list[psutil.Process]],
        *,
        limit: int,
        on_excess: Callable[[], None],
    ) -> None:
        self._find = find
        self._limit = limit * 2**20
        self._on_excess = on_excess
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="browser memory", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns at once."""
        self._is_over.set()

    def _watch(self) -> None:
        pause = _PAUSE
        while not self._is_over.wait(pause):
            processes: set[psutil.Process] = set()
            with suppress(psutil.Error):
                processes.update(self._find())
            resident = sum(_resident(process) for process in processes)
            pause = _PAUSE if resident < self._limit / 2 else _SHORT_PAUSE
            if resident <= self._limit or sum(map(_taken, processes)) <= self._limit:
                continue
            self._on_excess()
            for process in processes:
                with suppress(psutil.Error):
                    process.kill()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0  # it is gone


def _taken(process: psutil.Process) -> int:
    """What one process takes, its share of what it shares, and what is swapped out."""
    try:
        told = process.memory_full_info()
    except psutil.AccessDenied:  # as of a program with other rights
        return _resident(process)
    except psutil.Error:
        return 0
    return int(getattr(told, "pss", told.uss)) + int(getattr(told, "swap", 0))
