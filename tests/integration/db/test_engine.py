"""The database: what is wrong with it is said in one line, with the remedy and no password."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from adspark.db import migrate
from adspark.db.driver_errors import translated_errors
from adspark.db.embedded import LocalPostgres
from adspark.db.engine import Database, check_server, driver_url
from adspark.errors import (
    AdSparkError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    PermanentError,
    StatementLimitError,
)
from tests.support.cut_connection import Relay

URL = driver_url("postgresql://maria:hunter2@db.example:5433/ads")


async def test_the_folder_of_a_socket_is_named_as_libpq_names_it(
    database_url: str,
) -> None:
    given = conninfo_to_dict(database_url)
    server = f"{quote(str(given['host']), safe='')}:{given['port']}"
    url = f"postgresql://{given['user']}@{server}/{given['dbname']}"
    async with Database(url) as database, database.session() as session:
        assert await session.scalar(text("SELECT current_database()")) == given["dbname"]


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        pytest.param(errors.InvalidPassword("x"), DatabaseSetupError, "refuses user", id="login"),
        pytest.param(
            psycopg.OperationalError('FATAL:  password authentication failed for user "maria"'),
            DatabaseSetupError, "correct the user or the password", id="login while connecting",
        ),
        pytest.param(
            psycopg.OperationalError('FATAL:  database "ads" does not exist'),
            DatabaseSetupError, "createdb ads", id="no such database",
        ),
        pytest.param(
            errors.DiskFull('could not extend file "base/1": No space left on device'),
            DatabaseUnavailableError, "no room on its disk", id="full disk",
        ),
        pytest.param(
            psycopg.OperationalError("could not write lock file: No space left on device"),
            DatabaseUnavailableError, "make some, and it goes on", id="full while connecting",
        ),
        pytest.param(
            errors.InsufficientPrivilege("permission denied for schema public"),
            DatabaseSetupError, "GRANT CREATE, USAGE ON SCHEMA public TO maria", id="schema right",
        ),
        pytest.param(
            errors.InsufficientPrivilege("permission denied for table creative"),
            DatabaseSetupError, "GRANT SELECT, INSERT", id="table right",
        ),
        pytest.param(
            errors.UndefinedTable('relation "creative" does not exist'),
            DatabaseSetupError, "run: adspark db upgrade", id="no migrations",
        ),
        pytest.param(
            psycopg.OperationalError("connection refused"),
            DatabaseUnavailableError, "does not answer at db.example:5433", id="nobody there",
        ),
        pytest.param(
            errors.AdminShutdown("terminating"), DatabaseUnavailableError, "answer", id="stopped"
        ),
        pytest.param(
            errors.DeadlockDetected("deadlock"), DatabaseUnavailableError, "deadlock", id="deadlock"
        ),
        pytest.param(
            errors.DuplicatePreparedStatement("already exists"),
            DatabaseSetupError, "Set the pooler to session mode", id="another's session",
        ),
        pytest.param(
            errors.InvalidSqlStatementName("does not exist"),
            DatabaseSetupError, "Set the pooler to session mode", id="a session that was lent",
        ),
        pytest.param(
            psycopg.OperationalError("transaction blocks not allowed in statement pooling mode"),
            DatabaseSetupError, "Set the pooler to session mode", id="a pooler by statement",
        ),
        pytest.param(
            errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"),
            DatabaseSetupError, "name a user or server that writes", id="a user that only reads",
        ),
        pytest.param(
            errors.QueryCanceled("canceling statement due to statement timeout"),
            StatementLimitError, "by statement_timeout, raise that setting",
            id="a short statement_timeout",
        ),
        pytest.param(
            psycopg.OperationalError(
                'FATAL:  password authentication failed for user "maria"\n'
                'FATAL:  no pg_hba.conf entry for host "::1", user "maria", no encryption'
            ),
            DatabaseSetupError, "correct the user or the password", id="login, then unencrypted",
        ),
        pytest.param(
            psycopg.OperationalError(
                "FATAL:  connection requires a valid client certificate\n"
                'FATAL:  no pg_hba.conf entry for host "::1", user "maria", no encryption'
            ),
            DatabaseSetupError, "correct sslmode and", id="no certificate, then unencrypted",
        ),
        pytest.param(
            errors.IdleInTransactionSessionTimeout("terminating connection"),
            DatabaseUnavailableError, "idle_in_transaction_session_timeout, raise that setting",
            id="a short idle_in_transaction_session_timeout",
        ),
        pytest.param(
            errors.lookup("25P04")("terminating connection"),
            DatabaseUnavailableError, "by transaction_timeout, raise", id="a short transaction",
        ),
        pytest.param(
            errors.IdleSessionTimeout("terminating connection"),
            DatabaseUnavailableError, "by idle_session_timeout, raise", id="a short idle session",
        ),
        pytest.param(
            errors.InvalidSchemaName("no schema has been selected to create in"),
            DatabaseSetupError, "correct the user's search_path", id="no schema",
        ),
        *(
            pytest.param(
                psycopg.OperationalError(f"connection failed: {words}"),
                DatabaseSetupError, "correct sslmode and the certificates", id=words,
            )
            for words in (
                "FATAL:  connection requires a valid client certificate",
                'private key file "/a/key" has group or world access; file must have permissions',
                'certificate present, but not private key file "/a/key"',
                'private key file "/a/key" does not exist',
                'certificate does not match private key file "/a/key": key values mismatch',
                'could not read certificate file "/a/crt": No such file or directory',
                "SSL error: tlsv1 alert unknown ca",
            )
        ),
        *(
            pytest.param(
                psycopg.OperationalError(f"connection failed: FATAL:  {words}"),
                DatabaseSetupError, "correct the server's pg_hba.conf and reload it", id=words,
            )
            for words in (
                'pg_hba.conf rejects connection for host "::1", user "maria", database "ads"',
                'no pg_hba.conf entry for host "::1", user "maria", database "ads", no encryption',
            )
        ),
        pytest.param(
            errors.DivisionByZero("division by zero"), AdSparkError, "SQLSTATE 22012", id="ours"
        ),
    ],
)  # fmt: skip
def test_an_error_of_the_driver_is_one_line_that_says_what_to_do(
    error: psycopg.Error, kind: type[AdSparkError], told: str
) -> None:
    with pytest.raises(kind) as caught, translated_errors(URL):
        raise error
    message = str(caught.value)
    assert told in message
    assert "\n" not in message
    assert "hunter2" not in message
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://u:hunter2@h/d",
        "postgresql://h:port/d",
        "postgresql:///d?host=h&port=x",
        "postgresql://u:hunter2@h,h:31224,31223/d",
    ],
)
def test_an_address_that_is_none_says_how_one_is_written(url: str) -> None:
    with pytest.raises(DatabaseSetupError, match="write postgresql://user:password@") as caught:
        driver_url(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("servers", "hosts", "ports"),
    [("a:1,b:2", "a,b", "1,2"), ("10.0.0.1,b:2", "10.0.0.1,b", "5432,2")],
)
def test_an_address_of_several_servers_is_read_as_libpq_writes_it(
    servers: str, hosts: str, ports: str
) -> None:
    url = driver_url(f"postgresql://u:p%2Cq@{servers}/d?target_session_attrs=read-write")
    assert (url.query["host"], url.query["port"]) == (hosts, ports)
    assert (url.password, url.database) == ("p,q", "d")
    assert url.query["target_session_attrs"] == "read-write"


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql+asyncpg://u@h/d"])
def test_any_driver_in_an_address_is_replaced_by_ours(url: str) -> None:
    assert driver_url(url).drivername == "postgresql+psycopg"


def test_a_server_that_is_too_old_is_named_with_what_is_needed() -> None:
    check_server(150_000, "UTF8", "a", "public", None)
    with pytest.raises(DatabaseSetupError, match="is PostgreSQL 14; AdSpark needs 15 or newer"):
        check_server(140_012, "UTF8", "a", "public", None)


async def test_a_user_without_a_right_is_told_which(
    postgres: LocalPostgres, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    url = database_url.replace("postgres@", "reader@")
    with pytest.raises(DatabaseSetupError, match="INSERT on table advertiser"):
        migrate.check_rights(url)
    migrate.check_rights(database_url)
    async with Database(url) as database:
        with pytest.raises(DatabaseSetupError, match="permission denied for table rate_slot"):
            async with database.session() as session:
                await session.execute(text("DELETE FROM rate_slot"))


async def test_a_lock_has_one_holder_and_is_free_once_its_connection_is_gone(
    database: Database, database_url: str
) -> None:
    cut = sql.SQL(
        "SELECT pg_terminate_backend(pid) FROM pg_locks "
        "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    )
    async with (
        Database(database_url) as other,
        database.lock("a") as first,
        other.lock("a") as second,
        other.lock("b") as third,
    ):
        assert (first, second, third) == (True, False, True)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(cut)
        await asyncio.sleep(0.2)
        async with other.lock("a") as fourth:
            assert fourth


async def test_a_lock_is_free_after_its_holder_was_cancelled_within_a_statement(
    database: Database,
) -> None:
    checks = 0

    async def hold() -> None:
        nonlocal checks
        async with database.locks() as locks, locks.acquire("a", wait_for="its holder's end"):
            while True:
                await locks.check()
                checks += 1

    for steps in range(8):  # between two checks there is no other step
        checks, holder = 0, asyncio.create_task(hold())
        while not checks:
            await asyncio.sleep(0)
            assert not holder.done()
        for _ in range(steps):
            await asyncio.sleep(0)
        holder.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holder
    async with database.locks() as locks, locks.acquire("a", wait_for="its holder's end") as free:
        assert free


def cut_all(url: str) -> None:
    """The server ends all connections to the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_a_connection_that_is_cut_in_use_is_an_error_and_idle_ones_are_replaced(
    database: Database, database_url: str
) -> None:
    async with database.session() as session, database.session() as other:
        for one in (session, other):
            assert await one.scalar(text("SELECT 1")) == 1
    async with database.session() as session:
        assert await session.scalar(text("SELECT 1")) == 1
        cut_all(database_url)
        with pytest.raises(OperationalError):
            await session.scalar(text("SELECT 1"))
    for _ in range(2):
        async with database.session() as session:
            assert await session.scalar(text("SELECT 1")) == 1
        cut_all(database_url)
    async with database.lock("a") as locked:
        assert locked


