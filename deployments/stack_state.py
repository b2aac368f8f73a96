"""What a running local stack leaves on disk for other commands: who it is and where it answers."""

import os
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import BaseModel, Field, ValidationError

from adspark.settings import Settings


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
            alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same and alive else None


class StackState(BaseModel):
    """The stack of an ADSPARK_HOME: at most one."""

    supervisor: ProcessId = Field(default_factory=lambda: ProcessId.of(os.getpid()))
    home: Path
    api_url: str
    ui_url: str
    sandbox_url: str | None = None
    ready: bool = False
    parts: dict[str, ProcessId] = Field(default_factory=dict)

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


def stop_process_tree(process: psutil.Process, *, patience: float) -> None:
    """End a process and all below it: asked first, forced after `patience` seconds."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    _, left = psutil.wait_procs(family, timeout=patience)
    for member in left:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(left, timeout=patience)
