"""`python -m deployments.gallery.server`: whose data it shows, and what it leaves behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from adspark.db.configured import database_url
from adspark.db.embedded import LocalPostgres, postgres_folder
from adspark.home.running_stack import StackState
from adspark.settings import Settings
from benchmarks.ports import free_port
from tests.support.variants_at_hand import AD, in_session, store_ads
from tests.support.waiting import wait_until


@contextmanager
def gallery(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The gallery as somebody starts it who has set nothing but ADSPARK_HOME."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ADSPARK_", "PREFECT_"))}
    clean |= {"ADSPARK_HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(
        [sys.executable, "-m", "deployments.gallery.server", "--port", str(port)],
        env=clean,
        cwd=home,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").is_success
    except httpx.HTTPError:
        return False


def test_beside_a_stack_on_the_sandbox_its_data_are_shown(home_folder: Path) -> None:
    data = Settings(home=home_folder / "sandbox", database_url=None)
    StackState(home=data.home, api_url="http://127.0.0.1:9/api", ui_url="").write(home_folder)
    port = free_port()
    with database_url(data) as url:
        in_session(url, store_ads)
        with gallery(home_folder, port) as process:
            wait_until(lambda: is_up(port))
            page = httpx.get(f"http://127.0.0.1:{port}/library").text
            process.send_signal(signal.SIGTERM)
            process.wait()

    assert AD in page
    assert not postgres_folder(home_folder).exists()


@pytest.mark.parametrize("is_early", [True, False], ids=["while it starts", "once it serves"])
def test_the_server_of_a_database_that_it_has_started_ends_with_it(
    home_folder: Path, is_early: bool
) -> None:
    port = free_port()
    postgres = LocalPostgres(postgres_folder(home_folder))
    with gallery(home_folder, port) as process:
        wait_until(lambda: postgres.is_running() if is_early else is_up(port))
        process.send_signal(signal.SIGTERM)
        code = process.wait()
    try:
        assert not postgres.is_running()
        assert code in (-signal.SIGTERM, 128 + signal.SIGTERM)
    finally:
        postgres.stop_unused()