async def test_a_lock_whose_connection_was_cut_is_told_as_the_loss_of_the_database(
    database: Database, database_url: str
) -> None:
    async with database.locks() as locks:
        cut_all(database_url)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailableError):
                await locks.check()


async def test_a_table_that_stays_locked_by_another_session_is_temporary_and_named(
    database_url: str,
) -> None:
    lock = "BEGIN; LOCK TABLE watch IN ACCESS EXCLUSIVE MODE"
    async with Database(database_url, answer_timeout=1) as database:

        async def count() -> None:
            async with database.session() as session:
                await session.scalar(text("SELECT count(*) FROM watch"))

        with psycopg.connect(database_url) as connection:
            connection.execute(lock)
            ends = await asyncio.gather(*(count() for _ in range(9)), return_exceptions=True)
    assert all(isinstance(end, DatabaseUnavailableError) for end in ends), ends
    assert "another session keeps a table locked, or the server is overloaded" in str(ends[-1])


@pytest.mark.parametrize("value", ["a\x00b", "a\ud800b"])
async def test_a_value_that_no_database_holds_is_not_told_as_an_outage(
    database: Database, value: str
) -> None:
    with pytest.raises(PermanentError, match="cannot store a value"):
        async with database.session() as session:
            await session.execute(text("SELECT CAST(:value AS text)"), {"value": value})


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 3000000000::int",
        "SELECT '{\"a\": NaN}'::jsonb",
        "INSERT INTO advertiser (advertiser_id, name) "
        "SELECT 'A', string_agg(md5(n::text), '') FROM generate_series(1, 9000) n",
    ],
)
async def test_a_value_that_its_column_does_not_take_is_permanent(
    database: Database, statement: str
) -> None:
    with pytest.raises(PermanentError, match=r"cannot store a value: .*\(SQLSTATE (22|54)"):
        async with database.session() as session:
            await session.execute(text(statement))


