"""Supervise the stack's processes: restart what has died, but not on a full disk.

A full disk is nobody's fault and may pass: what dies then waits until there is room again. Apart
from that, what dies again and again ends the stack.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from adspark.concurrency import all_of
from adspark.db.embedded import LocalPostgres
from adspark.errors import DatabaseUnavailableError
from deployments.stack.disk import has_room
from deployments.stack.logs import bound_log
from deployments.stack.processes import POLL, ProcessState, StackProcess

_LOGS_POLL = 60.0  # seconds between two looks at the size of the logs
_POSTGRES_POLL = 2.0  # seconds between two looks at PostgreSQL, each of which starts a process
_ROOM_POLL = 2.0  # seconds between two looks whether the disk has room again
_MAX_FAILING = 60.0  # seconds in which PostgreSQL may fail to start, as after a kill


async def supervise(
    home: Path,
    postgres: LocalPostgres,
    processes: Mapping[str, StackProcess],
    on_restart: Callable[[StackProcess], None],
) -> None:
    """Keep the processes of a stack running, for ever.

    Args:
        home: folder of the stack's data, whose disk needs room.
        postgres: the embedded server.
        processes: by name, `postgres` among them.
        on_restart: called with a process that was restarted.

    Raises:
        StackFailedError: one dies again and again; with its exit code and its last line.
        DatabaseUnavailableError: PostgreSQL was killed and does not start again.
    """
    watched = [one for one in processes.values() if one.is_ready is not None]
    await all_of(
        [
            _watch_postgres(home, postgres, processes["postgres"]),
            _bound_logs(processes),
            *(_watch(home, one, on_restart) for one in watched),
        ]
    )


async def _watch(
    home: Path, process: StackProcess, on_restart: Callable[[StackProcess], None]
) -> None:
    """Restart a process whenever it has died, also while it was starting."""
    while True:
        await asyncio.sleep(POLL)
        if not process.is_alive:
            await _wait_for_room(home, process)
            process.restart()
            on_restart(process)
            process.set_state(ProcessState.STARTING)
        elif process.state is ProcessState.STARTING and await process.answers():
            process.set_state(ProcessState.READY)


async def _watch_postgres(home: Path, postgres: LocalPostgres, process: StackProcess) -> None:
    failing_since: float | None = None
    while True:
        await asyncio.sleep(_POSTGRES_POLL)
        if await asyncio.to_thread(postgres.is_running):
            failing_since = None
            continue
        await _wait_for_room(home, process)
        try:
            await asyncio.to_thread(postgres.revive)
        except DatabaseUnavailableError:
            if not await asyncio.to_thread(has_room, home):
                continue
            failing_since = failing_since or time.monotonic()
            if time.monotonic() - failing_since > _MAX_FAILING:
                raise
        else:
            process.set_state(ProcessState.READY)


async def _bound_logs(processes: Mapping[str, StackProcess]) -> None:
    while True:
        await asyncio.sleep(_LOGS_POLL)
        for process in processes.values():
            if process.log is not None:
                await asyncio.to_thread(bound_log, process.log)


async def _wait_for_room(home: Path, process: StackProcess) -> None:
    while not await asyncio.to_thread(has_room, home):
        process.set_state(ProcessState.NO_ROOM)
        await asyncio.sleep(_ROOM_POLL)
