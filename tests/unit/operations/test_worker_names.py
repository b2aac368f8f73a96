"""A worker's name has one process of a host at a time."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adspark.errors import ConfigurationError
from deployments.operations.worker_names import hold_name, is_held

API = "http://127.0.0.1:4200/api"
HOLD = """
import subprocess, sys
from deployments.operations.worker_names import hold_name
with hold_name("one", "default", "http://127.0.0.1:4200/api"):
    child = subprocess.Popen(["sleep", "60"])
    print(child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the names' files are."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@contextmanager
def held_elsewhere() -> Iterator[subprocess.Popen[str]]:
    """A process that is the worker `one` of the pool `default`, and has started another one."""
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            yield process
        finally:
            process.kill()
            os.kill(child, 9)


def test_a_name_that_a_living_process_has_is_refused_with_that_process_and_the_remedy() -> None:
    with held_elsewhere() as process:
        with (
            pytest.raises(ConfigurationError) as refused,
            hold_name("one", "default", "http://localhost:4200/api/"),
        ):
            pass
        assert str(refused.value) == (
            f"Process {process.pid} of this host is the worker one of the pool default already; "
            "stop it, or give this one another name: --name"
        )
        for other in [
            ("two", "default", API),
            ("one", "maintenance", API),
            ("one", "default", "http://127.0.0.1:4201/api"),
        ]:
            assert not is_held(*other)
            with hold_name(*other):
                assert is_held(*other)
            assert not is_held(*other)


def test_a_killed_process_leaves_its_name_whatever_it_has_started_goes_on() -> None:
    with held_elsewhere() as process:
        assert is_held("one", "default", API)
        process.kill()
        process.wait()
        with hold_name("one", "default", API):
            pass
