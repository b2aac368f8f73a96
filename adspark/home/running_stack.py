"""The local stack of this machine: its processes and addresses, in a file of ADSPARK_HOME."""

import os
from pathlib import Path

import psutil
from pydantic import BaseModel, Field, ValidationError

from adspark.home.processes import ProcessId


class StackState(BaseModel):
    """The stack of an ADSPARK_HOME: at most one."""

    supervisor: ProcessId = Field(default_factory=lambda: ProcessId.of(os.getpid()))
    home: Path  # of its data; on the sandbox a separate folder in ADSPARK_HOME
    api_url: str
    ui_url: str
    gallery_url: str = ""
    sandbox_url: str | None = None  # where it does not run on SerpApi
    database_url: str | None = None  # of its embedded database, if it has one
    ready: bool = False
    parts: dict[str, ProcessId] = Field(default_factory=dict)  # its processes, by name

    def running_processes(self) -> list[psutil.Process]:
        """Those of its processes that run, also after the supervisor's death."""
        return [found for one in self.parts.values() if (found := one.find())]

    def write(self, home: Path) -> None:
        """Write the state atomically."""
        path = state_file(home)
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(self.model_dump_json(indent=1))
        partial.replace(path)


def state_file(home: Path) -> Path:
    """Where the state of the stack is."""
    return home / "stack.json"


def read_state(home: Path) -> StackState | None:
    """The state of the last stack, running or not; None where there was none."""
    try:
        return StackState.model_validate_json(state_file(home).read_text())
    except (FileNotFoundError, ValidationError):
        return None


def running_stack(home: Path) -> StackState | None:
    """The stack that runs now; None where none does."""
    state = read_state(home)
    return state if state and state.supervisor.find() else None
