"""The way to the database: async engine and sessions on psycopg, driver errors translated."""

import asyncio
import re
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, Self
from urllib.parse import unquote

import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from adspark.db.driver_errors import joined, only_read, translated_errors
from adspark.db.libpq import forget_libpq_variables, is_embedded
from adspark.db.locks import Locks, check_sessions, driver_of
from adspark.db.revisions import check_newest
from adspark.db.time_limits import answers_within, begin_waiting, bound_lock_waits
from adspark.errors import DatabaseSetupError
from adspark.text.redaction import remember_address

MINIMUM_VERSION = 15  # PostgreSQL; what the statements were written against
CONNECT_TIMEOUT = 10  # seconds
# Connections at most, for which others wait; they stay open, for a new one plans statements anew.
_POOL_SIZE = 6
COMMAND_LOCK_TIMEOUT = 10.0
"""Seconds that a statement of a person's command may wait for a lock."""

_SERVER = r"(?![0-9]+[,/?#])[^/?#@\[\],:]+(?::[0-9]+)?"  # no IPv6 address
_SERVERS = re.compile(rf"^([^:/?#]+://(?:.*@)?)({_SERVER}(?:,{_SERVER})+)([/?#][^@]*)?$")
_FORMATS = {"DateStyle": "ISO", "TimeZone": "UTC"}