async def test_an_answer_that_takes_too_long_is_cut_off_but_not_without_bounds(
    database_url: str,
) -> None:
    slow = text("SELECT pg_sleep(1)")
    async with Database(database_url, answer_timeout=0.3) as bounded:
        with pytest.raises(DatabaseUnavailableError):
            async with bounded.session() as session:
                await session.execute(slow)
        async with bounded.without_bounds() as database, database.session() as session:
            assert len((await session.execute(slow)).all()) == 1


async def test_a_connection_that_is_given_back_after_the_end_is_closed(database_url: str) -> None:
    """As of a request that a server cuts off while it stops."""
    async with AsyncExitStack() as late:
        async with Database(database_url) as database:
            session = await late.enter_async_context(database.session())
            connection = await session.connection()
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, psycopg.AsyncConnection)
        assert not driver.closed
    assert driver.closed


@pytest.fixture
async def relay(postgres: LocalPostgres, database_url: str) -> AsyncIterator[str]:
    """An address of the database by TCP, whose host and port stand behind the question mark."""
    folder = make_url(postgres.url("postgres")).query["host"]
    through = Relay(str(folder), 5432)
    await through.open()
    name = make_url(database_url).database
    yield f"postgresql://lodger@/{name}?host=127.0.0.1&port={through.port}"
    await through.cut()


