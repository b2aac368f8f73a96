"""Upgrades and commands while another session holds a lock on a table."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import text

from adspark.db import migrate
from adspark.db.embedded import LocalPostgres
from adspark.db.engine import Database
from adspark.db.lock_waits import LockHolder, LockWaitError
from adspark.db.revisions import newest
from adspark.errors import BusyError
from tests.support.migrations import downgrade, tables

REPORT = "a report"


@pytest.fixture
def old_database_url(database_url: str) -> str:
    """A database that lacks the newest migration."""
    downgrade(database_url, "0001")
    return database_url


@contextmanager
def holding(url: str, statement: str) -> Iterator[psycopg.Connection]:
    """Another session, in which the statement was done and not committed."""
    with psycopg.connect(make_conninfo(url, application_name=REPORT)) as connection:
        connection.execute(statement.encode())
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "LOCK TABLE creative IN ACCESS SHARE MODE",
        "LOCK TABLE alembic_version IN SHARE MODE",
        "SELECT pg_advisory_lock(hashtext('adspark.schema'))",
    ],
)
def test_an_upgrade_gives_up_says_who_holds_the_lock_and_leaves_nothing_half_done(
    old_database_url: str, statement: str
) -> None:
    before = tables(old_database_url)
    told: list[LockHolder] = []
    with holding(old_database_url, statement) as other:
        pid = other.info.backend_pid
        with pytest.raises(LockWaitError, match=f"pid {pid} \\(a report, .*pg_terminate") as raised:
            migrate.upgrade(old_database_url, patience=0.0, on_wait=told.extend)
        assert migrate.current(old_database_url) == "0001"
        assert tables(old_database_url) == before
    assert {one.pid for one in told} == {pid}
    assert "adspark db upgrade" in str(raised.value)
    assert migrate.upgrade(old_database_url) == newest()


def test_an_upgrade_tries_again_until_the_lock_is_free(old_database_url: str) -> None:
    with holding(old_database_url, "LOCK TABLE creative IN ACCESS SHARE MODE") as other:
        reached = migrate.upgrade(old_database_url, on_wait=lambda _: other.rollback())
    assert reached == newest()


def test_the_command_names_the_holder_and_ends_with_an_exit_code(old_database_url: str) -> None:
    with holding(old_database_url, "LOCK TABLE creative IN ACCESS SHARE MODE") as other:
        pid = other.info.backend_pid
        done = subprocess.run(
            [sys.executable, "-m", "deployments.cli.main", "db", "upgrade", "--wait", "0"],
            env={"ADSPARK_DATABASE_URL": old_database_url, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    waiting, error = done.stderr.strip().splitlines()
    assert waiting.startswith(f"Waiting for a lock of pid {pid} (a report, user ")
    assert error.startswith("Error: The upgrade waits for a lock that another session holds: pid ")


async def test_a_commands_statement_does_not_wait_for_ever(database_url: str) -> None:
    with holding(database_url, "LOCK TABLE watch IN ACCESS EXCLUSIVE MODE"):
        async with Database(database_url, lock_timeout=0.1) as database:
            with pytest.raises(BusyError, match="a table stays locked by another session"):
                async with database.session() as session:
                    await session.execute(text("SELECT count(*) FROM watch"))


async def test_connections_bear_a_name_of_ours_unless_the_address_names_another(
    database_url: str,
) -> None:
    async def name(url: str) -> str:
        async with Database(url) as database, database.session() as session:
            return str(await session.scalar(text("SHOW application_name")))

    sign = "&" if "?" in database_url else "?"
    assert await name(database_url) == "adspark"
    assert await name(f"{database_url}{sign}application_name=mine") == "mine"


def test_a_prepared_transaction_is_named_with_the_statement_that_ends_it(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    with server.running(), psycopg.connect(server.url("adspark"), autocommit=True) as connection:
        migrate.upgrade(server.url("adspark"))
        connection.execute("ALTER SYSTEM SET max_prepared_transactions = 5")
    with server.running():
        url = server.url("adspark")
        with psycopg.connect(url) as connection:
            connection.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            connection.execute("PREPARE TRANSACTION 'left over'")
        with pytest.raises(LockWaitError, match="prepared transaction 'left over'") as raised:
            migrate.upgrade(url, patience=0.0)
        assert "end it (ROLLBACK PREPARED 'left over')" in str(raised.value)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ROLLBACK PREPARED 'left over'")
