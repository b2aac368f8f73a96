"""Start the local stack in the background, and stop it, from another process."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from adspark.db.embedded import LocalPostgres, postgres_folder
from adspark.errors import AdSparkError, ConfigurationError
from adspark.home.private_folder import make_home
from adspark.home.processes import stop_process_trees
from adspark.home.running_stack import (
    LOCK_PATIENCE,
    START_LOCK,
    StackState,
    check_no_stack,
    describe_starting,
    read_state,
    running_stack,
    state_file,
)
from adspark.settings import Settings
from deployments.stack.logs import open_log, read_last_line

_START_PATIENCE = 240.0  # seconds until a stack is ready, on a slow machine's first start
_STOP_PATIENCE = 60.0  # seconds, beside those for draining, before a stack is forced to end
_SHOWN_EVERY = 15.0  # seconds between two lines about a start that takes long
_POLL = 0.2  # seconds
_CHANGE_FIRST = 2  # exit code of a command that says in its last line what has to change


def start_detached(
    settings: Settings, *, sandbox: str | None, on_wait: Callable[[str], None]
) -> StackState:
    """Start a stack in the background and wait until it is ready.

    Args:
        settings: whose `home` it gets.
        sandbox: as of `LocalStack`.
        on_wait: called every 15 seconds with the last line of the stack's log.

    Raises:
        ConfigurationError: a stack runs, or is being started; or a setting keeps it from starting.
        AdSparkError: it did not start; the message is its own.
    """
    check_no_stack(settings.home)
    make_home(settings.home)
    try:
        starting = FileLock(settings.home / START_LOCK).acquire(timeout=LOCK_PATIENCE)
    except Timeout:
        raise ConfigurationError(describe_starting(settings.home)) from None
    with starting:  # so that the log is of one start
        if running_stack(settings.home):  # since the look above
            check_no_stack(settings.home)
        return _start(settings, sandbox, on_wait)


def _start(settings: Settings, sandbox: str | None, on_wait: Callable[[str], None]) -> StackState:
    log = settings.home / "stack.log"
    command = [
        sys.executable,
        "-P",  # nothing of the working folder is imported
        "-m",
        "deployments.cli.main",
        "up",
        *(["--sandbox", "--data", sandbox] if sandbox else []),
    ]
    with open_log(log) as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _wait_ready(settings, process, log, on_wait)
    except KeyboardInterrupt:  # it hears of no Ctrl-C itself, and nobody would know that it runs
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_PATIENCE)
        stop_stack(settings)
        raise


def _wait_ready(
    settings: Settings,
    process: "subprocess.Popen[bytes]",
    log: Path,
    on_wait: Callable[[str], None],
) -> StackState:
    began = shown_at = time.monotonic()
    while True:
        state = running_stack(settings.home)
        if state and state.ready and state.supervisor.pid == process.pid:
            return state
        if process.poll() is not None:
            error = read_last_line(log).removeprefix("Error: ")
            if process.returncode == _CHANGE_FIRST:
                raise ConfigurationError(error)
            raise AdSparkError(f"The stack did not start. {error} (log: {log})")
        if time.monotonic() > began + _START_PATIENCE:
            stop_stack(settings)
            raise AdSparkError(f"The stack was not ready after {_START_PATIENCE:g} s; log: {log}")
        if time.monotonic() > shown_at + _SHOWN_EVERY:
            shown_at = time.monotonic()
            on_wait(read_last_line(log))
        time.sleep(_POLL)


def stop_stack(settings: Settings) -> bool:
    """Stop the stack and wait for its end, clear away what a killed one left; returns whether there
    was anything to stop."""
    state = read_state(settings.home)
    if state is None:
        return False
    if supervisor := state.supervisor.find():
        supervisor.terminate()
        end = time.monotonic() + settings.drain_time + _STOP_PATIENCE
        while state.supervisor.find() and time.monotonic() < end:
            time.sleep(_POLL)
    left = [*state.running_processes(), *filter(None, [state.supervisor.find()])]
    stop_process_trees(left, timeout=_STOP_PATIENCE)
    LocalPostgres(postgres_folder(state.home)).stop_unused()
    state_file(settings.home).unlink(missing_ok=True)
    return True


def stop_databases(home: Path) -> bool:
    """Stop the embedded servers of a home that nobody uses, as after a command that was killed;
    returns whether one is in use."""
    if not home.is_dir():
        return False
    servers = [LocalPostgres(postgres_folder(data)) for data in (home, *home.iterdir())]
    running = [server for server in servers if server.is_running()]
    for server in running:
        server.stop_unused()
    return any(server.is_running() for server in running)
