"""A flow run that is started again takes the results of the tasks that its earlier start ended."""

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from prefect.states import AwaitingRetry

from adspark.db.engine import Database
from flows.fetch_creatives import fetch_creatives
from flows.process_watch import process_watch
from tests.support.factories import ADVERTISER_ID
from tests.support.watching import Place

pytestmark = pytest.mark.usefixtures("environment")


@pytest.mark.parametrize("flow", [fetch_creatives, process_watch], ids=lambda one: one.name)
async def test_a_run_that_is_started_again_searches_nothing_again(
    flow: Flow[..., object], database: Database, sandbox_url: str
) -> None:
    place = Place(database, sandbox_url)
    watch_id = await place.add()
    parameters = {
        fetch_creatives: {"advertiser_ids": [ADVERTISER_ID]},
        process_watch: {"watch_id": watch_id},
    }[flow]
    async with get_client() as client:
        run = await client.create_flow_run(flow, parameters=parameters)
        first = await run_flow(flow, flow_run=run, parameters=parameters, return_type="state")
        await client.set_flow_run_state(run.id, AwaitingRetry(), force=True)
        run = await client.read_flow_run(run.id)
        again = await run_flow(flow, flow_run=run, parameters=parameters, return_type="state")
    assert first.is_completed()
    assert again.is_completed(), again.message
    assert again.message == first.message
