"""The database's schema: Alembic's migrations as three plain calls.

Alembic is imported where it is used: it takes a tenth of the start of every command and worker,
most of which only ask whether the database is at the newest revision.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from adspark import models  # noqa: F401  (fills SQLModel.metadata)
from adspark.db.differences import describe_difference
from adspark.db.driver_errors import missing_right, only_read, translated_errors
from adspark.db.engine import (
    READ_REVISION,
    READ_SERVER,
    READS_ONLY,
    Database,
    check_server,
    connect_arguments,
    driver_url,
)
from adspark.db.extensions import (
    READ_EXTENSIONS,
    TRIGRAM_PREFIX,
    describe_missing,
    use_extensions,
)
from adspark.db.lock_waits import LockHolder, LockWaitError, bounded_lock_waits
from adspark.db.revisions import check_newest, check_upgradable, newest
from adspark.errors import DatabaseSetupError

if TYPE_CHECKING:
    from alembic.config import Config

LOCK_PATIENCE = 60.0
"""Seconds that an upgrade tries to acquire its locks, by default."""

# Seconds of one try. Whoever comes after one that waits for a table waits too, so a try is short,
# and what had to wait for it is served before the next.
_ONE_TRY = 3.0
_PAUSE = 1.0
_NAMED = 3  # differences that an error tells
_LOCK_TIMEOUT = 10.0  # seconds; where the holder cannot be found out
# What is made by an upgrade stands beside the tables that are there, also where the search path
# begins with another schema, as with one that is named as the user.
_USE_SCHEMA_OF_TABLES = text(
    "SELECT set_config('search_path', "
    "quote_ident(nspname) || ', ' || current_setting('search_path'), true) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
    "WHERE c.oid = to_regclass('alembic_version')"
)
_ENCODING = text(
    "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1'"
)


def create(url: str) -> bool:
    """Make the database where its server has none of that name; returns whether it was made."""
    wanted = driver_url(url)
    server = create_engine(
        wanted.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    name = str(wanted.database)
    with translated_errors(wanted), server.connect() as connection:
        found = connection.execute(
            text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}
        )
        if found.scalar():
            return False
        quoted = server.dialect.identifier_preparer.quote_identifier(name)
        in_utf8 = connection.execute(_ENCODING).scalar() == "UTF8"
        more = "" if in_utf8 else " ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0"
        connection.execute(text(f"CREATE DATABASE {quoted}{more}"))
    return True


def upgrade(
    url: str,
    *,
    patience: float = LOCK_PATIENCE,
    on_wait: Callable[[Sequence[LockHolder]], None] = lambda _: None,
) -> str:
    """Bring the database to the newest migration, whose revision is returned.

    Many processes may call it at once.

    Args:
        url: of the database.
        patience: seconds that it tries to acquire the locks that it needs.
        on_wait: called in another thread with the locks' holders, at each try.

    Raises:
        DatabaseSetupError: the database is of a newer version of AdSpark or of another program, or
            marked with several migrations.
        LockWaitError: another session held a lock for all this time; nothing was changed.
    """
    end = time.monotonic() + patience
    while True:
        try:
            return _try_upgrade(url, min(_ONE_TRY, max(patience, 0.0)), on_wait)
        except LockWaitError:
            if time.monotonic() >= end:
                raise
            time.sleep(_PAUSE)


def _try_upgrade(url: str, patience: float, on_wait: Callable[[Sequence[LockHolder]], None]) -> str:
    from alembic import command  # noqa: PLC0415  (slow)

    config = _config()
    with (
        _connection(url) as connection,
        bounded_lock_waits(driver_url(url), connection, patience=patience, on_wait=on_wait) as lost,
    ):
        try:
            # One upgrader at a time: the lock goes with the transaction, the whole upgrade.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('adspark.schema'))"))
            check_upgradable(_read_revision(connection))
            _check_writable(connection, url)
            connection.execute(_USE_SCHEMA_OF_TABLES)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            use_extensions(connection)
            connection.commit()
        except DBAPIError:
            if not lost:
                raise
            raise LockWaitError(lost) from None
    return newest()


def current(url: str) -> str | None:
    """The revision of the database, or None before the first migration."""
    with _connection(url) as connection:
        return _read_revision(connection)


def _read_revision(connection: Connection) -> str | None:
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    at: str | None = connection.execute(READ_REVISION).scalar()
    return at


def differences(url: str) -> list[str]:
    """What the tables have that the models lack, or the other way round; empty where they agree."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415  (slow)
    from alembic.migration import MigrationContext  # noqa: PLC0415  (slow)

    options = {"compare_type": True, "include_name": _is_compared}
    with _connection(url) as connection:
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, SQLModel.metadata)
        return [line for difference in found for line in describe_difference(difference)]


