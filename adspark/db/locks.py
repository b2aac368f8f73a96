"""Locks that hold across processes: PostgreSQL's advisory locks, many on one connection.

They belong to the connection, so they end with the process at the latest, however it ends.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from adspark.errors import DatabaseSetupError, DatabaseUnavailableError
from adspark.waits import tell_wait

_POLL = 0.5  # seconds between two tries for a lock that another process holds

# With the server process that answers: locks are its own, so it has to stay the same.
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)), pg_backend_pid()"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0)), pg_backend_pid()"
_CHECK = "SELECT true, pg_backend_pid()"
_PROBES = 3  # other transactions that could be given the server process of a lock's holder


Driver = psycopg.AsyncConnection[Any]
"""A connection of psycopg, in autocommit."""

Translated = Callable[[], AbstractContextManager[None]]
"""Makes a block that turns the driver's errors into the project's own."""


class Locks:
    """The locks of one holder; made by `Database.locks`.

    PostgreSQL gives a connection the same lock twice, so who has which is also kept here. The
    statements are the driver's own, which take half of SQLAlchemy's time: a check has five.
    """

    def __init__(self, connection: AsyncConnection, driver: Driver, translated: Translated) -> None:
        self._connection = connection
        self._driver = driver
        self._translated = translated
        self._mutex = asyncio.Lock()
        self._mine: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}
        self._are_lost = False
        self._pid: int | None = None

    async def check(self) -> None:
        """Make sure that the locks are still held, by one short statement.

        Raises:
            DatabaseUnavailableError: their connection was cut.
            DatabaseSetupError: their connection has changed its server process.
        """
        await self._execute(_CHECK)

    @asynccontextmanager
    async def acquire(
        self,
        name: str,
        *,
        wait_for: str | None = None,
        may_wait: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[bool]:
        """Acquire the lock `name`, waiting until it is free where it is said what one waits for.

        Args:
            name: of the lock.
            wait_for: whose end one waits for, which is told where it has to be; None: do not wait.
            may_wait: whether to wait on for another process, asked again and again.

        Yields:
            Whether it was acquired.
        """
        mine = self._mine.setdefault(name, asyncio.Lock())
        self._users[name] = self._users.get(name, 0) + 1
        try:
            if mine.locked() and wait_for is None:
                yield False
                return
            async with mine, self._lock_in_database(name, wait_for, may_wait) as locked:
                yield locked
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name], self._mine[name]

    @asynccontextmanager
    async def _lock_in_database(
        self, name: str, wait_for: str | None, may_wait: Callable[[], bool]
    ) -> AsyncIterator[bool]:
        locked = await self._execute(_TRY_LOCK, name)
        if wait_for is not None and not locked:
            tell_wait(f"until {wait_for} has ended")
        # Of another process: nothing signals its end.
        while wait_for is not None and not locked and may_wait():
            await asyncio.sleep(_POLL)
            locked = await self._execute(_TRY_LOCK, name)
        try:
            yield locked
        finally:
            if locked:
                # It went with its connection, where that is gone.
                with suppress(DatabaseUnavailableError):
                    await self._execute(_UNLOCK, name)

    async def _execute(self, statement: LiteralString, *name: str) -> bool:
        async with self._mutex:
            if self._are_lost:
                raise DatabaseUnavailableError("The connection that held the locks was cut.")
            try:
                with self._translated():
                    answer, pid = await _ask(self._driver, statement, *name)
            except BaseException:  # a statement that is cancelled takes its connection along
                self._are_lost = True
                await self._connection.invalidate()
                raise
            if self._pid not in (None, pid):
                self._are_lost = True
                raise transaction_pooler()
            self._pid = pid
            return bool(answer)


async def driver_of(connection: AsyncConnection) -> Driver:
    """The driver's own connection below one in autocommit."""
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, psycopg.AsyncConnection):
        raise TypeError(f"{type(driver).__name__} is no connection of psycopg")
    return driver


async def check_sessions(holder: Driver, other: Driver) -> None:
    """Make sure that connections keep their server processes, without which no lock lasts.

    A pooler in transaction mode lends a server process for one transaction. So while the holder is
    connected, another connection gets to its process, and to its lock, or drives it to another.
    Both are in autocommit.

    Raises:
        DatabaseSetupError: the connections share server processes.
    """
    name = f"probe:{uuid4()}"
    _, pid = await _ask(holder, _TRY_LOCK, name)
    others = [await _ask(other, _TRY_LOCK, name) for _ in range(_PROBES)]
    async with other.transaction():
        others.append(await _ask(other, _TRY_LOCK, name))
        unlocked, pid_now = await _ask(holder, _UNLOCK, name)
    if unlocked and pid_now == pid and not any(got_it or at == pid for got_it, at in others):
        return
    for _ in others:  # leave nothing behind in a process that others will be lent
        await _ask(other, _UNLOCK, name)
    raise transaction_pooler()


async def _ask(driver: Driver, statement: LiteralString, *values: str) -> tuple[bool, int]:
    """What one of the statements above answers: whether, and by which server process."""
    [(answer, pid)] = await (await driver.execute(statement, values)).fetchall()
    return answer, pid


def transaction_pooler() -> DatabaseSetupError:
    """The error for an address at which sessions do not last."""
    return DatabaseSetupError(
        "ADSPARK_DATABASE_URL leads to a connection pooler in transaction mode, where locks do not "
        "hold, so that work would be done and paid twice. Set the pooler to session mode "
        "(pgbouncer: pool_mode = session), or name PostgreSQL itself."
    )