@pytest.fixture
def lodger(administration: psycopg.Connection) -> Iterator[None]:
    """A user who may log in."""
    administration.execute("CREATE ROLE lodger LOGIN")
    yield
    administration.execute("DROP ROLE lodger")


async def refusal(url: str) -> AdSparkError:
    """How an attempt to connect ends."""
    async with Database(url) as database:
        with pytest.raises(AdSparkError) as caught:
            async with database.session() as session:
                await session.execute(text("SELECT 1"))
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.usefixtures("lodger")
@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("foo=bar", r'cannot be asked as the address says \(invalid connection option "foo"\)'),
        ("sslmode=bogus", 'invalid sslmode value: "bogus"'),
        ("target_session_attrs=no", 'invalid target_session_attrs value: "no"'),
        ("options=-c%20nope%3D1", 'unrecognized configuration parameter "nope"'),
        ("sslmode=require", r"no encrypted connection .* SSL was required\); correct sslmode"),
    ],
)
async def test_a_fault_of_the_address_is_told_as_that_and_not_tried_again(
    relay: str, added: str, said: str
) -> None:
    error = await refusal(f"{relay}&{added}")
    assert isinstance(error, DatabaseSetupError), error
    assert re.search(rf"^ADSPARK_DATABASE_URL: .*{said}", str(error)), error


@pytest.mark.usefixtures("lodger")
@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        pytest.param(
            "REVOKE CONNECT ON DATABASE {} FROM public", DatabaseSetupError,
            "its owner can grant it: GRANT CONNECT ON DATABASE {} TO lodger;", id="no right",
        ),
        pytest.param(
            "ALTER DATABASE {} ALLOW_CONNECTIONS false", DatabaseSetupError,
            "ALTER DATABASE {} ALLOW_CONNECTIONS true;", id="closed",
        ),
        pytest.param(
            "ALTER DATABASE {} CONNECTION LIMIT 0", DatabaseUnavailableError,
            'has no connection left (too many connections for database "{}"); raise max_conn',
            id="full database",
        ),
        pytest.param(
            "ALTER ROLE lodger CONNECTION LIMIT 0", DatabaseUnavailableError,
            'has no connection left (too many connections for role "lodger"); raise',
            id="full role",
        ),
    ],
)  # fmt: skip
async def test_a_server_that_refuses_a_connection_is_not_told_to_be_started(
    relay: str, administration: psycopg.Connection, change: LiteralString, kind: type, said: str
) -> None:
    name = str(make_url(relay).database)
    administration.execute(sql.SQL(change).format(sql.Identifier(name)))
    error = await refusal(relay)
    assert type(error) is kind, error
    assert said.replace("{}", name) in str(error)
    assert "does not answer" not in str(error)


@pytest.mark.usefixtures("lodger")
async def test_an_address_that_names_its_port_leaves_what_the_shell_says_to_the_driver(
    relay: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    assert "SSL was required" in str(await refusal(relay))
    assert os.environ["PGPASSWORD"] == "hunter2"
    driver_url(database_url)  # the embedded server's
    assert "PGPASSWORD" not in os.environ


@pytest.mark.parametrize("written", ["@h:99999/ads", "@h:0/ads", "@/ads?host=h,h&port=1,99999",
                                     "@h:1,h:70000/ads"])  # fmt: skip
def test_a_port_that_cannot_be_is_refused(written: str) -> None:
    with pytest.raises(DatabaseSetupError, match=r"the port has to be 1 to 65535, not \d+\."):
        driver_url(f"postgresql://a{written}")


async def test_the_stacks_own_server_is_not_told_to_be_started(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    with server.running():
        address = server.url("postgres")
    said = str(await refusal(address))
    assert said.startswith(f"PostgreSQL does not answer in {home_folder / 'pg'} (")
    assert "a stack that runs starts it again within seconds" in said


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("postgresql://a@/ads?host=127.0.0.1&port=1", "127.0.0.1:1"),
        ("postgresql://a@127.0.0.1:1/ads", "127.0.0.1:1"),
        ("postgresql://a@/ads?host=127.0.0.1,127.0.0.2&port=1,2", "127.0.0.1,127.0.0.2:1,2"),
        ("postgresql://a@/ads?host=/nowhere", "/nowhere:5432"),
    ],
)
async def test_an_error_names_host_and_port_wherever_the_address_has_them(
    address: str, place: str
) -> None:
    assert f"PostgreSQL does not answer at {place} (" in str(await refusal(address))
