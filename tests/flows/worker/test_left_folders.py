"""The folders of runs whose worker was killed: they go with their process, and no other does."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import anyio
import pytest
from prefect.states import Running

from deployments.operations.leftover_processes import name_folder, remove_left_folders
from deployments.worker.orphans import adopt
from orchestration.limits.time_limits import RUN_VARIABLE
from tests.support.queued import POOL, open_pools, queue


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders of runs are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def make_folder(temporary: Path, run_id: UUID, *, seconds_old: float) -> Path:
    """That of a run, as a worker has made it."""
    folder = temporary / f"{name_folder(run_id)}abc123_z"
    folder.mkdir()
    (folder / ".output").write_text("said")
    made = time.time() - seconds_old
    os.utime(folder, (made, made))
    return folder


@pytest.fixture
def alive() -> Iterator[UUID]:
    """A run that has a process."""
    run_id = uuid4()
    environment = os.environ | {RUN_VARIABLE: str(run_id)}
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, env=environment)
    yield run_id
    process.communicate(b"\n")


def test_a_starting_worker_removes_folders_without_a_process(temporary: Path, alive: UUID) -> None:
    left = make_folder(temporary, uuid4(), seconds_old=100)
    kept = [
        make_folder(temporary, alive, seconds_old=100),
        make_folder(temporary, uuid4(), seconds_old=5),  # its process is just being started
        temporary / "adspark-run-of-somebody-else",
    ]
    kept[-1].mkdir()
    remove_left_folders()
    assert not left.exists()
    assert all(folder.exists() for folder in kept)


async def test_the_folder_of_a_run_that_is_adopted_goes_with_its_process(temporary: Path) -> None:
    async with open_pools() as client:
        (run,) = await queue(client, Running())
        await client.update_flow_run(run.id, infrastructure_pid=f"{socket.gethostname()}:1:0.5")
        folder = make_folder(temporary, run.id, seconds_old=5)
        async with anyio.create_task_group() as group:
            await adopt(client, group, POOL, "next")
        assert not folder.exists()
        assert (await client.read_flow_run(run.id)).state_name == "AwaitingRetry"
