"""A process of the local stack takes along what it has started, also where it died by itself."""

import os
import time
from pathlib import Path

import psutil
import pytest

from adspark.home.processes import is_alive
from deployments.stack.processes import StackProcess

# Starts a helper that outlives it, as a worker does the server that its runs are forked from.
PARENT = '''
import pathlib, subprocess, sys, time
RUN = [sys.executable, "-c", "import time; time.sleep(600)"]
HELPER = f"""
import subprocess, sys, time
print(subprocess.Popen({RUN}, start_new_session=True).pid, flush=True)
time.sleep(600)
"""
helper = subprocess.Popen([sys.executable, "-c", HELPER], stdout=subprocess.PIPE, text=True)
file = pathlib.Path(sys.argv[1])
(file.parent / "part").write_text(f"{helper.pid} {helper.stdout.readline()}")
(file.parent / "part").rename(file)
time.sleep(600)
'''


@pytest.fixture
def part(tmp_path: Path) -> StackProcess:
    process = StackProcess("part", on_change=lambda: None)
    process.start(
        ["-c", PARENT, str(tmp_path / "helper")],
        log=tmp_path / "part.log",
        env=dict(os.environ),
        cwd=tmp_path,
    )
    return process


def helper_and_run_of(part: StackProcess, folder: Path) -> tuple[psutil.Process, psutil.Process]:
    """What it has started, once it has, and what that has started in a session of its own."""
    while not (folder / "helper").exists():
        assert part.is_alive
        time.sleep(0.01)
    helper, run = map(int, (folder / "helper").read_text().split())
    (folder / "helper").unlink()
    return psutil.Process(helper), psutil.Process(run)


def kill(part: StackProcess) -> None:
    assert part.process is not None
    part.process.kill()
    part.process.wait()


def test_what_is_left_of_a_part_that_died_ends_before_it_is_started_again(
    part: StackProcess, tmp_path: Path
) -> None:
    first, run = helper_and_run_of(part, tmp_path)
    kill(part)
    assert is_alive(first)
    part.restart()
    assert not is_alive(first)
    assert is_alive(run)  # the runs of a killed worker go on
    run.kill()
    second, other = helper_and_run_of(part, tmp_path)
    part.stop()
    assert not any(map(is_alive, (second, other)))
    assert not part.is_alive


def test_what_is_left_of_a_part_that_died_ends_with_the_stack(
    part: StackProcess, tmp_path: Path
) -> None:
    helper, run = helper_and_run_of(part, tmp_path)
    kill(part)
    part.stop()
    assert not is_alive(helper)
    run.kill()
