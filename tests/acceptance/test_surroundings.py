"""A stack starts, works and ends whole, whatever its user's machine and shell are like."""

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from deployments.stack.logs import append_to_log, bound_log, open_log
from tests.acceptance.conftest import Stack

ACCOUNT = "nobody"
# What leads libpq, HTTP clients, Prefect and Python elsewhere, or into nothing.
EXPORTED = {
    "PGPORT": "9",
    "PGHOSTADDR": "192.0.2.1",
    "PGSERVICE": "elsewhere",
    "PGOPTIONS": "-c no_such_setting=1",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGTARGETSESSIONATTRS": "standby",
    "PGSSLMODE": "verify-full",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "SSL_CERT_FILE": "/nowhere/certificates.pem",
    "PREFECT_UI_API_URL": "http://127.0.0.1:9/api",
    "PREFECT_API_URL": "http://127.0.0.1:9/api",
    "PREFECT_SERVER_API_PORT": "9",
}


@contextmanager
def shadowed_folder(parent: Path) -> Iterator[Path]:
    """A working folder with packages that have our names."""
    folder = parent / "work"
    for name in ("deployments", "adspark", "flows", "tasks", "blocks"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise RuntimeError('the wrong package')")
    yield folder


def shown_until(words: str, terminal: int) -> str:
    """What a terminal shows until it shows these words, or its program ends."""
    shown = b""
    with suppress(OSError):
        while words.encode() not in shown:
            shown += os.read(terminal, 65536)
    return shown.decode(errors="replace")


@pytest.fixture
def account() -> str | None:
    """An ordinary account; None for that of these tests, where no other can run this Python."""
    if os.geteuid() != 0:
        return None
    program = Path(sys.executable).resolve()
    is_open = all(folder.stat().st_mode & 0o001 for folder in (program, *program.parents))
    return ACCOUNT if is_open else None


@pytest.fixture
def ordinary_folder(account: str | None) -> Iterator[Path]:
    """A folder of the account; what still runs in it at the end is ended."""
    folder = Path("/tmp") / f"ads of {os.getpid()}"  # not pytest's, which no other account enters
    folder.mkdir(mode=0o755)
    if account:
        shutil.chown(folder, account)
    yield folder
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if str(folder) in f"{process.info['cwd']} {process.info['cmdline']}":
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def test_an_ordinary_user_with_a_hostile_shell_starts_works_and_closes_the_terminal(
    ordinary_folder: Path, account: str | None, own_stack: Stack
) -> None:
    home = ordinary_folder / "my ads, it's 50% & $more"
    stack = replace(
        own_stack, home=home, more=EXPORTED | {"PREFECT_HOME": f"{ordinary_folder}/prefect"}
    )
    with shadowed_folder(ordinary_folder) as folder:
        environment = stack.environment | {"HOME": str(ordinary_folder)}
        terminal, inside = pty.openpty()
        command = [str(Path(sys.executable).parent / "adspark")]
        started = subprocess.Popen(
            [*command, "up", "--sandbox"],
            env=environment,
            cwd=folder,
            user=account,
            group="nogroup" if account else None,
            extra_groups=[] if account else None,
            umask=0o027,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        assert "Ready." in shown_until("Ready.", terminal)
        done = subprocess.run(
            [*command, "fetch", "--text=hubspot.com", "--region=US", "--json"],
            env={k: v for k, v in environment.items() if k != "PREFECT_API_URL"},
            cwd=folder,
            user=account,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["new"] > 0
        assert httpx.get(f"{stack.ui_url}/ui-settings").json()["api_url"] == "/api"
        logs = list(home.rglob("*.log"))
        assert {log.stat().st_mode & 0o077 for log in logs} == {0}
        assert {log.name for log in logs} >= {"server.log", "prefect-server.log", "sandbox.log"}
        os.close(terminal)  # the window is closed: the system sends SIGHUP
        started.send_signal(1)
        assert started.wait(60) == 0
    assert [one.cmdline() for one in stack.processes()] == []


def test_logs_of_earlier_starts_are_kept_and_none_grows_for_ever(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    for number in range(6):
        with open_log(log) as file:
            file.write(f"start {number}".encode())
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {
        "server.log": "start 5",
        "server.log.1": "start 4",
        "server.log.2": "start 3",
        "server.log.3": "start 2",
    }
    with append_to_log(log) as file:
        bound_log(log, most_bytes=7)
        bound_log(log, most_bytes=6)
        file.write(b"on")  # by the process that has had it open all the time
    assert (log.read_text(), (tmp_path / "server.log.1").read_text()) == ("on", "start 5")
