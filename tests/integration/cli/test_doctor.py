"""`adspark doctor`: what is wrong on this machine, with its remedy, with or without a stack."""

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchmarks.ports import free_port
from tests.support.sandbox_control import SANDBOX_KEY, searches
from tests.support.terminal import ADSPARK, converse


def surroundings(home: Path, **variables: str) -> dict[str, str]:
    """The environment of somebody with nothing but these variables, and free ports."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ADSPARK_", "PREFECT_"))}
    ports = {f"ADSPARK_{one}_PORT": str(free_port()) for one in ("PREFECT", "METRICS", "GALLERY")}
    return clean | ports | {"ADSPARK_HOME": str(home)} | variables


def examined(folder: Path, home: Path, **variables: str) -> tuple[int, dict[str, Any], str]:
    """The exit code, the checks by their names, and all that was said."""
    done = subprocess.run(
        [ADSPARK, "doctor", "--json"], cwd=folder, env=surroundings(home, **variables),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.count("\n") == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] == (done.returncode == 0)
    return (
        done.returncode,
        {one["name"]: one for one in document["checks"]},
        done.stdout + done.stderr,
    )


def test_who_has_nothing_yet_reads_that_nothing_is_wrong_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    shown = converse([ADSPARK, "doctor"], environment=surroundings(home), folder=tmp_path)
    assert shown.exit_code == 0, shown.screen
    assert "Nothing is wrong in 12 checks." in shown.text
    lines = [line for line in shown.screen.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= 80, shown.screen  # the name of a folder stays whole
    for line in ("ok Python 3.", "not set up stack does not run; ports", "ok browser starts"):
        assert line in shown.text, shown.screen
    assert "not set up database is not made yet → adspark up, which makes it" in shown.text
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_is_told_with_its_remedy_and_without_a_secret(
    tmp_path: Path, empty_database_url: str, sandbox_url: str
) -> None:
    (tmp_path / ".env").write_text("ADSPARK_SERPAPY_KEY=misspelled-key\nADSPARK_STACK=two\n")
    (tmp_path / ".env").chmod(0o600)
    code, checks, said = examined(
        tmp_path,
        tmp_path / "home",
        ADSPARK_SERPAPI_KEY="wrong-key-123",
        ADSPARK_SERPAPI_URL=sandbox_url,
        ADSPARK_DATABASE_URL=empty_database_url,
        ADSPARK_BROWSER="/no/browser",
        ADSPARK_MEDIA_URL="/proc/media",
        PREFECT_API_URL=f"http://127.0.0.1:{free_port()}/api",
    )
    assert code == 1
    expected = {
        "SerpApi": ("failed", "SerpApi does not accept the key", ""),
        "database": ("failed", "The database is at no migration", "adspark db upgrade"),
        "stack": ("ok", "none here; PREFECT_API_URL names a server", ""),
        "browser": ("failed", "ADSPARK_BROWSER: there is no program", "install"),
        "media store": ("failed", "ADSPARK_MEDIA_URL: /proc/media", ""),
        "Prefect": ("failed", "does not answer (ConnectError) at http://127.0.0.1", "adspark up"),
        "settings": ("warning", "ADSPARK_SERPAPY_KEY is no setting", "'ADSPARK_SERPAPI_KEY'"),
        "Python": ("ok", "3.1", ""),
        "packages": ("ok", "AdSpark 0", ""),
        "Dify": ("not set up", "ADSPARK_DIFY_KEY", ""),
    }
    for name, (state, what, remedy) in expected.items():
        found = checks[name]
        assert (found["state"], what in found["what"]) == (state, True), found
        assert remedy in found["what"] + found["remedy"], found
    for secret in ("wrong-key-123", "misspelled-key"):
        assert secret not in said
    assert searches(sandbox_url)["billed"] == 0


def test_a_migrated_database_and_an_accepted_key_are_well(
    tmp_path: Path, database_url: str, sandbox_url: str
) -> None:
    code, checks, said = examined(
        tmp_path,
        tmp_path / "home",
        ADSPARK_SERPAPI_KEY=SANDBOX_KEY,
        ADSPARK_SERPAPI_URL=sandbox_url,
        ADSPARK_DATABASE_URL=database_url,
    )
    assert code == 0, said
    assert checks["SerpApi"]["what"] == "100000 of 100000 searches left this month"
    assert checks["database"]["what"].startswith("PostgreSQL 18")
    assert checks["database"]["what"].endswith("all extensions")


def test_a_database_of_another_version_is_told_with_the_remedy_of_that(
    tmp_path: Path, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    _, checks, _ = examined(tmp_path, tmp_path / "home", ADSPARK_DATABASE_URL=database_url)
    assert checks["database"]["what"].startswith("The database is of a newer AdSpark (9999; ")
    assert checks["database"]["remedy"] == "update AdSpark here too"


def test_a_database_that_does_not_answer_is_the_fault_in_every_check_that_asks_it(
    tmp_path: Path,
) -> None:
    nobody = f"postgresql://ads@127.0.0.1:{free_port()}/ads"
    _, checks, _ = examined(tmp_path, tmp_path / "home", ADSPARK_DATABASE_URL=nobody)
    for name in ("database", "pictures"):
        assert checks[name]["state"] == "failed"
        assert checks[name]["remedy"] == "PostgreSQL and its log", checks[name]


def test_a_file_in_place_of_the_home_is_a_problem_among_the_other_checks(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, checks, _ = examined(tmp_path, tmp_path / "file")
    assert code == 1
    assert checks["settings"]["state"] == "failed"
    assert checks["settings"]["what"].startswith(f"ADSPARK_HOME: {tmp_path / 'file'} is no folder")
    assert checks["packages"]["state"] == "ok"


def test_a_port_of_the_stack_that_is_taken_is_told_with_the_setting_to_change(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        _, checks, _ = examined(tmp_path, tmp_path / "home", ADSPARK_GALLERY_PORT=port)
    assert checks["stack"]["state"] == "failed"
    assert f"Port {port} for the gallery is taken by" in checks["stack"]["what"]
    assert "ADSPARK_GALLERY_PORT" in checks["stack"]["what"] + checks["stack"]["remedy"]


@pytest.mark.parametrize("written", ["ADSPARK_DRAIN_TIME=soon\n", "ADSPARK_PREFECT_PORT=0\n"])
def test_a_setting_that_cannot_be_used_is_a_problem_and_the_rest_is_checked(
    tmp_path: Path, written: str
) -> None:
    (tmp_path / ".env").write_text(written)
    name = written.partition("=")[0]
    environment = surroundings(tmp_path / "home")
    environment.pop(name, None)
    done = subprocess.run(
        [ADSPARK, "doctor", "--json"], cwd=tmp_path, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert checks["settings"]["what"].startswith(f"{name}: ")
    assert checks["packages"]["state"] == "ok"
