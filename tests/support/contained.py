"""A run in the process that a container would be for it, on a test's Prefect server."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import State
from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_API_URL
from prefect.states import Pending

from adspark.settings import get_settings
from deployments.execution.fork import start_server
from deployments.execution.in_container import main
from orchestration.limits.time_limits import RUN_VARIABLE

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


@dataclass
class Container:
    """The first process of a run's container, and where it writes."""

    process: BaseProcess
    output: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode


async def start(
    run_id: UUID,
    folder: Path,
    *,
    group: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Container:
    """The first process of a run's container, forked from a server that has its imports.

    Args:
        run_id: the run.
        folder: where it writes.
        group: a control group that it enters before anything else.
        environment: more variables of its.
    """
    start_server()
    surroundings = {
        **os.environ,
        RUN_VARIABLE: str(run_id),
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        **(environment or {}),
    }
    output = folder / "container.log"
    process = get_context("forkserver").Process(
        target=_be_container, args=(surroundings, output, group)
    )
    await asyncio.to_thread(process.start)
    return Container(process, output)


def _be_container(environment: dict[str, str], output: Path, group: Path | None) -> None:
    """What `python -m deployments.execution.in_container` does."""
    if group is not None:
        (group / "cgroup.procs").write_text(str(os.getpid()))
    with output.open("wb", buffering=0) as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    get_settings.cache_clear()
    refresh_global_settings_context()
    main()


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


async def ended(container: Container) -> str:
    """Wait until it is gone; what it wrote."""
    await asyncio.to_thread(container.process.join, 90)
    assert container.returncode is not None
    return container.output.read_text()
