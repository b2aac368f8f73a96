"""Locks that hold across processes: PostgreSQL's advisory locks, many on one connection.

They belong to the connection, so they end with the process at the latest, however it ends.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from adspark.errors import DatabaseSetupError, DatabaseUnavailableError
from adspark.waits import tell_wait

_POLL = 0.5  # seconds between two tries for a lock that another process holds

# With the server process that answers: locks are its own, so it has to stay the same.
_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0)), pg_backend_pid()")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0)), pg_backend_pid()")
_CHECK = text("SELECT true, pg_backend_pid()")
_BEGIN, _END = text("BEGIN"), text("COMMIT")
_PROBES = 3  # other transactions that could be given the server process of a lock's holder


class Locks:
    """The locks of one holder; made by `Database.locks`, whose block translates driver errors.

    PostgreSQL gives a connection the same lock twice, so who has which is also kept here.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
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
        await self._execute(_CHECK, "")

    @asynccontextmanager
    async def acquire(self, name: str, *, wait_for: str | None = None) -> AsyncIterator[bool]:
        """Acquire the lock `name`, waiting until it is free where it is said what one waits for.

        Args:
            name: of the lock.
            wait_for: whose end one waits for, which is told where it has to be; None: do not wait.

        Yields:
            Whether it was acquired.
        """
        mine = self._mine.setdefault(name, asyncio.Lock())
        self._users[name] = self._users.get(name, 0) + 1
        try:
            if mine.locked() and wait_for is None:
                yield False
                return
            async with mine, self._lock_in_database(name, wait_for) as locked:
                yield locked
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name], self._mine[name]

    @asynccontextmanager
    async def _lock_in_database(self, name: str, wait_for: str | None) -> AsyncIterator[bool]:
        locked = await self._execute(_TRY_LOCK, name)
        if wait_for is not None and not locked:
            tell_wait(f"until {wait_for} has ended")
        while wait_for is not None and not locked:  # of another process: nothing signals its end
            await asyncio.sleep(_POLL)
            locked = await self._execute(_TRY_LOCK, name)
        try:
            yield locked
        finally:
            if locked:
                with suppress(DBAPIError, DatabaseUnavailableError):  # it went with the connection
                    await self._execute(_UNLOCK, name)

    async def _execute(self, statement: TextClause, name: str) -> bool:
        async with self._mutex:
            if self._are_lost:
                raise DatabaseUnavailableError("The connection that held the locks was cut.")
            try:
                answer, pid = (await self._connection.execute(statement, {"name": name})).one()
            except BaseException:  # a statement that is cancelled takes its connection along
                self._are_lost = True
                await self._connection.invalidate()
                raise
            if self._pid not in (None, pid):
                self._are_lost = True
                raise transaction_pooler()
            self._pid = pid
            return bool(answer)


async def check_sessions(holder: AsyncConnection, other: AsyncConnection) -> None:
    """Make sure that connections keep their server processes, without which no lock lasts.

    A pooler in transaction mode lends a server process for one transaction. So while the holder is
    connected, another connection gets to its process, and to its lock, or drives it to another.
    Both are in autocommit.

    Raises:
        DatabaseSetupError: the connections share server processes.
    """
    name = {"name": f"probe:{uuid4()}"}
    _, pid = (await holder.execute(_TRY_LOCK, name)).one()
    others = [(await other.execute(_TRY_LOCK, name)).one() for _ in range(_PROBES)]
    await other.execute(_BEGIN)
    others.append((await other.execute(_TRY_LOCK, name)).one())
    unlocked, pid_now = (await holder.execute(_UNLOCK, name)).one()
    await other.execute(_END)
    if unlocked and pid_now == pid and not any(got_it or at == pid for got_it, at in others):
        return
    for _ in others:  # leave nothing behind in a process that others will be lent
        await other.execute(_UNLOCK, name)
    raise transaction_pooler()


def transaction_pooler() -> DatabaseSetupError:
    """The error for an address at which sessions do not last."""
    return DatabaseSetupError(
        "ADSPARK_DATABASE_URL leads to a connection pooler in transaction mode, where locks do not "
        "hold, so that work would be done and paid twice. Set the pooler to session mode "
        "(pgbouncer: pool_mode = session), or name PostgreSQL itself."
    )