def check_ready(url: str) -> str:
    """The revision of a database that can be used: reachable, new enough, migrated, writable, with
    sessions that last.

    Raises:
        DatabaseSetupError, DatabaseUnavailableError: it cannot be; says why, and what to do.
    """
    check_newest(current(url))
    check_writable(url)
    check_sessions(url)
    check_rights(url)
    if found := differences(url):
        raise DatabaseSetupError(
            f"The tables differ from what AdSpark expects: {'; '.join(found[:_NAMED])}"
            f"{f'; and {len(found) - _NAMED} more' if len(found) > _NAMED else ''}. Restore them, "
            "or start from an empty database."
        )
    return newest()


def server_version(url: str) -> str:
    """The release of the database's server, such as 17.2."""
    with _connection(url) as connection:
        shown = str(connection.execute(text("SHOW server_version")).scalar_one())
    return shown.partition(" ")[0]


def missing_extensions(url: str) -> list[str]:
    """A line for each extension that a search of this database does without, with the remedy."""
    with _connection(url) as connection:
        return list(describe_missing(connection.execute(READ_EXTENSIONS).mappings()).values())


def check_writable(url: str) -> None:
    """Raise DatabaseSetupError where nothing can be written at this address."""
    with _connection(url) as connection:
        _check_writable(connection, url)


def _check_writable(connection: Connection, url: str) -> None:
    if connection.execute(READS_ONLY).scalar_one():
        raise only_read(driver_url(url))


def check_sessions(url: str) -> None:
    """Raise DatabaseSetupError where no lock lasts at this address (`Database.check_sessions`)."""

    async def check() -> None:
        async with Database(url) as database:
            await database.check_sessions()

    with ThreadPoolExecutor(1) as thread:  # the caller's own may have a loop
        thread.submit(asyncio.run, check()).result()


def check_rights(url: str) -> None:
    """Raise DatabaseSetupError where the address's user may not read and write every table."""
    needed = ("SELECT", "INSERT", "UPDATE", "DELETE")
    rights = text("SELECT has_table_privilege(CAST(:name AS text), :right)")
    with _connection(url) as connection:
        for table in SQLModel.metadata.sorted_tables:
            for right in needed:
                values = {"name": f'"{table.name}"', "right": right}
                if not connection.execute(rights, values).scalar_one():
                    raise missing_right(driver_url(url), f"{right} on table {table.name}")


def _is_compared(name: str | None, kind: str, _: object) -> bool:
    """Not the indexes that depend on an extension."""
    return kind != "index" or not str(name).startswith(TRIGRAM_PREFIX)


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415  (slow)

    config = Config()
    config.set_main_option("script_location", "adspark:migrations")
    return config


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    address = driver_url(url)
    engine = create_engine(address, hide_parameters=True, connect_args=connect_arguments("schema"))
    try:
        with translated_errors(address), engine.connect() as connection:
            check_server(*connection.execute(READ_SERVER).one())
            connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT:g}s'"))
            connection.commit()
            yield connection
    finally:
        engine.dispose()