class Database:
    """Connections to one PostgreSQL database.

    A connection that the server cuts while it is in use is an error: a lock on it is lost by then,
    so its holder must not continue. One that was cut before is replaced.

    Args:
        url: `postgresql://user:password@host:port/database`; the driver is chosen here.
        lock_timeout: seconds that a statement of a session may wait for a lock; None is for ever.
        answer_timeout: seconds for an answer, and a fifth more for a connection; None is for ever.
            A connection that died while idle is then replaced before it is used.
    """

    def __init__(
        self, url: str, *, lock_timeout: float | None = None, answer_timeout: float | None = None
    ) -> None:
        self._address = url
        self._url = driver_url(url)
        self._lock_timeout = lock_timeout
        self._answer_timeout = answer_timeout
        self._server_is_good = False
        self._sessions_last = False
        self._checking = asyncio.Lock()
        self._engine = create_async_engine(
            self._url,
            pool_size=_POOL_SIZE,
            max_overflow=0,
            hide_parameters=True,
            **answers_within(answer_timeout, connect_arguments()),
        )
        event.listen(self._engine.sync_engine, "connect", _set_formats)
        event.listen(self._engine.sync_engine, "connect", _check_schema)
        event.listen(self._engine.sync_engine, "checkout", _replace_cut)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections: now, or where one is still in use, when it is given back."""
        event.listen(self._engine.sync_engine, "checkin", _close_returned)
        await self._engine.dispose()

    def without_bounds(self) -> "Database":
        """The same database on connections of its own that wait for ever; whoever takes it opens
        and closes it."""
        return Database(self._address)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session; whoever opens it commits. Driver errors come out of the project's tree."""
        with translated_errors(self._url):
            async with AsyncSession(self._engine, expire_on_commit=False) as session:
                if self._lock_timeout is not None:
                    bound_lock_waits(session, self._lock_timeout)
                if self._answer_timeout is not None:
                    begin_waiting(self._answer_timeout)
                yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction, which the end of the block commits."""
        async with self.session() as session, session.begin():
            yield session

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """A connection for statements that are a transaction each.

        Without BEGIN and ROLLBACK: at the latter psycopg forgets all that it has prepared.
        """
        with translated_errors(self._url):
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                yield connection

    @asynccontextmanager
    async def locks(self) -> AsyncIterator[Locks]:
        """A holder of locks, on a connection of its own; they end with this block.

        Raises:
            DatabaseSetupError: no lock lasts at this address; it leads to a pooler that lends
                server processes for one transaction.
        """
        await self.check_sessions()
        async with self.autocommit() as connection:
            yield Locks(
                connection, await driver_of(connection), partial(translated_errors, self._url)
            )

    async def check_sessions(self) -> None:
        """Raise DatabaseSetupError where connections do not keep their server processes, without
        which no lock lasts; asks once."""
        async with self._checking:
            if not self._sessions_last:
                async with self.autocommit() as holder, self.autocommit() as other:
                    await check_sessions(await driver_of(holder), await driver_of(other))
                self._sessions_last = True

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[bool]:
        """Try to be the only one on the thing `name`; yields whether that is so."""
        async with self.locks() as locks, locks.acquire(name) as locked:
            yield locked

    async def check_server(self) -> None:
        """Raise DatabaseSetupError where server or database are not what AdSpark needs; asks once
        (`check_server`)."""
        if self._server_is_good:
            return
        async with self.session() as session:
            check_server(*(await session.execute(READ_SERVER)).one())
            check_newest(await session.scalar(READ_REVISION))
            await self.check_writable(session)
        self._server_is_good = True

    async def check_writable(self, session: AsyncSession) -> None:
        """Raise DatabaseSetupError where this address only reads."""
        if await session.scalar(READS_ONLY):
            raise only_read(self._url)


def _set_formats(connection: PoolProxiedConnection, _: object) -> None:
    """Dates as psycopg reads them, and in UTC, whatever the server, the database or the user has
    set."""
    driver = connection.driver_connection
    if driver is None:
        return
    cursor = connection.cursor()
    for name, value in _FORMATS.items():
        if value not in driver.pgconn.parameter_status(name.encode()).decode():
            cursor.execute(f"SET {name} = '{value}'")
    cursor.close()
    connection.commit()


def _check_schema(connection: PoolProxiedConnection, _: object) -> None:
    """Raise DatabaseSetupError where the tables are of another version than this one needs.

    Of tables that are not there, or not to be read, each statement says so.
    """
    cursor = connection.cursor()
    with suppress(psycopg.ProgrammingError):
        cursor.execute(READ_REVISION.text)
        check_newest(*cursor.fetchall()[0])
    cursor.close()
    connection.rollback()


def _replace_cut(_: object, record: ConnectionPoolEntry, __: object) -> None:
    """Replace all idle connections where one has something to read: the server has ended it.

    That asks the server nothing.
    """
    driver = record.driver_connection
    is_new = not record.info.setdefault("was_used", False)
    record.info["was_used"] = True
    if driver is None or is_new or driver.closed:  # which its first statement says
        return
    idle = select.poll()
    idle.register(driver.pgconn.socket, select.POLLIN)
    if idle.poll(0):
        raise InvalidatePoolError("The server has cut a connection.")


def _close_returned(_: object, record: ConnectionPoolEntry) -> None:
    record.invalidate()


async def read_now(session: AsyncSession) -> datetime:
    """The time of the database, at which the session's transaction began."""
    now: datetime = (await session.execute(text("SELECT now()"))).scalar_one()
    return now


def connect_arguments(purpose: str = "") -> dict[str, Any]:
    """How every connection of ours is made; its name is what an operator sees who looks for it."""
    return {
        "connect_timeout": CONNECT_TIMEOUT,
        "fallback_application_name": f"adspark {purpose}".strip(),
    }


READ_SERVER = text(
    "SELECT CAST(current_setting('server_version_num') AS int), "
    "current_setting('server_encoding'), current_database(), current_setting('search_path'), "
    # The schema with our tables, where the search path leads to none.
    "(SELECT min(nspname) FROM (SELECT n.nspname FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' "
    "AND c.relpersistence = 'p' AND relname IN ('alembic_version', 'creative', 'advertiser') "
    "GROUP BY 1 HAVING count(*) = 3) AS ours "
    "WHERE to_regclass('alembic_version') IS NULL)"
)
"""What `check_server` takes."""

READ_REVISION = text(
    "SELECT string_agg(version_num, ', ' ORDER BY version_num) FROM alembic_version"
)
"""The revision of the schema, several with commas between; before the first migration there is no
such table."""

