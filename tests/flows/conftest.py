"""A Prefect server for the tests of blocks, tasks and flows: one for them all."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, chdir, closing, suppress
from pathlib import Path
from shutil import copy
from sqlite3 import connect
from tempfile import gettempdir
from unittest.mock import patch

import pytest
from filelock import FileLock
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness

from adspark.db.engine import Database
from adspark.settings import get_settings
from blocks.adspark_database import AdSparkDatabase
from blocks.alert_recipients import AlertRecipients
from blocks.configured import DOCUMENT
from blocks.dify_workflow import DifyWorkflow
from blocks.digest_recipients import DigestRecipients
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.provisioning.drift import LastApplied
from tests.support.sandbox_control import SANDBOX_KEY
from tests.support.workshop import Workshop, workshop

_DATABASE = "prefect-test.db"  # in the folder that Prefect's harness makes


@pytest.fixture(scope="package", autouse=True)
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prefect's own harness: a temporary server and database, without the `.env` of this folder.

    It ends with the last test of this folder: one that nobody asks still takes CPU time.
    Two that look for a free port at once may find the same one. The database of the first in a
    parallel run is where the others begin, which need not migrate theirs.
    """
    elsewhere = tmp_path_factory.mktemp("prefect-server")
    migrated = tmp_path_factory.getbasetemp().parent / "prefect-migrated.db"
    with ExitStack() as stack:
        with (
            chdir(elsewhere),
            FileLock(Path(gettempdir()) / f"adspark-test-server-{os.getuid()}.lock"),
            patch("prefect.testing.utilities.mkdtemp", return_value=str(elsewhere)),
        ):
            if migrated.exists():
                copy(migrated, elsewhere / _DATABASE)
            stack.enter_context(prefect_test_harness(server_startup_timeout=600))
            if "PYTEST_XDIST_WORKER" in os.environ and not migrated.exists():
                _save(elsewhere / _DATABASE, migrated)
        yield


def _save(database: Path, file: Path) -> None:
    """Save a database that is in use in a file."""
    with closing(connect(database)) as used, closing(connect(file)) as saved:
        used.backup(saved)


@pytest.fixture(autouse=True)
def _short_retry_delays(_no_settings_of_the_machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a minute for a retry here."""
    monkeypatch.setenv("ADSPARK_RETRY_DELAYS", "0.05,0.05")


@pytest.fixture
async def nothing_stays() -> AsyncIterator[None]:
    """For tests that provision: later ones count on the absence of what that makes."""
    yield
    for block in (
        AdSparkDatabase,
        AlertRecipients,
        DifyWorkflow,
        DigestRecipients,
        LastApplied,
        SerpApiCredentials,
    ):
        with suppress(ValueError):  # it is there only where a test has saved it
            await block.adelete(DOCUMENT)
    async with get_client() as client:
        for limit in await client.read_global_concurrency_limits(limit=200):
            if not limit.name.startswith("deployment:"):  # those go with their deployments
                await client.delete_global_concurrency_limit_by_name(limit.name)
        for automation in await client.read_automations():
            await client.delete_automation(automation.id)


@pytest.fixture(scope="module")
def no_pools_stay(prefect_server: None) -> Iterator[None]:
    """The same for pools, at the end of a file: deployments that have lost theirs are made anew."""
    yield
    with get_client(sync_client=True) as client:
        for pool in client.read_work_pools():
            client.delete_work_pool(pool.name)


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, database_url: str, sandbox_url: str
) -> pytest.MonkeyPatch:
    """Settings that lead to the test's database and sandbox."""
    monkeypatch.setenv("ADSPARK_DATABASE_URL", database_url)
    monkeypatch.setenv("ADSPARK_SERPAPI_URL", sandbox_url)
    monkeypatch.setenv("ADSPARK_SERPAPI_KEY", SANDBOX_KEY)
    monkeypatch.setenv("ADSPARK_DIFY_URL", f"{sandbox_url}/v1")
    monkeypatch.setenv("ADSPARK_DIFY_KEY", "app-sandbox")
    monkeypatch.setenv("ADSPARK_TRUSTED_HOSTS", sandbox_url.removeprefix("http://"))
    get_settings.cache_clear()
    return monkeypatch


@pytest.fixture
def shop(
    environment: pytest.MonkeyPatch, database: Database, sandbox_url: str, tmp_path: Path
) -> Workshop:
    """The database, the sandbox and the media that the environment names."""
    return workshop(database, sandbox_url, tmp_path / "home")
