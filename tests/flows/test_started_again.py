"""A flow run that is started again takes the results of the tasks that its earlier start ended."""

from typing import Any, cast

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.flow_engine import run_flow
from prefect.states import AwaitingRetry

from adspark.db.engine import Database
from flows.fetch_creatives import fetch_creatives
from flows.process_watch import process_watch
from tests.support.factories import ADVERTISER_ID
from tests.support.watching import Place

pytestmark = pytest.mark.usefixtures("environment")


async def start(flow: Flow[..., Any], run: FlowRun, parameters: dict[str, Any]) -> State:
    """Start a run as its process does."""
    state: Any = run_flow(flow, flow_run=run, parameters=parameters, return_type="state")
    return cast("State", await state)


@pytest.mark.parametrize("flow", [fetch_creatives, process_watch], ids=lambda one: one.name)
async def test_a_run_that_is_started_again_searches_nothing_again(
    flow: Flow[..., Any], database: Database, sandbox_url: str
) -> None:
    place = Place(database, sandbox_url)
    watch_id = await place.add()
    all_parameters: dict[str, dict[str, Any]] = {
        fetch_creatives.name: {"advertiser_ids": [ADVERTISER_ID]},
        process_watch.name: {"watch_id": watch_id},
    }
    parameters = all_parameters[flow.name]
    async with get_client() as client:
        run = await client.create_flow_run(flow, parameters=parameters)
        first = await start(flow, run, parameters)
        await client.set_flow_run_state(run.id, AwaitingRetry(), force=True)
        run = await client.read_flow_run(run.id)
        again = await start(flow, run, parameters)
    assert first.is_completed()
    assert again.is_completed(), again.message
    assert again.message == first.message
