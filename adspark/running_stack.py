"""The local stack that runs on this machine: who it is and where it answers.

It leaves that in a file of ADSPARK_HOME for the commands and for Python programs.
"""

import os
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
        except psutil.NoSuchProcess:
            return None
        return process if same and is_alive(process) else None


class StackState(BaseModel):
    """The stack of an ADSPARK_HOME: at most one.

    Attributes:
        home: folder of its data; on the sandbox it is one of its own in ADSPARK_HOME.
        sandbox_url: where the sandbox answers; None where the stack runs on SerpApi.
        database_url: of its embedded database; None where that is a server of the user's own.
    """

    supervisor: ProcessId = Field(default_factory=lambda: ProcessId.of(os.getpid()))
    home: Path
    api_url: str
    ui_url: str
    sandbox_url: str | None = None
    database_url: str | None = None
    ready: bool = False
    parts: dict[str, ProcessId] = Field(default_factory=dict)

    def running_parts(self) -> list[psutil.Process]:
        """Those of its parts that run, also after the supervisor's death."""
        return [found for one in self.parts.values() if (found := one.find())]

    def write(self, settings: Settings) -> None:
        """Leave the state for others, never half written."""
        path = state_file(settings)
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
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


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended but that its parent never asked for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
