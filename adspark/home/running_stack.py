"""The local stack of this machine: its processes and addresses, in a file of ADSPARK_HOME, and the
locks that hold a second one off."""

import fcntl
import os
from pathlib import Path

import psutil
from pydantic import BaseModel, Field, ValidationError

from adspark.errors import ConfigurationError
from adspark.home.processes import ProcessId

LOCK = "stack.lock"
"""File in ADSPARK_HOME that is locked while a stack starts, runs and stops."""

START_LOCK = "stack-start.lock"
"""The same while a command starts one in the background."""

LOCK_PATIENCE = 0.2
"""Seconds to wait for a lock, since who asks for it (`is_locked`) holds it for a moment."""


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
    not_set_up: list[str] = Field(default_factory=list)  # what it cannot do yet, and the remedy
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
    """The state of the last stack, running or not; None where there was none.

    A state that came here with a copy of another ADSPARK_HOME is of no stack of this one.

    Raises:
        ConfigurationError: the home is no folder.
    """
    try:
        state = StackState.model_validate_json(state_file(home).read_text())
    except (FileNotFoundError, ValidationError):
        return None
    except NotADirectoryError:
        raise ConfigurationError(
            f"ADSPARK_HOME: {home} is no folder; name another folder."
        ) from None
    return state if state.home.resolve().is_relative_to(home.resolve()) else None


def running_stack(home: Path) -> StackState | None:
    """The stack that runs now; None where none does."""
    state = read_state(home)
    return state if state and state.supervisor.find() else None


def works_on(home: Path) -> bool:
    """Whether a stack that is ready has its data in this folder, which on the sandbox lies in its
    ADSPARK_HOME."""
    stacks = (running_stack(one) for one in (home, home.parent))
    return any(one is not None and one.ready and one.home == home for one in stacks)


def orphaned_stack(home: Path) -> StackState | None:
    """A stack whose supervisor was killed, while others of its processes still run."""
    state = read_state(home)
    is_orphaned = state and not state.supervisor.find() and state.running_processes()
    return state if is_orphaned else None


def describe_orphaned(stack: StackState) -> tuple[str, str]:
    """What is told of an orphaned stack, and the remedy."""
    up = "adspark up --sandbox" if stack.sandbox_url else "adspark up"
    what = f"the supervisor of the stack of {stack.home} was killed; its other processes run on"
    return what, f"start it anew with: {up}"


def is_starting(home: Path) -> bool:
    """Whether a stack is being started: it is there, or on its way, and not ready."""
    if state := running_stack(home):
        return not state.ready
    return is_locked(home / START_LOCK) or is_locked(home / LOCK)


def check_no_stack(home: Path) -> None:
    """Raise ConfigurationError where a stack runs, or is being started."""
    state = running_stack(home)
    if state and state.ready:
        raise ConfigurationError(
            f"A stack of {home} runs already at {state.ui_url}",
            command="stop it with: adspark down",
        )
    if is_starting(home):
        raise ConfigurationError(describe_starting(home))


def describe_starting(home: Path) -> str:
    """What is told to who wants a stack that is being started."""
    return f"A stack of {home} is being started; wait until it is ready: adspark status"


def is_locked(path: Path) -> bool:
    """Whether another opening of the file holds its lock; without the file, nobody does."""
    try:
        number = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(number)
    return False
