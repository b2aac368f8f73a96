"""The local stack's life: it starts, says what is wrong, and never leaves anything behind."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tests.support.stack import (
    Stack,
    start_in_foreground,
    state,
    surroundings,
)


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A home in which each test starts a stack, and leaves nothing running."""
    with surroundings() as made:
        yield made


def test_a_busy_port_is_named_with_its_holder_and_the_setting(own_stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", own_stack.prefect_port)):
        done = own_stack.adspark("up")
    assert done.returncode == 2
    assert f"Port {own_stack.prefect_port} for Prefect's server is taken by python" in done.stderr
    assert "set ADSPARK_PREFECT_PORT" in done.stderr
    assert not own_stack.processes()


@pytest.mark.parametrize(
    ("arguments", "home", "named"),
    [
        *(
            (called, "/dev/null/home", "/dev/null/home")
            for called in ("up", "up -d", "down", "demo", "db check", "run x")
        ),
        ("up -d", "/proc/home/adspark", "/proc/home"),  # on the way to it
    ],
)
def test_a_home_that_cannot_be_is_named_in_one_line(
    own_stack: Stack, arguments: str, home: str, named: str
) -> None:
    own_stack.more["ADSPARK_HOME"] = home
    done = own_stack.adspark(*arguments.split())
    own_stack.more.clear()
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: ADSPARK_HOME: {named}")
    assert "Traceback" not in done.stderr


def test_a_misspelled_setting_is_told_with_what_it_may_be(own_stack: Stack) -> None:
    own_stack.more.update(ADSPARK_HOME="/dev/null/home", ADSPARK_SERPAPI_KYE="secret-value")
    done = own_stack.adspark("up")
    own_stack.more.clear()
    assert "Warning: ADSPARK_SERPAPI_KYE is no setting of ours" in done.stderr
    assert "did you mean 'ADSPARK_SERPAPI_KEY'" in done.stderr
    assert "secret-value" not in done.stderr


def test_data_of_another_postgresql_are_named_in_the_last_line_and_nothing_is_left_running(
    own_stack: Stack,
) -> None:
    data = own_stack.home / "older" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12")
    done = own_stack.adspark("up", "--sandbox", "--data", "older", "--detach")
    assert done.returncode == 2
    assert f"Error: {data} was made by PostgreSQL 12" in done.stderr
    assert not own_stack.processes()


def test_a_killed_supervisor_is_cleared_and_a_part_that_dies_is_restarted_but_not_for_ever(
    own_stack: Stack,
) -> None:
    process = start_in_foreground(own_stack, "--sandbox")
    orphans = [one for one in own_stack.processes() if one.pid != process.pid]
    process.kill()
    process.wait()
    assert any(one.is_running() for one in orphans)
    asked = own_stack.adspark("status")
    assert asked.returncode == 2
    assert "was killed; its other processes run on; start it anew with: adspark up --sandbox" in (
        " ".join(asked.stderr.split())
    )
    process = start_in_foreground(own_stack, "--sandbox")
    assert not [one for one in orphans if "prefect" in " ".join(cmdline(one))]
    restarts_what_dies_but_not_for_ever(own_stack, process)
    assert own_stack.adspark("down").stdout.startswith("No stack is running in ")


def restarts_what_dies_but_not_for_ever(own_stack: Stack, process: "subprocess.Popen[str]") -> None:
    """Its workers are killed as soon as they run; at last it gives up, and leaves nothing."""
    killed = set()
    while process.poll() is None:
        running = state(own_stack)
        if running and (victim := running.parts["workers"].find()):
            killed.add(victim.pid)
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        time.sleep(0.05)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1, output
    assert len(killed) > 5
    assert "Error: workers ended with exit code -9" in output
    assert [one.cmdline() for one in own_stack.processes()] == []


def cmdline(process: psutil.Process) -> list[str]:
    """The command of a process, empty once it is gone."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
