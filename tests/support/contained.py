"""A run in the process that a container would be for it, on a test's Prefect server."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL
from prefect.states import Pending

POOL = "contained"


async def make_run(
    client: PrefectClient, folder: Path, source: str, flow: str, **parameters: object
) -> UUID:
    """A run that a worker has taken.

    Args:
        client: of the server.
        folder: where the flow's file is written.
        source: what is in it.
        flow: the name of its function and of the file.
        parameters: of the run.
    """
    (folder / f"{flow}.py").write_text(source)
    await client.create_work_pool(WorkPoolCreate(name=POOL, type="docker"), overwrite=True)
    deployment = await client.create_deployment(
        await client.create_flow_from_name(flow),
        flow,
        work_pool_name=POOL,
        path=str(folder),
        entrypoint=f"{flow}.py:{flow}",
        enforce_parameter_schema=False,
    )
    run = await client.create_flow_run_from_deployment(deployment, parameters=parameters)
    await client.set_flow_run_state(run.id, Pending(), force=True)
    await client.delete_work_pool(POOL)
    return run.id


async def start(
    run_id: UUID,
    *,
    begin: Callable[[], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Process:
    """The first process of a run's container.

    Args:
        run_id: the run.
        begin: what the process does before anything else.
        environment: more variables of its.
    """
    surroundings = {
        "PREFECT__FLOW_RUN_ID": str(run_id),
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        **(environment or {}),
    }
    return await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "deployments.execution.in_container"],
        env=os.environ | surroundings,
        preexec_fn=begin,
        stdout=PIPE,
        stderr=STDOUT,
    )


async def state_of(client: PrefectClient, run_id: UUID) -> State:
    state = (await client.read_flow_run(run_id)).state
    assert state is not None
    return state


async def until(client: PrefectClient, run_id: UUID, holds: Callable[[State], bool]) -> None:
    """Wait until something holds of the run's state."""
    end = time.monotonic() + 60
    while not holds(await state_of(client, run_id)):
        assert time.monotonic() < end, await state_of(client, run_id)
        await asyncio.sleep(0.1)


async def ended(process: Process) -> str:
    """Wait until it is gone; what it wrote."""
    output, _ = await asyncio.wait_for(process.communicate(), 90)
    return output.decode()
