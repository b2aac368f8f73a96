"""The processes of the local stack, found and ended by another process."""

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

from adspark.running_stack import ProcessId as ProcessId
from adspark.running_stack import StackState as StackState
from adspark.running_stack import is_alive as is_alive
from adspark.running_stack import read_state as read_state
from adspark.running_stack import running_stack as running_stack
from adspark.running_stack import state_file as state_file

_POLL = 0.05  # seconds between two looks at processes that are ending


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
