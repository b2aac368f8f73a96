"""The embedded server: shared, stopped by the last user, and never lost to a crash."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from adspark.errors import DatabaseSetupError
from adspark.local_postgres import LocalPostgres

HOLD = """
import sys, time
from pathlib import Path
from adspark.local_postgres import LocalPostgres
with LocalPostgres(Path(sys.argv[1])).running():
    print("up", flush=True)
    time.sleep(60)
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    """Another process that uses the server."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Take another process away without a word."""
    process.kill()
    process.communicate()


def test_data_stays_from_one_start_to_the_next(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    assert not server.is_running()
    with server.running(), psycopg.connect(server.url("adspark")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert not server.is_running()
    with server.running(), psycopg.connect(server.url("adspark")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_the_last_user_stops_it_also_where_another_was_killed(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    with server.running():
        other = hold(home_folder / "pg")
    assert server.is_running()  # the other process still uses it
    with server.running():
        end(other)
    assert not server.is_running()


def test_it_recovers_when_it_was_killed(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    with server.running():
        with psycopg.connect(server.url("adspark")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        pid = int((home_folder / "pg" / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
    with server.running(), psycopg.connect(server.url("adspark")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_a_setting_up_that_was_cut_off_is_begun_again(home_folder: Path) -> None:
    half_made = home_folder / "pg" / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    server = LocalPostgres(home_folder / "pg")
    with server.running():
        assert server.is_running()


def test_nobody_but_its_owner_can_reach_the_socket(home_folder: Path) -> None:
    with LocalPostgres(home_folder / "pg").running() as server:
        assert server.folder.stat().st_mode & 0o077 == 0


def test_data_of_another_major_version_is_named(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    with server.running():
        pass
    (home_folder / "pg" / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(DatabaseSetupError, match="was made by PostgreSQL 15"), server.running():
        pass


def test_a_folder_with_too_long_a_name_is_refused(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / ("x" * 90))
    with pytest.raises(DatabaseSetupError, match="too long for a socket"), server.running():
        pass
