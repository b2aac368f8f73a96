"""A stack starts, works and ends whole, whatever its user's machine and shell are like."""

import base64
import getpass
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from adspark.home.processes import ProcessId
from adspark.home.running_stack import StackState
from deployments.stack.logs import append_to_log, bound_log, open_log
from tests.support import asking
from tests.support.stack import Stack
from tests.support.waiting import wait_until

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
    "ALL_PROXY": "socks5://127.0.0.1:9",
    # Every logger tells all that it knows.
    "PREFECT_SERVER_API_AUTH_STRING": "operator:correct-horse-battery",
    "PREFECT_LOGGING_LEVEL": "DEBUG",
    "PREFECT_LOGGING_ROOT_LEVEL": "DEBUG",
    "PREFECT_SERVER_LOGGING_LEVEL": "DEBUG",
    "PREFECT_INTERNAL_LOGGING_LEVEL": "DEBUG",
}
PASSWORD_FORMS = (
    "correct-horse",
    "horse-battery",
    base64.b64encode(b"operator:correct-horse-battery").decode(),
)


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
def ordinary_folder() -> Iterator[Path]:
    """A folder that every account can enter; what still runs in it at the end is ended."""
    folder = Path("/tmp") / f"ads of {os.getpid()}"  # not pytest's, which no other account enters
    folder.mkdir(mode=0o755)
    yield folder
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if str(folder) in f"{process.info['cwd']} {process.info['cmdline']}":
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Account:
    """Who starts the stack, and with which Python; None is who runs these tests."""

    name: str | None
    python: str

    def own(self, folder: Path) -> None:
        """Give the account a folder."""
        if self.name:
            shutil.chown(folder, self.name)

    def as_user(self) -> dict[str, Any]:
        """What makes a process the account's."""
        if self.name is None:
            return {}
        return {"user": self.name, "group": "nogroup", "extra_groups": []}


def can_be_entered(path: Path) -> bool:
    """Whether every account gets there."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


@pytest.fixture
def account(ordinary_folder: Path) -> Account:
    """An ordinary account, also where these tests run as root.

    For it there is an environment of its own, on this one's packages, with a Python that it may
    run: root's own often lies where nobody else can enter.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = Path(sysconfig.get_path("purelib"))
    own = [Path(sys.executable).resolve(), Path("/usr/bin") / version]
    usable = [one for one in own if one.exists() and can_be_entered(one)]
    if os.geteuid() != 0 or not usable or not can_be_entered(packages):
        return Account(None, sys.executable)
    environment = ordinary_folder / "environment"
    subprocess.run([usable[0], "-m", "venv", "--without-pip", environment], check=True)
    added = environment / "lib" / version / "site-packages" / "adspark.pth"
    added.write_text(f"{packages}\n{Path(__file__).parents[2]}\n")
    return Account(ACCOUNT, str(environment / "bin" / "python"))


@contextmanager
def hearing_the_terminals_end() -> Iterator[None]:
    """What is started here does not ignore SIGHUP, although the tests run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_ordinary_user_with_a_hostile_shell_starts_works_and_closes_the_terminal(
    ordinary_folder: Path, account: Account, own_stack: Stack
) -> None:
    user_home = ordinary_folder / "my ads"
    user_home.mkdir(mode=0o755)
    account.own(user_home)
    home = user_home / "ads, it's 50% & $more"
    more = EXPORTED | {"PREFECT_HOME": f"{user_home}/prefect", "HOME": str(user_home)}
    stack = replace(own_stack, home=home, more=more)
    command = [account.python, "-P", "-m", "deployments.cli.main"]
    with shadowed_folder(ordinary_folder) as folder, hearing_the_terminals_end():
        terminal, inside = pty.openpty()
        started = subprocess.Popen(
            [*command, "up", "--sandbox"],
            env=stack.environment,
            cwd=folder,
            umask=0o027,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            **account.as_user(),
        )
        os.close(inside)
        assert "Ready." in shown_until("Ready.", terminal)
        assert psutil.Process(started.pid).username() == (account.name or getpass.getuser())
        done = subprocess.run(
            [*command, "fetch", "--text=hubspot.com", "--region=US", "--json"],
            env={k: v for k, v in stack.environment.items() if k != "PREFECT_API_URL"},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **account.as_user(),
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["new"] > 0
        assert asking.get(f"{stack.ui_url}/ui-settings").json()["api_url"] == "/api"
        logs = [log for log in home.rglob("*.log") if log.is_file()]
        assert {log.stat().st_mode & 0o077 for log in logs} == {0}
        assert {log.name for log in logs} >= {"server.log", "prefect-server.log", "sandbox.log"}
        assert home.stat().st_mode & 0o777 == (
            0o700 if account.name else home.stat().st_mode & 0o711
        )
        os.close(terminal)  # the window is closed: the system sends SIGHUP
        started.send_signal(signal.SIGHUP)
        assert started.wait(300) == 0
    assert [one.cmdline() for one in stack.processes()] == []
    written = "".join(log.read_text(errors="replace") for log in logs)
    assert "DEBUG" in written
    assert [form for form in PASSWORD_FORMS if form in written] == []


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own, which is soon full."""
    disk = Path("/tmp") / f"disk of {os.getpid()}"
    disk.mkdir(mode=0o755)
    mount = ["mount", "-t", "tmpfs", "-o", "size=350m,mode=755", "ads", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        disk.rmdir()
        pytest.skip("Only root can mount a disk, and not in every container.")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)
    disk.rmdir()