READS_ONLY = text("SELECT CAST(current_setting('transaction_read_only') AS boolean)")
"""Whether nothing can be written: on a standby, and where a user or database is set so."""


def check_server(
    version_number: int, encoding: str, database: str, search_path: str, elsewhere: str | None
) -> None:
    """Check that server and database are what AdSpark needs.

    Args:
        version_number: the server's, `server_version_num`.
        encoding: of the database; another one than UTF8 does not hold what ads say.
        database: its name.
        search_path: of the session.
        elsewhere: the schema with AdSpark's tables, where the search path leads to none.

    Raises:
        DatabaseSetupError: one is not; says what to do.
    """
    if version_number // 10_000 < MINIMUM_VERSION:
        raise DatabaseSetupError(
            f"ADSPARK_DATABASE_URL: this server is PostgreSQL {version_number // 10_000}; "
            f"AdSpark needs {MINIMUM_VERSION} or newer. Upgrade it, or name another server."
        )
    if encoding != "UTF8":
        raise DatabaseSetupError(
            f"ADSPARK_DATABASE_URL: database {database!r} is encoded in {encoding}, which does not "
            f"hold what ads say; name one in UTF8, as this makes: "
            f"createdb --encoding=UTF8 --locale=C --template=template0 NAME"
        )
    if elsewhere is not None:
        raise DatabaseSetupError(
            f"AdSpark's tables are in the schema {elsewhere!r} of database {database!r}, and the "
            f"search_path ({search_path}) leads to another one; set it back for the user, the "
            f"database or the address (ALTER ROLE … SET search_path = {elsewhere}), or name "
            f"another database."
        )


def driver_url(url: str) -> URL:
    """`url` for SQLAlchemy with psycopg, whatever driver it names.

    Where it is the embedded server's, libpq's variables leave the environment of this process.

    Raises:
        DatabaseSetupError: it is not a PostgreSQL address.
    """
    remember_address(url)
    try:
        parsed = _parse(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None:
        raise DatabaseSetupError(
            "ADSPARK_DATABASE_URL: not a PostgreSQL address; "
            "write postgresql://user:password@host:5432/database (of several servers "
            "host1:5432,host2:5432)."
        )
    if wrong := [one for one in _ports(parsed) if int(one) not in range(1, 65536)]:
        raise DatabaseSetupError(
            f"ADSPARK_DATABASE_URL: the port has to be 1 to 65535, not {wrong[0]}."
        )
    if is_embedded(parsed.query.get("host")):  # all is said, and libpq need not look
        forget_libpq_variables()
    return parsed


def _ports(url: URL) -> list[str]:
    """The ports that it names, one or one for each of its servers."""
    named = joined(url.query.get("port", "")) if url.port is None else str(url.port)
    return [one for one in named.split(",") if one.isdecimal()]


def _name_in_query(found: re.Match[str]) -> str:
    """An address of several servers, `host:port,host:port` as libpq writes it, with their names
    behind its question mark, where SQLAlchemy reads them."""
    before, servers, rest = found.groups(default="")
    pairs = [one.rpartition(":") if ":" in one else (one, "", "") for one in servers.split(",")]
    rest, _, query = rest.partition("?")
    hosts = ",".join(host for host, _, _ in pairs)
    ports = ",".join(port or "5432" for _, _, port in pairs)
    return f"{before}{rest}?host={hosts}&port={ports}" + (f"&{query}" if query else "")


def _parse(url: str) -> URL | None:
    """The address for psycopg; None where it is another database's.

    Raises ArgumentError or ValueError where it is none, or has a port that is no number.
    """
    given = make_url(_SERVERS.sub(_name_in_query, url))
    if not given.drivername.startswith("postgres"):
        return None
    given = given.set(host=given.host and unquote(given.host))  # as libpq; a socket's folder
    # Texts come and go as Unicode, whatever the server or the user has set.
    parsed = given.set(drivername="postgresql+psycopg").update_query_dict(
        {"client_encoding": "UTF8"}
    )
    parsed.get_dialect()().create_connect_args(parsed)
    return parsed
