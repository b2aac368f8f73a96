"""What is stored is archived soon: at most one run waits, and none where nothing is new."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Running

from flows.archive_creatives import archive_creatives
from flows.fetch_creatives import fetch_creatives
from orchestration.runs.flow_runs import filter_runs, read_runs

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    async with get_client() as opened:
        yield opened


@pytest.fixture
async def deployment(client: PrefectClient) -> AsyncIterator[UUID]:
    """The deployment of the archive, for as long as the test."""
    flow_id = await client.create_flow(archive_creatives)
    made = await client.create_deployment(flow_id, "archive-creatives")
    yield made
    await client.delete_deployment(made)


async def requested(client: PrefectClient, deployment: UUID) -> list[FlowRun]:
    """The runs of the archive, the latest first."""
    return await read_runs(client, filter_runs(deployments=[deployment]))


async def test_one_run_waits_for_all_that_is_new(client: PrefectClient, deployment: UUID) -> None:
    await fetch_creatives(text="hubspot.com", dry_run=True)
    assert await requested(client, deployment) == []
    assert (await fetch_creatives(text="hubspot.com")).new == 3
    assert (await fetch_creatives(text="tesla.com")).new > 0
    (waiting,) = await requested(client, deployment)
    assert waiting.next_scheduled_start_time is not None
    assert waiting.next_scheduled_start_time > datetime.now(UTC)
    await client.set_flow_run_state(waiting.id, Running(), force=True)
    assert (await fetch_creatives(text="hubspot.com")).new == 0
    assert len(await requested(client, deployment)) == 1
    assert (await fetch_creatives(text="lululemon.com")).new > 0
    assert len(await requested(client, deployment)) == 2
