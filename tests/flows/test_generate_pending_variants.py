"""The flow generate-pending-variants: who is given to a worker, and who is not."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled, Crashed, Failed, Pending, Running
from sqlalchemy import text

from adspark.variants.batches.lists import list_waiting
from adspark.variants.batches.plan import BatchRequest, create_batch
from adspark.variants.batches.store import set_paused
from flows.generate_ad_variant import generate_ad_variant
from flows.generate_pending_variants import generate_pending_variants
from orchestration.runs.batch_runs import start_batch, start_next_of_batch
from orchestration.runs.variant_runs import stop_variants
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


async def request_with_run(shop: Workshop, deployment: UUID) -> tuple[int, FlowRun]:
    """A variant that is requested, and the run that was started for it."""
    ids = await shop.stock()
    (variant_id,) = await shop.request(ids[0])
    await generate_pending_variants()
    (run,) = await runs(deployment)
    return variant_id, run


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


async def create_running(shop: Workshop, ads: list[str], *prompts: str) -> int:
    """A batch whose first runs wait in the queue; returns its number."""
    request = BatchRequest(ads=tuple(ads), prompts=prompts)
    async with shop.database.session() as session:
        confirmed = len(ads) * len(prompts)
        batch = await create_batch(session, request, key=uuid4(), confirmed=confirmed)
        await session.commit()
        await start_batch(session, batch_id=batch)
    return batch


async def test_a_batch_with_a_full_queue_does_not_keep_others_from_their_turn(
    shop: Workshop, deployment: UUID
) -> None:
    ids = await shop.stock()
    await create_running(shop, ids[:3], "Red", "Blue")
    await create_running(shop, ids[:1], "Green", "Grey")
    async with shop.database.session() as session:  # as those whose runs could not be started
        await session.execute(text("UPDATE ad_variant SET flow_run_id = NULL WHERE id > 4"))
        await session.commit()
    alone = await shop.request(*ids[:3])
    found = await generate_pending_variants(limit=2)
    assert (found.under_way, found.started, found.waiting) == (4, 4, 3)
    given = [run.parameters["variant_id"] for run in await runs(deployment)]
    assert given[-2:] == alone[:2]


async def test_what_is_submitted_is_taken_up_however_many_are_under_way(
    shop: Workshop, deployment: UUID
) -> None:
    paid, run = await request_with_run(shop, deployment)
    ids = await shop.stock()
    waiting = await shop.request(ids[1], ids[2])
    assert (await generate_pending_variants(limit=3)).started == 2
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Failed(name="Postponed"), force=True)
    async with shop.database.session() as session:
        await session.execute(
            text("UPDATE ad_variant SET asked_at = now(), generator = 'dify' WHERE id = :id"),
            {"id": paid},
        )
        await session.commit()
    await shop.request(ids[1], prompt="Blue")
    found = await generate_pending_variants(limit=2)
    assert (found.under_way, found.started, found.waiting) == (2, 1, 1)
    given = [run.parameters["variant_id"] for run in await runs(deployment)]
    assert given == [paid, *waiting, paid]


async def test_a_submitted_variant_that_is_taken_up_again_starts_no_more_of_its_batch(
    shop: Workshop, deployment: UUID
) -> None:
    """It has started its next when it began first; a batch's queue would grow with each try."""
    ids = await shop.stock()
    async with shop.database.session() as session:
        request = BatchRequest(ads=tuple(ids[:3]), prompts=("Red",))
        await create_batch(session, request, key=uuid4(), confirmed=3)
        await session.execute(text("UPDATE ad_variant SET asked_at = now() WHERE id = 1"))
        await session.commit()
    await start_next_of_batch(shop.database, 1)
    assert await runs(deployment) == []
    await start_next_of_batch(shop.database, 2)
    assert len(await runs(deployment)) == 1


async def test_what_a_dead_run_has_left_is_given_to_another(
    shop: Workshop, deployment: UUID
) -> None:
    _, run = await request_with_run(shop, deployment)
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
    variant_id, run = await request_with_run(shop, deployment)
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
    variant_id, run = await request_with_run(shop, deployment)
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Cancelled())
    assert (await generate_pending_variants()).cancelled == 1
    assert (await shop.row(variant_id)).status == "cancelled"


async def test_a_variant_that_is_retried_after_its_run_was_cancelled_gets_a_new_one(
    shop: Workshop, deployment: UUID
) -> None:
    variant_id, run = await request_with_run(shop, deployment)
    await shop.cancel(variant_id)
    await stop_variants([variant_id])
    async with get_client() as client:
        assert (await client.read_flow_run(run.id)).state_name == "Cancelled"
    await shop.retry(variant_id)  # while Prefect is away, so without a run
    assert (await generate_pending_variants()).started == 1
    assert {one.id for one in await runs(deployment)} > {run.id}
    assert (await generate_pending_variants()).under_way == 1
    assert (await shop.row(variant_id)).status == "pending"


async def test_without_anything_to_do_it_says_so() -> None:
    assert (await generate_pending_variants()).headline == "nothing to do"


async def test_a_paused_batch_gets_no_runs_and_one_that_goes_on_gets_them_as_they_begin(
    shop: Workshop, deployment: UUID
) -> None:
    ids = await shop.stock()
    request = BatchRequest(ads=tuple(ids[:3]), prompts=("Red",))
    async with shop.database.session() as session:
        batch = await create_batch(session, request, key=uuid4(), confirmed=3)
        await set_paused(session, batch_id=batch, is_paused=True)
        await session.commit()
    assert (await generate_pending_variants()).headline == "nothing to do"

    paused = await generate_ad_variant(ids[0], "Red", variant_id=1, return_state=True)
    assert paused.is_completed()
    assert "variant 1 waits: Batch 1 is paused" in str(paused.message)
    assert await runs(deployment) == []
    async with shop.database.session() as session:
        await set_paused(session, batch_id=batch, is_paused=False)
        await session.commit()
        assert await start_batch(session, batch_id=batch) == 3
        assert await start_batch(session, batch_id=batch) == 0
        await session.execute(text("UPDATE ad_variant SET flow_run_id = NULL WHERE id > 1"))
        await session.commit()

    made = await generate_ad_variant(ids[0], "Red", variant_id=1)
    assert (made.status, shop.bill["paid"]) == ("completed", 1)
    async with shop.database.session() as session:
        assert [
            one.flow_run_id is None for one in await list_waiting(session, batch_id=batch, limit=9)
        ] == [False, True]
