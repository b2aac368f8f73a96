"""What every test may use: settings of its own, a Postgres server, a database, the sandbox."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

# Parallel runs of pytest fix the width of a terminal, which tests of commands choose themselves.
os.environ.pop("COLUMNS", None)
# Importing the flows leads to the stack that runs here, and it may be its developer's.
os.environ["ADSPARK_HOME"] = "/nowhere/adspark"
# Clients load the authorities that they trust anew, 20 ms of work for the hundred that a machine
# has; nothing here speaks TLS to anybody. This one has signed nothing.
os.environ["SSL_CERT_FILE"] = str(
    Path(__file__).parents[1] / "deployments" / "environment" / "no_authority.pem"
)

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from xdist.remote import Producer

from adspark.db import migrate
from adspark.db.embedded import LocalPostgres
from adspark.db.engine import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.settings import get_settings
from tests.support.folders import in_memory, open_folder
from tests.support.scheduling import ScopeScheduling, arrange

pytest_plugins = ["tests.support.gallery_fixtures"]

# New objects after which Python looks for garbage: at its own 700, imports set it off for nothing.
gc.set_threshold(20_000)

TEMPLATE = "adspark_template"

# Property tests: the same few examples at every run of the suite; `make properties` draws many
# others. No example is judged by its time, which depends on the machine.
for profile, examples, steps, is_fixed in (("suite", 15, 20, True), ("long", 300, 40, False)):
    settings.register_profile(
        profile,
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=is_fixed,
        deadline=None,
        database=None,
        print_blob=not is_fixed,
        suppress_health_check=list(HealthCheck),
    )
settings.load_profile("suite")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ScopeScheduling:
    """For parallel runs (`-n`)."""
    return ScopeScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring them into the order in which workers take them."""
    arrange(items)


def pytest_collection_finish() -> None:
    """Tests and modules stay to the end: no collection has to look through them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test sees the environment or the `.env` of whoever runs it, nor writes to their home."""
    for name in [name for name in os.environ if name.startswith("ADSPARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ADSPARK_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def home_folder() -> Iterator[Path]:
    """A folder for an embedded server of the test's own."""
    with open_folder(in_memory()) as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """A server for the whole run."""
    with open_folder(in_memory()) as folder, LocalPostgres(folder / "pg").running() as server:
        yield server


@pytest.fixture(scope="session")
def administration(postgres: LocalPostgres) -> Iterator[psycopg.Connection]:
    """A connection that makes and drops the databases; the template is migrated."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        _do_without_sync(connection)
        _create_database(connection, TEMPLATE)
        migrate.upgrade(postgres.url(TEMPLATE))
        yield connection


@pytest.fixture
def empty_database_url(
    postgres: LocalPostgres, administration: psycopg.Connection
) -> Iterator[str]:
    """The address of a database without tables."""
    with _fresh_database(administration, template="template1") as name:
        yield postgres.url(name)


@pytest.fixture
def database_url(postgres: LocalPostgres, administration: psycopg.Connection) -> Iterator[str]:
    """The address of a migrated, empty database of the test's own."""
    with _fresh_database(administration, template=TEMPLATE) as name:
        yield postgres.url(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database of the test's own."""
    async with Database(database_url) as made:
        yield made


@pytest.fixture
def sandbox_url() -> Iterator[str]:
    """A sandbox with the recorded ads, served over HTTP."""
    with serve(SandboxSettings()) as url:
        yield url


@contextmanager
def _fresh_database(administration: psycopg.Connection, *, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    _create_database(administration, name, template=template)
    yield name
    administration.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _do_without_sync(administration: psycopg.Connection) -> None:
    """Nothing has to outlive the machine, and to drop a database would wait for the disk."""
    for name in ("fsync", "full_page_writes"):
        administration.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
    administration.execute("SELECT pg_reload_conf()")


def _create_database(
    administration: psycopg.Connection, name: str, *, template: str = "template1"
) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    administration.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
