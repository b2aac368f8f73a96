"""What the pages of variants start and resume on Prefect's server."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow_async
from prefect.flow_runs import aresume_flow_run
from prefect.input import keyset_from_paused_state
from prefect.input.actions import aread_flow_run_input
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Pending, Running

from adspark.db.engine import Database
from adspark.generators.base import RemoteRun
from adspark.variants.lists import list_variants
from adspark.variants.reviews.store import list_reviews
from adspark.variants.state import VariantState
from adspark.variants.store import VariantSummary, read_variant
from deployments.operations.pools import pause, resume
from flows.generate_ad_variant import generate_ad_variant
from flows.review_ad_variant import review_ad_variant
from orchestration.runs.variant_runs import answer_decided, stop_variants
from tests.support.checked import BROKEN
from tests.support.gallery import GalleryClient
from tests.support.library import ad
from tests.support.queued import open_pools
from tests.support.variants_at_hand import ask, ask_together, finish, read

pytestmark = pytest.mark.usefixtures("environment")

FORM = "/variants/new"
AWAY = {PREFECT_API_URL: "http://127.0.0.1:9/api"}


@pytest.fixture
async def deployment() -> AsyncIterator[UUID]:
    """The deployment generate-ad-variant/generate-ad-variant, without a worker."""
    async with get_client() as client:
        flow_id = await client.create_flow(generate_ad_variant)
        made = await client.create_deployment(flow_id, "generate-ad-variant")
        yield made
        await client.delete_deployment(made)


async def runs(deployment: UUID) -> list[FlowRun]:
    wanted = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    async with get_client() as client:
        return await client.read_flow_runs(flow_run_filter=wanted)


async def requested(database: Database) -> list[VariantSummary]:
    async with database.session() as session:
        return await list_variants(session, limit=100)


async def test_each_variant_gets_one_run_however_often_the_form_is_sent(
    pages: GalleryClient, database: Database, deployment: UUID
) -> None:
    fields = {"key": uuid4().hex, "ad": [ad(1), ad(2)], "prompt": "Red", "confirmed": "2"}
    answers = [await pages.send_form(FORM, FORM, **fields) for _ in range(2)]
    answers += await asyncio.gather(*(pages.send_form(FORM, FORM, **fields) for _ in range(3)))

    for answer in answers:
        assert answer.status_code == 200
        assert "Requested: a worker makes it." in answer.text
    made = {one.id for one in await requested(database)}
    assert len(made) == 2
    started = await runs(deployment)
    assert sorted(run.parameters["variant_id"] for run in started) == sorted(made)


async def test_a_prompt_longer_than_the_workflow_takes_is_said_beside_its_field(
    pages: GalleryClient, database: Database
) -> None:
    answer = await pages.send_form(FORM, FORM, key=uuid4().hex, ad=ad(1), prompt="x" * 7999)

    assert answer.status_code == 422
    assert "this workflow&#39;s input &#39;prompt&#39; takes at most 2000" in answer.text
    assert await requested(database) == []


async def test_pages_of_what_waits_in_a_paused_pool_say_so_and_foretell_nothing(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await ask_together(session, [ad(1), ad(2)], "Blue")
        await session.commit()
    addresses = "/variants/1", "/variants/batches/1"
    async with open_pools() as client:
        await pause(client, "ai-generation")
        paused = [(await pages.get(address)).text for address in addresses]
        fields = {"key": uuid4().hex, "ad": [ad(1), ad(2)], "prompt": "Red"}
        paused.append((await pages.send_form(FORM, FORM, **fields)).text)
        await resume(client, "ai-generation", skip_late=False)
        resumed = [(await pages.get(address)).text for address in addresses]

    for page in paused:
        assert "generations are paused; an operator resumes them." in page
        assert "waiting for a worker" not in page
        assert "At least" not in page
    assert "waiting for a worker" in resumed[0]
    assert "At least" in resumed[1]
    assert "are paused" not in "".join(resumed)


@pytest.fixture
async def running(deployment: UUID) -> FlowRun:
    """A run of the deployment that a worker carries out."""
    async with get_client() as client:
        run = await client.create_flow_run_from_deployment(deployment)
        await client.set_flow_run_state(run.id, Pending())
        await client.set_flow_run_state(run.id, Running())
        await client.update_flow_run(run.id, infrastructure_pid="host:1")
        return run


async def begin(database: Database, run: FlowRun, *, is_accepted: bool | None = None) -> int:
    """A variant that a run makes; with `is_accepted` it was submitted."""
    async with database.session() as session:
        variant = await ask(session, ad(1))
        await VariantState(session, variant).claim(flow_run_id=run.id, generator="dify")
        variant = await read(session, variant)
        if is_accepted is not None:
            await VariantState(session, variant).submit()
        if is_accepted:
            await VariantState(session, variant).accept(RemoteRun("run-1", "task-1"))
        await session.commit()
        return variant.id


async def state_of(run: FlowRun) -> str | None:
    async with get_client() as client:
        return (await client.read_flow_run(run.id)).state_name


async def test_a_variant_that_is_cancelled_has_its_run_cancelled(
    pages: GalleryClient, database: Database, running: FlowRun
) -> None:
    variant_id = await begin(database, running)
    page = f"/variants/{variant_id}"
    answer = await pages.send_form(f"{page}/cancel", page)
    assert "It is cancelled." in answer.text
    assert await state_of(running) == "Cancelling"
    again = await pages.send_form(f"{page}/cancel", page)
    assert "Nothing was done: it has moved on meanwhile" in again.text


async def test_a_run_that_waits_for_difys_first_answer_stays_to_stop_what_it_names(
    pages: GalleryClient, database: Database, running: FlowRun
) -> None:
    variant_id = await begin(database, running, is_accepted=False)
    async with database.session() as session:
        await VariantState(session, await read(session, variant_id)).cancel()
        await session.commit()
    await stop_variants([variant_id])
    assert await state_of(running) == "Running"
    async with database.session() as session:
        await VariantState(session, await read(session, variant_id)).accept(RemoteRun("r", "t"))
        await session.commit()
    await stop_variants([variant_id])
    assert await state_of(running) == "Cancelling"


async def test_a_variant_is_cancelled_also_while_prefect_is_away(
    pages: GalleryClient, database: Database, running: FlowRun
) -> None:
    idle, submitted = (
        await begin(database, running),
        await begin(database, running, is_accepted=True),
    )
    said = {}
    for variant_id in (idle, submitted):
        page = f"/variants/{variant_id}"
        with temporary_settings(AWAY):
            said[variant_id] = (await pages.send_form(f"{page}/cancel", page)).text
    assert "It is cancelled." in said[idle]
    assert "its generation could not be stopped" in said[submitted]
    assert {one.status for one in await requested(database)} == {"cancelled"}
    assert await state_of(running) == "Running"


async def test_a_batch_that_is_cancelled_has_the_runs_of_its_variants_cancelled(
    pages: GalleryClient, database: Database, deployment: UUID
) -> None:
    fields = {"key": uuid4().hex, "ad": [ad(1), ad(2)], "prompt": "Red", "confirmed": "2"}
    await pages.send_form(FORM, FORM, **fields)
    page = "/variants/batches/1"
    answer = await pages.send_form(f"{page}/cancel", page)
    assert "The batch and its open variants are cancelled." in answer.text
    assert [run.state_name for run in await runs(deployment)] == ["Cancelled"] * 2


async def test_where_prefect_is_away_the_request_is_kept_and_the_page_says_so(
    pages: GalleryClient, database: Database, deployment: UUID
) -> None:
    with temporary_settings(AWAY):
        answer = await pages.send_form(FORM, FORM, key=uuid4().hex, ad=ad(1), prompt="Red")

    assert "it begins by itself once Prefect is back" in answer.text
    assert len(await requested(database)) == 1
    assert await runs(deployment) == []


@pytest.fixture
async def waiting(database: Database, pages: GalleryClient) -> AsyncIterator[tuple[int, FlowRun]]:
    """A completed variant, and the suspended run that waits for its review."""
    async with get_client() as client:
        flow_id = await client.create_flow(review_ad_variant)
        made = await client.create_deployment(flow_id, "review-ad-variant")
        async with database.session() as session:
            variant = await ask(session, ad(1), wants_review=True)
            variant = await finish(session, variant, image_path=None)
            parameters = {"variant_id": variant.id}
            run = await client.create_flow_run_from_deployment(made, parameters=parameters)
            await VariantState(session, variant).assign_review(run.id)
            await session.commit()
        yield variant.id, await carry_out(run)
        await client.delete_deployment(made)


async def carry_out(run: FlowRun) -> FlowRun:
    """The run after its process, as a worker starts it, has ended."""
    with suppress(Pause):
        await run_flow_async(review_ad_variant, flow_run=run, parameters=run.parameters)
    await asyncio.to_thread(end_observers)
    async with get_client() as client:
        return await client.read_flow_run(run.id)


def end_observers() -> None:
    """Wait for the threads by which Prefect notices that a run is suspended: one that is late would
    suspend the same run when it goes on in this process."""
    for thread in threading.enumerate():
        if thread.name.endswith("(observer_thread)"):
            thread.join()


async def review(pages: GalleryClient, variant_id: int, **fields: str) -> httpx.Response:
    path = f"/variants/{variant_id}"
    page = (await pages.get(path)).text
    found = re.search(r'name="seen_at" value="(.*?)"', page)
    assert found
    return await pages.send_form(f"{path}/review", path, seen_at=found[1], **fields)


async def test_a_decision_ends_the_run_that_waits_and_no_later_one_is_undone(
    pages: GalleryClient, database: Database, waiting: tuple[int, FlowRun]
) -> None:
    variant_id, run = waiting
    assert run.state is not None
    assert run.state.is_paused()

    rated = await review(pages, variant_id, rating="2")
    assert "not decided yet" in rated.text
    async with get_client() as client:
        assert (await client.read_flow_run(run.id)).state == run.state
    approved = await review(pages, variant_id, decision="approve")
    assert "Your approval is saved." in approved.text
    rejected = await review(pages, variant_id, decision="reject")  # before the run goes on
    assert "Your rejection is saved." in rejected.text

    async with get_client() as client:
        run = await carry_out(await client.read_flow_run(run.id))
    assert run.state is not None
    assert run.state.is_completed()
    assert run.state.message == f"variant {variant_id}: rejected"
    async with database.session() as session:
        (kept,) = await list_reviews(session, variant_id=variant_id)
    assert (kept.is_approved, kept.rating) == (False, 2)


async def test_where_prefect_is_away_a_review_is_saved_all_the_same(
    pages: GalleryClient, database: Database, waiting: tuple[int, FlowRun]
) -> None:
    variant_id, run = waiting
    with temporary_settings(AWAY):
        answer = await review(pages, variant_id, decision="approve")

    assert "the run that waits for the review ends by itself later" in answer.text
    async with database.session() as session:
        (kept,) = await list_reviews(session, variant_id=variant_id)
    assert kept.is_approved is True
    async with get_client() as client:
        assert (await client.read_flow_run(run.id)).state == run.state

    async with database.session() as session:
        assert await answer_decided(session) == 1  # as the next generate-pending-variants does
        assert await answer_decided(session) == 0
    async with get_client() as client:
        ended = await carry_out(await client.read_flow_run(run.id))
    assert ended.state is not None
    assert ended.state.message == f"variant {variant_id}: approved"


async def test_the_form_of_the_run_refuses_to_approve_what_breaks_rules_without_a_reason(
    database: Database, waiting: tuple[int, FlowRun]
) -> None:
    variant_id, run = waiting
    async with database.session() as session:
        variant = await read_variant(session, variant_id=variant_id)
        await VariantState(session, variant).save_check(BROKEN)
        await session.commit()

    await aresume_flow_run(run.id, run_input={"approve": True})
    async with get_client() as client:
        run = await carry_out(await client.read_flow_run(run.id))
    assert run.state is not None
    assert run.state.is_paused()  # it asks again, and says why
    form = await read_form(run)
    assert "Not saved: overrule_reason: variant" in form
    assert "| banned words in the copy | **failed** | 'free' in “get it free" in form
    assert "| banned words on the picture | not checked | RapidOCR is not installed |" in form
    async with database.session() as session:
        assert await list_reviews(session, variant_id=variant_id) == []

    await aresume_flow_run(run.id, run_input={"approve": True, "overrule_reason": "Agreed"})
    async with get_client() as client:
        run = await carry_out(await client.read_flow_run(run.id))
    assert run.state is not None
    assert run.state.is_completed()
    async with database.session() as session:
        (kept,) = await list_reviews(session, variant_id=variant_id)
    assert (kept.is_approved, kept.overrule_reason) == (True, "Agreed")


async def read_form(run: FlowRun) -> str:
    """What stands in the form that a suspended run shows."""
    assert run.state is not None
    keyset = keyset_from_paused_state(run.state)
    return str(await aread_flow_run_input(keyset["description"], flow_run_id=run.id))
