"""A Prefect server for the tests of blocks, tasks and flows: one for them all."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from pathlib import Path
from tempfile import gettempdir

import httpx
import pytest
from filelock import FileLock

# Read by the tasks when they are imported; nobody waits a minute for a retry here.
os.environ["ADSPARK_RETRY_DELAYS"] = "0.05,0.05"

from prefect.testing.utilities import prefect_test_harness

from adspark.settings import get_settings

SANDBOX_KEY = "sandbox-key"


@pytest.fixture(scope="session", autouse=True)
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prefect's own harness: a temporary server and database, without the `.env` of this folder.

    Two that look for a free port at once may find the same one.
    """
    elsewhere = tmp_path_factory.mktemp("prefect-server")
    with ExitStack() as stack:
        with chdir(elsewhere), FileLock(Path(gettempdir()) / "adspark-test-server.lock"):
            stack.enter_context(prefect_test_harness(server_startup_timeout=120))
        yield


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


def searches(sandbox_url: str) -> dict[str, int]:
    """The sandbox's counters."""
    counters: dict[str, int] = httpx.get(f"{sandbox_url}/sandbox/stats").json()
    return counters


def switch_on(sandbox_url: str, *faults: dict[str, object]) -> None:
    """Make the sandbox misbehave."""
    httpx.put(f"{sandbox_url}/sandbox/faults", json=list(faults)).raise_for_status()
