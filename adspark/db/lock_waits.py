"""Who keeps a session waiting for a lock, and an end to a wait that takes too long."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from adspark.db.engine import connect_arguments
from adspark.errors import TemporaryError
from adspark.text.shortened import shorten

_POLL = 0.2  # seconds between two looks at who waits for whom
_QUERY_WIDTH = 80  # characters of a statement, so that the message is one to be read

_HOLDERS = text("""
    SELECT pid, coalesce(usename, '') AS role, coalesce(application_name, '') AS application,
        coalesce(state, '') AS state, coalesce(query, '') AS query,
        coalesce(xact_start, query_start, backend_start) AS since
    FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(:pid))
    UNION ALL  -- a prepared transaction has no session any more, and counts as number 0
    SELECT 0, owner, '', 'prepared', gid, prepared
    FROM pg_prepared_xacts
    WHERE database = current_database() AND 0 = ANY(pg_blocking_pids(:pid))
    ORDER BY since, pid
""")
_CANCEL = text("SELECT pg_cancel_backend(:pid)")


@dataclass(frozen=True)
class LockHolder:
    """A session that others wait for; `since` is when its transaction was begun.

    A prepared transaction has the number 0, and its name for a query. Of other roles' sessions
    PostgreSQL shows little to a role that is no superuser.
    """

    pid: int
    role: str
    application: str
    state: str
    since: datetime | None
    query: str

    @property
    def remedy(self) -> str:
        """The statement that ends it."""
        if self.pid:
            return f"SELECT pg_terminate_backend({self.pid})"
        return f"ROLLBACK PREPARED {sql.Literal(self.query).as_string()}"

    def __str__(self) -> str:
        since = f", since {self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        if not self.pid:
            return f"prepared transaction {self.query!r} (user {self.role}{since})"
        program = " ".join(self.application.split()) or "unnamed program"
        query = shorten(self.query, _QUERY_WIDTH)
        parts = [program, f"user {self.role}", *([self.state] if self.state else [])]
        return f"pid {self.pid} ({', '.join(parts)}{since}): {query}"


class LockWaitError(TemporaryError):
    """An upgrade did not get a lock in time, since `holders` have it; nothing was changed."""

    def __init__(self, holders: Sequence[LockHolder]) -> None:
        sessions = "; ".join(map(str, holders))
        ends = ", ".join(one.remedy for one in holders)
        super().__init__(
            f"The upgrade waits for a lock that another session holds: {sessions}. Nothing was "
            f"changed. Let it end, or end it ({ends}), then: adspark db upgrade"
        )
        self.holders = holders


@contextmanager
def bounded_lock_waits(
    url: URL,
    connection: Connection,
    *,
    patience: float,
    on_wait: Callable[[Sequence[LockHolder]], None],
) -> Iterator[list[LockHolder]]:
    """Cancel a statement of `connection` once it has waited `patience` seconds for a lock.

    PostgreSQL's own `lock_timeout` says afterwards neither whose lock it was nor what they do.

    Args:
        url: of the database, for a connection that watches.
        connection: whose statements are cancelled.
        patience: seconds.
        on_wait: called in another thread at the beginning of each wait, with the locks' holders.

    Yields:
        A list that holds whose lock it was once a statement was cancelled, and is empty before.
    """
    pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
    over = threading.Event()
    cancelled_for: list[LockHolder] = []

    def watch() -> None:
        arguments = connect_arguments("schema watch")
        engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments
        )
        waiting_since: float | None = None
        with suppress(DBAPIError), engine.connect() as own:  # the session has a time limit itself
            while not over.wait(_POLL):
                holders = [
                    LockHolder(**row) for row in own.execute(_HOLDERS, {"pid": pid}).mappings()
                ]
                if not holders:
                    waiting_since = None
                elif waiting_since is None:
                    waiting_since = time.monotonic()
                    on_wait(holders)
                elif time.monotonic() - waiting_since >= patience:
                    cancelled_for.extend(holders)
                    own.execute(_CANCEL, {"pid": pid})
                    return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield cancelled_for
    finally:
        over.set()
        watcher.join()