def fill(file: Path) -> None:
    """Write until nothing more goes onto the disk."""
    with suppress(OSError), file.open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(2**20))
    with suppress(OSError), file.open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(2**12))


def problems(stack: Stack) -> list[str]:
    """What `adspark status` says that a person should see to, each with its remedy."""
    told = stack.adspark("status")
    return [line for line in told.stdout.splitlines() if line.startswith("! ")]


def test_a_full_disk_and_a_deleted_pool_are_told_of_and_cost_nothing_else(
    small_disk: Path, own_stack: Stack
) -> None:
    stack = replace(own_stack, home=small_disk / "home")
    (small_disk / "home").mkdir()
    started = stack.adspark("up", "--sandbox", "--detach")
    assert started.returncode == 0, started.stderr
    try:
        _delete_a_pool(stack)
        _fill_the_disk(stack, small_disk / "filler")
        assert "Traceback" not in (stack.home / "stack.log").read_text()
    finally:
        (small_disk / "filler").unlink(missing_ok=True)
        assert stack.adspark("down").returncode == 0
    assert [one.cmdline() for one in stack.processes()] == []


def _delete_a_pool(stack: Stack) -> None:
    """Its worker waits, and one that is killed meanwhile waits too; the others go on."""
    asking.delete(f"{stack.api_url}/work_pools/maintenance").raise_for_status()
    kill(stack, "workers")
    log = stack.home / "sandbox" / "logs" / "workers.log"
    missing = "no work pool 'maintenance'; make it with: adspark provision"
    wait_until(lambda: missing in log.read_text())
    assert "! there is no work pool maintenance: adspark provision" in problems(stack)
    assert asking.get(f"{stack.api_url}/health").json() is True
    waiting = parts(stack)["workers"]
    assert stack.adspark("provision").returncode == 0
    wait_until(lambda: not any("work pool" in one or "worker" in one for one in problems(stack)))
    assert parts(stack)["workers"] == waiting
    run = stack.adspark("run", "probe/maintenance")
    assert run.returncode == 0, run.stderr


def _fill_the_disk(stack: Stack, filler: Path) -> None:
    """What dies while the disk is full is started again once there is room, and not before."""
    fill(filler)
    assert any(one.startswith("! disk: 0.0 of 0.3 GB free") for one in problems(stack))
    log = stack.home / "stack.log"
    postgres = stack.home / "sandbox" / "postgres" / "data" / "postmaster.pid"
    psutil.Process(int(postgres.read_text().split()[0])).kill()
    killed = [kill(stack, "workers"), kill(stack, "prefect server")]
    wait_until(lambda: not any(one.is_running() for one in killed))
    told = stack.adspark("status")
    assert (told.returncode, "! disk: 0.0 of 0.3 GB free" in told.stdout) == (2, True), told.stderr
    filler.unlink()
    wait_until(lambda: answers(stack))
    wait_until(lambda: carries_out_runs(stack))
    assert "Ready" in log.read_text()


def answers(stack: Stack) -> bool:
    """Whether Prefect's server is there, with its database."""
    with suppress(httpx.HTTPError):
        counting = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
        return asking.post(f"{stack.api_url}/flow_runs/count", json=counting).is_success
    return False


def carries_out_runs(stack: Stack) -> bool:
    """Whether a run completes."""
    return stack.adspark("run", "save-watch", "-p", "name=x", "-p", "text=x.com").returncode == 0


def parts(stack: Stack) -> dict[str, ProcessId]:
    """The processes of the stack."""
    return StackState.model_validate_json((stack.home / "stack.json").read_text()).parts


def kill(stack: Stack, part: str) -> psutil.Process:
    """Kill a part of the stack."""
    process = parts(stack)[part].find()
    assert process is not None
    process.kill()
    return process


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
