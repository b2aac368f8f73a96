"""Processes of this host: identified beyond their number, and ended."""

import os
import time
from collections.abc import Collection, Iterable
from contextlib import suppress

import psutil
from pydantic import BaseModel

# Seconds by which the start of a process may have moved: it is told from the system's boot time,
# which is rounded to seconds and moves as the clock is set.
_CLOCK_CHANGE = 5.0
_POLL = 0.05  # seconds between two checks of processes that are ending


class ProcessId(BaseModel):
    """A process, distinct from a later one of the same number."""

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
            same = abs(process.create_time() - self.created) < _CLOCK_CHANGE
        except psutil.NoSuchProcess:
            return None
        return process if same and is_alive(process) else None


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def session_members(leader: int) -> list[psutil.Process]:
    """The processes in the session that the process `leader` has begun; it may have ended."""
    return [one for one in psutil.process_iter() if _session_of(one) == leader]


def _session_of(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:  # it has ended, or its session is not ours to ask for
        return None


def stop_process_trees(roots: Iterable[psutil.Process], *, timeout: float) -> None:
    """End processes and their descendants: by SIGTERM, after `timeout` seconds by SIGKILL."""
    family = {process.pid: process for root in roots for process in _with_children(root)}
    stop_processes(family.values(), timeout=timeout)


def stop_processes(processes: Collection[psutil.Process], *, timeout: float) -> None:
    """End these processes alone: by SIGTERM, after `timeout` seconds by SIGKILL."""
    for act in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                act(process)
        end = time.monotonic() + timeout
        while time.monotonic() <= end and any(map(is_alive, processes)):
            time.sleep(_POLL)


def _with_children(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
