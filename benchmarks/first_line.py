"""A flow that writes when its first line ran, deployed to a stack."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from deployments.operations.runs.purge import purge
from orchestration.runs.flow_runs import count_runs, filter_runs, read_runs

_LOOKS, _PAUSE = 60, 0.5  # at runs that end, and the seconds between two

_FLOW = """
import asyncio, time
from pathlib import Path
from prefect import flow

def cancelled(flow, flow_run, state):
    Path(flow_run.parameters["file"] + ".hook").write_text(str(time.time()))

@flow(name="first-line", on_cancellation=[cancelled], timeout_seconds=8)
async def first_line(file: str, seconds: float = 0.0):
    Path(file).write_text(str(time.time()))
    await asyncio.sleep(seconds)
"""


@asynccontextmanager
async def deployed(
    client: PrefectClient, home: Path, pools: dict[str, str]
) -> AsyncIterator[dict[str, UUID]]:
    """It is deployed to each of these pools for as long as the block runs.

    Args:
        client: of the server.
        home: the stack's, in which its file is written.
        pools: their names by that of the deployment.

    Returns:
        The ids of the deployments by name.
    """
    file = home / "first-line" / "first_line.py"
    file.parent.mkdir()
    file.write_text(_FLOW)
    flow: Flow[..., None] = load_flow_from_entrypoint(
        f"{file}:first_line", use_placeholder_flow=False
    )
    flow_id = await client.create_flow(flow)
    made = {
        who: await client.create_deployment(
            flow_id,
            who,
            work_pool_name=pool,
            path=str(file.parent),
            entrypoint="first_line.py:first_line",
            parameter_openapi_schema=parameter_schema(flow).model_dump(),
        )
        for who, pool in pools.items()
    }
    try:
        yield made
    finally:
        await _empty(client, list(made.values()))
        for deployment_id in made.values():
            await client.delete_deployment(deployment_id)
        shutil.rmtree(file.parent)


async def _empty(client: PrefectClient, deployments: Sequence[UUID]) -> None:
    """Cancel what waits and let end what has begun: without its deployment a run would fail."""
    waiting = filter_runs(deployments=deployments, types={StateType.SCHEDULED})
    await purge(client, await read_runs(client, waiting))
    begun = filter_runs(deployments=deployments, types={StateType.PENDING, StateType.RUNNING})
    for _ in range(_LOOKS):
        if not await count_runs(client, begun):
            break
        await asyncio.sleep(_PAUSE)
