"""Locks that hold across processes: PostgreSQL's advisory locks, many on one connection.

They belong to the connection, so they end with the process at the latest, however it ends.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from adspark.errors import DatabaseUnavailableError

_POLL = 0.5  # seconds between two tries for a lock that another process holds

_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")


class Locks:
    """The locks of one holder; made by `Database.locks`, whose block translates driver errors.

    PostgreSQL gives a connection the same lock twice, so who has which is also kept here.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        self._mine: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}
        self._are_lost = False

    @asynccontextmanager
    async def hold(self, name: str, *, wait: bool = False) -> AsyncIterator[bool]:
        """Hold the lock of the thing `name`; yields whether it was to be had.

        Args:
            wait: until it is free.
        """
        mine = self._mine.setdefault(name, asyncio.Lock())
        self._users[name] = self._users.get(name, 0) + 1
        try:
            if mine.locked() and not wait:
                yield False
                return
            async with mine, self._lock_in_database(name, wait=wait) as locked:
                yield locked
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name], self._mine[name]

    @asynccontextmanager
    async def _lock_in_database(self, name: str, *, wait: bool) -> AsyncIterator[bool]:
        locked = await self._try(name)
        while wait and not locked:  # the holder is another process: nothing tells when it ends
            await asyncio.sleep(_POLL)
            locked = await self._try(name)
        try:
            yield locked
        finally:
            if locked:
                await self._unlock(name)

    async def _try(self, name: str) -> bool:
        return bool(await self._ask(_TRY_LOCK, name))

    async def _unlock(self, name: str) -> None:
        with suppress(DBAPIError, DatabaseUnavailableError):  # it went with the connection
            await self._ask(_UNLOCK, name)

    async def _ask(self, statement: TextClause, name: str) -> object:
        async with self._turn:
            if self._are_lost:
                raise DatabaseUnavailableError("The connection that held the locks was cut.")
            try:
                return await self._connection.scalar(statement, {"name": name})
            except DBAPIError:
                self._are_lost = True
                await self._connection.invalidate()
                raise
