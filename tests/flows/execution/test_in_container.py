"""What a run's container does, without Docker: its process carries out the run, or ends."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from pathlib import Path
from uuid import UUID, uuid4

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL
from prefect.states import Pending

FLOW = """
import asyncio
from prefect import flow

@flow(name="contained")
async def contained(seconds: float = 0.0) -> None:
    await asyncio.sleep(seconds)
"""


async def make_run(client: PrefectClient, folder: Path, **parameters: object) -> UUID:
    """A run that a worker has taken."""
    (folder / "contained.py").write_text(FLOW)
    await client.create_work_pool(WorkPoolCreate(name="contained", type="docker"), overwrite=True)
    deployment = await client.create_deployment(
        await client.create_flow_from_name("contained"),
        "contained",
        work_pool_name="contained",
        path=str(folder),
        entrypoint="contained.py:contained",
        enforce_parameter_schema=False,
    )
    run = await client.create_flow_run_from_deployment(deployment, parameters=parameters)
    await client.set_flow_run_state(run.id, Pending(), force=True)
    await client.delete_work_pool("contained")
    return run.id


async def start(run_id: UUID, *, stderr: int | None = None) -> Process:
    """The first process of a run's container.

    Args:
        run_id: the run.
        stderr: where its standard error goes; None is to that of the tests.
    """
    surroundings = {
        "PREFECT__FLOW_RUN_ID": str(run_id),
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
    }
    return await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "deployments.execution.in_container"],
        env=os.environ | surroundings,
        stderr=stderr,
    )


async def state_of(client: PrefectClient, run_id: UUID) -> State:
    state = (await client.read_flow_run(run_id)).state
    assert state is not None
    return state


async def test_it_carries_out_its_run_and_ends(tmp_path: Path) -> None:
    async with get_client() as client:
        run_id = await make_run(client, tmp_path)
        process = await start(run_id)
        assert await asyncio.wait_for(process.wait(), 60) == 0
        assert (await state_of(client, run_id)).is_completed()


async def test_told_to_stop_it_hands_back_its_run(tmp_path: Path) -> None:
    async with get_client() as client:
        run_id = await make_run(client, tmp_path, seconds=60)
        process = await start(run_id)
        end = time.monotonic() + 60
        while not (await state_of(client, run_id)).is_running():
            assert time.monotonic() < end
            await asyncio.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
        assert (await state_of(client, run_id)).name == "AwaitingRetry"


async def test_it_ends_where_it_cannot_begin() -> None:
    process = await start(uuid4(), stderr=asyncio.subprocess.PIPE)
    _, told = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"was deleted" in told
    assert b"Traceback" not in told
