"""How long the database may take: a statement for a lock, and the server for any answer.

A server that hangs keeps its connections open, so that no driver notices. Where an answer is due
within a time, the connection is cut from this side then, and the driver sees one that was lost.
"""

import asyncio
import os
import socket
from contextvars import ContextVar
from typing import Any, ClassVar, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncSession

_Value = TypeVar("_Value")
_MORE = 1.2  # times the seconds of an answer, in which a session has a connection
_LEAST = 2.0  # seconds for a connection, as of a session's second transaction
# When the session that was opened last in this task has to have one, by the clock of its loop.
_due: ContextVar[float] = ContextVar("due", default=0.0)


def bound_lock_waits(session: AsyncSession, seconds: float) -> None:
    """Set it anew in each transaction: behind a pooler the next one may be another connection."""

    def bound(_session: object, _transaction: object, connection: Connection) -> None:
        connection.execute(text(f"SET LOCAL lock_timeout = {int(seconds * 1000)}"))

    event.listen(session.sync_session, "after_begin", bound)


def begin_waiting(seconds: float) -> None:
    """From now on the task waits for a connection: a free one, and then the server's answer."""
    _due.set(asyncio.get_running_loop().time() + _MORE * seconds)


def answers_within(seconds: float | None, connect_arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an engine of which each answer is due within so many seconds; None is for ever.

    A connection has a fifth more; one that was cut by the server while it was idle is replaced
    before it is used.
    """
    if seconds is None:
        return {"connect_args": connect_arguments}
    limited: type[_BoundedConnection] = type("_Limited", (_BoundedConnection,), {})
    limited.seconds = seconds
    return {
        "pool_pre_ping": True,
        "pool_timeout": seconds,
        "connect_args": connect_arguments | {"async_creator_fn": limited.connect},
    }


class _BoundedConnection(psycopg.AsyncConnection[Any]):
    """A connection that is cut once an answer takes longer than it may."""

    seconds: ClassVar[float]

    @classmethod
    async def connect(cls, *arguments: Any, **named: Any) -> Self:  # noqa: ANN401
        left = _due.get() - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(left, _LEAST)):
                return await super().connect(*arguments, **named)
        except TimeoutError as error:
            raise psycopg.OperationalError("it gave no connection in time") from error

    async def wait(self, gen: PQGen[_Value], *arguments: Any, **named: Any) -> _Value:  # noqa: ANN401
        cut = asyncio.get_running_loop().call_later(self.seconds, self._cut)
        try:
            return await super().wait(gen, *arguments, **named)
        finally:
            cut.cancel()

    def _cut(self) -> None:
        if not self.closed:
            with socket.socket(fileno=os.dup(self.pgconn.socket)) as one:
                one.shutdown(socket.SHUT_RDWR)
