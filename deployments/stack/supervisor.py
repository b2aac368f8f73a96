"""Keep the parts of the stack running: start again what has died, but not on a full disk.

A full disk is nobody's fault and may pass: what dies then waits until there is room again. Apart
from that, what dies again and again ends the stack.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from adspark.db.embedded import LocalPostgres
from adspark.errors import DatabaseUnavailableError
from deployments.stack.disk import has_room
from deployments.stack.logs import bound_log
from deployments.stack.processes import POLL, Part, PartState

_LOGS_POLL = 60.0  # seconds between two looks at the size of the logs
_POSTGRES_POLL = 2.0  # seconds between two looks at PostgreSQL, each of which starts a process
_ROOM_POLL = 2.0  # seconds between two looks whether the disk has room again
_MOST_FAILED_STARTS = 3  # of PostgreSQL, one after the other

SetState = Callable[[str, PartState], None]


class Keeper:
    """What keeps the parts of a stack running.

    Args:
        home: folder of the stack's data, whose disk needs room.
        parts: by name.
        is_ready: of each part that is a process of its own, whether it does its work.
        set_state: shows a person how a part is.
        on_restart: called with a part whose process is a new one.
    """

    def __init__(
        self,
        home: Path,
        *,
        parts: Mapping[str, Part],
        is_ready: Mapping[str, Callable[[], Awaitable[bool]]],
        set_state: SetState,
        on_restart: Callable[[Part], None],
    ) -> None:
        self._home = home
        self._parts = parts
        self._is_ready = is_ready
        self._set_state = set_state
        self._on_restart = on_restart

    async def keep(self, postgres: LocalPostgres) -> None:
        """Keep all of them, for ever.

        Raises:
            StackFailedError: one dies again and again; with its exit code and last words.
            DatabaseUnavailableError: PostgreSQL was killed and does not start again.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_postgres(postgres))
                group.create_task(self._keep_logs())
                for name in self._is_ready:
                    group.create_task(self._keep_part(name))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _keep_part(self, name: str) -> None:
        """Start a part again whenever it has died, also while it was starting."""
        part = self._parts[name]
        while True:
            await asyncio.sleep(POLL)
            if not part.is_alive:
                await self._wait_for_room(name)
                part.restart()
                self._on_restart(part)
                self._set_state(name, PartState.STARTING)
            elif part.state is PartState.STARTING and await self._is_ready[name]():
                self._set_state(name, PartState.READY)

    async def _keep_postgres(self, postgres: LocalPostgres) -> None:
        failed_starts = 0
        while True:
            await asyncio.sleep(_POSTGRES_POLL)
            if await asyncio.to_thread(postgres.is_running):
                failed_starts = 0
                continue
            await self._wait_for_room("postgres")
            try:
                await asyncio.to_thread(postgres.revive)
            except DatabaseUnavailableError:
                if not await asyncio.to_thread(has_room, self._home):
                    continue
                failed_starts += 1
                if failed_starts == _MOST_FAILED_STARTS:
                    raise
            else:
                self._set_state("postgres", PartState.READY)

    async def _keep_logs(self) -> None:
        while True:
            await asyncio.sleep(_LOGS_POLL)
            for part in self._parts.values():
                if part.log is not None:
                    await asyncio.to_thread(bound_log, part.log)

    async def _wait_for_room(self, name: str) -> None:
        while not await asyncio.to_thread(has_room, self._home):
            self._set_state(name, PartState.NO_ROOM)
            await asyncio.sleep(_ROOM_POLL)
