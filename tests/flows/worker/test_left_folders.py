"""What a killed worker has left goes with its process, folders too; what lives stays as it is."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import anyio
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import AwaitingRetry, Pending, Running

from deployments.operations.leftover_processes import name_folder, remove_left_folders
from deployments.operations.worker_names import hold_name
from deployments.worker.orphans import adopt, identify
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
def start() -> Iterator[Callable[[UUID], "subprocess.Popen[bytes]"]]:
    """Starts a process of a run."""
    started: list[subprocess.Popen[bytes]] = []

    def start_process(run_id: UUID) -> "subprocess.Popen[bytes]":
        environment = os.environ | {RUN_VARIABLE: str(run_id)}
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, env=environment)
        started.append(process)
        return process

    yield start_process
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def alive(start: Callable[[UUID], "subprocess.Popen[bytes]"]) -> UUID:
    """A run that has a process."""
    run_id = uuid4()
    start(run_id)
    return run_id


async def claimed(client: PrefectClient, run: FlowRun, worker: str, *, pid: int | None) -> None:
    """A run as this worker has claimed it, with its process where there is one."""
    await client.update_flow_run_labels(run.id, {"prefect.worker.name": worker})
    if pid is not None:
        await client.update_flow_run(run.id, infrastructure_pid=identify(pid))


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


async def test_runs_of_another_worker_of_this_host_are_left_to_it_while_it_lives(
    temporary: Path,
) -> None:
    async with open_pools() as client:
        started, starting, again = await queue(client, Running(), Pending(), Pending())
        await claimed(client, started, "living", pid=os.getpid() + 10**6)
        await claimed(client, starting, "living", pid=None)
        await claimed(client, again, "living", pid=os.getpid() + 10**6)  # of its former process
        folders = [make_folder(temporary, one.id, seconds_old=5) for one in (started, again)]

        async def adopt_all() -> list[str | None]:
            async with anyio.create_task_group() as group:
                await adopt(client, group, POOL, "next")
            runs = (started, starting, again)
            return [(await client.read_flow_run(one.id)).state_name for one in runs]

        with hold_name("living", POOL, str(client.api_url)):
            assert await adopt_all() == ["Running", "Pending", "Pending"]
        assert all(folder.exists() for folder in folders)
        assert await adopt_all() == ["AwaitingRetry"] * 3
        assert not any(folder.exists() for folder in folders)


async def test_a_run_that_was_queued_anew_keeps_its_new_process_when_the_former_one_ends(
    temporary: Path, start: Callable[[UUID], "subprocess.Popen[bytes]"]
) -> None:
    async with open_pools() as client:
        (run,) = await queue(client, Running())
        former = start(run.id)
        await claimed(client, run, "killed", pid=former.pid)
        left = make_folder(temporary, run.id, seconds_old=5)
        async with anyio.create_task_group() as group:
            await adopt(client, group, POOL, "next")
            await anyio.sleep(0.5)  # it watches
            states: list[State] = [AwaitingRetry(), Pending(), Running()]
            for state in states:
                await client.set_flow_run_state(run.id, state, force=True)
            new = start(run.id)
            folder = temporary / f"{name_folder(run.id)}new"
            folder.mkdir()
            former.kill()
            former.wait()
        assert (left.exists(), folder.exists(), new.poll()) == (False, True, None)
        assert (await client.read_flow_run(run.id)).state_name == "Running"
