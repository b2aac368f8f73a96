"""The flow generate-pending-variants: who is given to a worker, and who is not."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled, Crashed, Pending, Running

from flows.generate_ad_variant import generate_ad_variant
from flows.generate_pending_variants import generate_pending_variants
from tests.support.workshop import Workshop

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
async def deployment() -> AsyncIterator[UUID]:
    """The deployment generate-ad-variant/generate-ad-variant, without a worker."""
    async with get_client() as client:
        flow_id = await client.create_flow(generate_ad_variant)
        made = await client.create_deployment(flow_id, "generate-ad-variant")
        yield made
        await client.delete_deployment(made)


async def runs(deployment: UUID) -> list[FlowRun]:
    """The runs that were started, oldest first."""
    wanted = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    async with get_client() as client:
        found = await client.read_flow_runs(flow_run_filter=wanted)
    return sorted(found, key=lambda run: run.created or run.id.bytes)


async def test_each_waiting_variant_gets_one_run_oldest_first(
    shop: Workshop, deployment: UUID
) -> None:
    ids = await shop.stock()
    requested = await shop.request(*ids[:3])
    first = await generate_pending_variants(limit=2)
    assert (first.started, first.waiting) == (2, 1)
    assert [run.parameters["variant_id"] for run in await runs(deployment)] == requested[:2]
    again = await generate_pending_variants(limit=2)
    assert (again.started, again.under_way, again.waiting) == (0, 2, 1)
    assert len(await runs(deployment)) == 2


async def test_what_a_dead_run_has_left_is_given_to_another(
    shop: Workshop, deployment: UUID
) -> None:
    ids = await shop.stock()
    await shop.request(ids[0])
    await generate_pending_variants()
    (run,) = await runs(deployment)
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Pending())
        await client.set_flow_run_state(run.id, Running())
        await client.set_flow_run_state(run.id, Crashed())
    assert (await generate_pending_variants()).started == 1
    assert len(await runs(deployment)) == 2


async def test_a_run_that_counts_as_running_but_works_on_nothing_is_replaced(
    shop: Workshop, deployment: UUID
) -> None:
    """Killed with its worker: Prefect cannot know, but nobody holds the variant."""
    ids = await shop.stock()
    (variant_id,) = await shop.request(ids[0])
    await generate_pending_variants()
    (run,) = await runs(deployment)
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Pending())
        await client.set_flow_run_state(run.id, Running())
    async with shop.database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE ad_variant SET status = 'processing'")
        await session.commit()
    async with shop.database.lock(f"variant:{variant_id}"):
        assert (await generate_pending_variants()).under_way == 1
    assert (await generate_pending_variants()).started == 1


async def test_a_variant_whose_run_was_cancelled_is_cancelled(
    shop: Workshop, deployment: UUID
) -> None:
    ids = await shop.stock()
    (variant_id,) = await shop.request(ids[0])
    await generate_pending_variants()
    (run,) = await runs(deployment)
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Cancelled())
    assert (await generate_pending_variants()).cancelled == 1
    assert (await shop.row(variant_id)).status == "cancelled"


async def test_without_anything_to_do_it_says_so() -> None:
    assert (await generate_pending_variants()).headline == "nothing to do"
