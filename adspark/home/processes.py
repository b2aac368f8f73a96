"""Processes of this host: told apart from later ones of the same number, and ended."""

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil
from pydantic import BaseModel

_POLL = 0.05  # seconds between two looks at processes that are ending


class ProcessId(BaseModel):
    """A process, told apart from a later one that was given the same number."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """The process that has this number now."""
        return cls(pid=pid, created=psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process, if it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1
        except psutil.NoSuchProcess:
            return None
        return process if same and is_alive(process) else None


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended but that its parent never asked for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop_process_trees(roots: Iterable[psutil.Process], *, patience: float) -> None:
    """End processes and all below them: asked first, forced after `patience` seconds."""
    family = {process.pid: process for root in roots for process in _with_children(root)}
    for act in (psutil.Process.terminate, psutil.Process.kill):
        for process in family.values():
            with suppress(psutil.NoSuchProcess):
                act(process)
        end = time.monotonic() + patience
        while any(is_alive(process) for process in family.values()):
            if time.monotonic() > end:
                break
            time.sleep(_POLL)


def _with_children(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
