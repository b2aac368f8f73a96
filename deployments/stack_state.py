"""What a running local stack leaves on disk for other commands: who it is and where it answers."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import BaseModel, Field, ValidationError

from adspark.settings import Settings

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


class StackState(BaseModel):
    """The stack of an ADSPARK_HOME: at most one."""

    supervisor: ProcessId = Field(default_factory=lambda: ProcessId.of(os.getpid()))
    home: Path
    api_url: str
    ui_url: str
    sandbox_url: str | None = None
    ready: bool = False
    parts: dict[str, ProcessId] = Field(default_factory=dict)

    def running_parts(self) -> list[psutil.Process]:
        """Those of its parts that run, also after the supervisor's death."""
        return [found for one in self.parts.values() if (found := one.find())]

    def write(self, settings: Settings) -> None:
        """Leave the state for others, never half written."""
        path = state_file(settings)
        partial = path.with_suffix(".partial")
        partial.write_text(self.model_dump_json(indent=1))
        partial.replace(path)


def state_file(settings: Settings) -> Path:
    """Where the state of the stack is."""
    return settings.home / "stack.json"


def read_state(settings: Settings) -> StackState | None:
    """The state that the last stack left, running or not."""
    try:
        return StackState.model_validate_json(state_file(settings).read_text())
    except (FileNotFoundError, ValidationError):
        return None


def running_stack(settings: Settings) -> StackState | None:
    """The stack that runs now, if one does."""
    state = read_state(settings)
    return state if state and state.supervisor.find() else None


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


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended but that its parent never asked for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _with_children(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
