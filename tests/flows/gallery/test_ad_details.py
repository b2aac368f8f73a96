"""Details on demand from the page of an ad: a run of a deployment, and how far it is."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from prefect import State
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled, Completed, Failed, Running

from adspark.db.engine import Database
from flows.fetch_details import fetch_details
from tests.support.gallery import GalleryClient
from tests.support.library import ad, buy_words
from tests.support.stored_ads import change

pytestmark = pytest.mark.usefixtures("environment")

PAGE = f"/ads/{ad(3)}"


@pytest.fixture
async def deployment() -> AsyncIterator[UUID]:
    """The deployment fetch-details/fetch-details, without a worker."""
    async with get_client() as client:
        flow_id = await client.create_flow(fetch_details)
        made = await client.create_deployment(
            flow_id,
            "fetch-details",
            entrypoint="flows.fetch_details.fetch_details",
            parameter_openapi_schema=fetch_details.parameters.model_dump(),
        )
        yield made
        await client.delete_deployment(made)


async def runs(deployment: UUID) -> list[FlowRun]:
    """The runs that were started."""
    wanted = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    async with get_client() as client:
        return await client.read_flow_runs(flow_run_filter=wanted)


def details(page: str) -> str:
    """The part on details."""
    return page.split('<section id="details"')[1].split("</section>")[0]


async def test_a_run_is_started_once_for_the_ad_and_followed_until_its_end(
    pages: GalleryClient, database: Database, deployment: UUID
) -> None:
    started = await pages.send_form(f"{PAGE}/details", PAGE)

    (run,) = await runs(deployment)
    assert run.parameters["ads"] == [ad(3)]
    assert started.url.query.decode() == f"run={run.id}"
    again = await pages.send_form(f"{PAGE}/details", PAGE)
    assert again.url == started.url  # it is under way
    assert len(await runs(deployment)) == 1
    assert "waits for a worker" in details(started.text)
    assert f'data-part="{PAGE}/details?run={run.id}" data-again="2"' in started.text
    status = f"{PAGE}/details?run={run.id}"
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Running(), force=True)
        running = details((await pages.get(status)).text)
        assert "being looked up" in running
        assert "data-again" in running
        await client.set_flow_run_state(run.id, Failed(message="SerpApi is <away>"), force=True)
    failed = details((await pages.get(status)).text)
    assert "The look-up failed: SerpApi is &lt;away&gt;" in failed
    assert "data-again" not in failed
    assert "Look up its details" in failed

    async with database.session() as session:
        await buy_words(session, 3, headline="Known now")
        await session.commit()
    page = (await pages.get(f"{PAGE}?run={run.id}")).text
    assert "1 search billed" in details(page)
    assert "Known now" in page
    await pages.send_form(f"{PAGE}/details", PAGE)
    assert len(await runs(deployment)) == 1


async def test_a_failure_is_said_once_in_words_for_people(
    pages: GalleryClient, database: Database, deployment: UUID
) -> None:
    used_up = "SerpApi: no searches are left until the plan renews. Wait for it, or take another."
    started = await pages.send_form(f"{PAGE}/details", PAGE)
    (run,) = await runs(deployment)
    said = f"Flow run encountered an exception: QuotaExhaustedError: {used_up}"
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Failed(message=said), force=True)
    await change(
        database,
        f"INSERT INTO creative_detail (ad_creative_id, error) VALUES ('{ad(3)}', '{used_up}')",
    )

    page = details((await pages.get(str(started.url))).text)

    assert f"The look-up failed: {used_up}" in page
    assert "Error" not in page
    assert page.count("no searches are left until the plan renews") == 1
    later = details((await pages.get(PAGE)).text)  # which shows no run
    assert "The last attempt failed: SerpApi: no searches are left" in later


async def test_an_earlier_failure_of_another_kind_stays_beside_that_of_the_run(
    pages: GalleryClient, database: Database, deployment: UUID
) -> None:
    started = await pages.send_form(f"{PAGE}/details", PAGE)
    (run,) = await runs(deployment)
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Failed(message="no worker"), force=True)
    await change(
        database,
        f"INSERT INTO creative_detail (ad_creative_id, error) VALUES ('{ad(3)}', 'SerpApi is off')",
    )

    page = details((await pages.get(str(started.url))).text)

    assert "The look-up failed: no worker" in page
    assert "The last attempt failed: SerpApi is off" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [(Completed(), "ended without details"), (Cancelled(), "was cancelled")],
)
async def test_a_run_that_found_nothing_leads_back_to_the_button(
    pages: GalleryClient, deployment: UUID, state: State, words: str
) -> None:
    started = await pages.send_form(f"{PAGE}/details", PAGE)
    (run,) = await runs(deployment)
    async with get_client() as client:
        await client.set_flow_run_state(run.id, state, force=True)

    page = details((await pages.get(str(started.url))).text)

    assert words in page
    assert "Look up its details" in page


async def test_runs_of_other_ads_and_none_are_not_shown(
    pages: GalleryClient, deployment: UUID
) -> None:
    await pages.send_form(f"{PAGE}/details", PAGE)
    (run,) = await runs(deployment)

    for run_id in (run.id, deployment, "nonsense"):
        page = details((await pages.get(f"/ads/{ad(4)}?run={run_id}")).text)
        assert "worker" not in page
        assert "Look up its details" in page


async def test_what_another_run_looks_up_is_said_and_awaited(
    pages: GalleryClient, database: Database
) -> None:
    await change(
        database,
        f"INSERT INTO creative_detail (ad_creative_id, claimed_until) "
        f"VALUES ('{ad(3)}', now() + interval '1 minute')",
    )

    page = details((await pages.get(PAGE)).text)

    assert "being looked up" in page
    assert "data-again" in page
    assert "<form" not in page


async def test_the_account_tells_how_many_searches_are_left(pages: GalleryClient) -> None:
    told = details((await pages.get(f"{PAGE}/details")).text)

    assert re.search(r"1 search at most</b>; [\d,]+ left in the account this month", told)
    assert "3 billed this month" in told
    assert "left in the account" in (await pages.get(PAGE)).text  # known by now


async def test_without_the_deployment_the_page_says_so(pages: GalleryClient) -> None:
    answer = await pages.send_form(f"{PAGE}/details", PAGE)

    assert answer.status_code == 422
    assert "no deployment" in details(answer.text)
