"""A run whose process is forked, as a worker on this host does it."""

import asyncio
import os
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL

from deployments.execution.fork import fork_run, start_server
from orchestration.limits.time_limits import RUN_VARIABLE
from tests.support.contained import state_of


async def fork_and_wait(run_id: UUID, folder: Path, **more: str) -> State:
    """The last state of the run, whose process has ended well.

    Args:
        run_id: the run.
        folder: in which it works.
        more: variables of its environment.
    """
    start_server()
    api_url = str(PREFECT_API_URL.value())
    variables = {RUN_VARIABLE: str(run_id), "PREFECT_API_URL": api_url, **more}
    process = await asyncio.to_thread(fork_run, run_id, {**os.environ, **variables}, str(folder))
    await asyncio.to_thread(process.join)
    assert process.exitcode == 0
    async with get_client() as client:
        return await state_of(client, run_id)
