"""The tool that spends: it says the price, acts for exactly its confirmation, and once only."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from mcp.client.client import Client
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed
from prefect.utilities.callables import parameter_schema

from adspark.db.engine import Database
from adspark.variants.lists import list_variants
from deployments.operations.pools import pause
from flows.fetch_details import fetch_details
from flows.generate_ad_variant import generate_ad_variant
from flows.process_watch import process_watch
from tests.support.assistant import ask, ask_in_vain, open_assistant, serving
from tests.support.library import ad, fill_library
from tests.support.noticed import add_watch
from tests.support.queued import open_pools

pytestmark = pytest.mark.usefixtures("environment")

FLOWS = (process_watch, fetch_details, generate_ad_variant)
NAME = "נעליים\u200d  shoes"  # runs from right to left, and hides a joiner
LOOK = {"act": "look_now", "watch": "1"}
DETAILS = {"act": "look_up_details", "ads": [ad(1), ad(3), ad(4)]}
VARIANTS: dict[str, Any] = {"act": "request_variants", "ads": [ad(1), ad(2)], "prompt": "Red"}


@pytest.fixture
async def prefect() -> AsyncIterator[PrefectClient]:
    """A server with the deployments that may be started, without workers."""
    async with get_client() as client:
        made = await deploy(client)
        await forget_runs(client)  # of deployments of these names that other tests have left
        yield client
        await forget_runs(client)
        for deployment in made:
            await client.delete_deployment(deployment)


async def deploy(client: PrefectClient, pool: str | None = None) -> list[UUID]:
    """Deploy the flows, or move their deployments into a pool."""
    return [
        await client.create_deployment(
            await client.create_flow(flow),
            flow.name,
            work_pool_name=pool,
            parameter_openapi_schema=parameter_schema(flow).model_dump_for_openapi(),
            enforce_parameter_schema=False,
        )
        for flow in FLOWS
    ]


@pytest.fixture
async def stored(database: Database) -> None:
    """Five ads, two of them with details to be bought, and a watch of them."""
    await fill_library(database)
    await add_watch(database, name=NAME, monthly_budget=3)


async def price(client: Client, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
    """What a call is told that has not confirmed anything."""
    told: dict[str, Any] = (await ask(client, "spend", **arguments))["found"]["spending"]
    return told


async def runs(prefect: PrefectClient) -> list[FlowRun]:
    """All that were started of the deployments."""
    known = {one.id for one in await prefect.read_deployments()}
    return [run for run in await prefect.read_flow_runs() if run.deployment_id in known]


async def forget_runs(prefect: PrefectClient) -> None:
    for run in await runs(prefect):
        await prefect.delete_flow_run(run.id)


async def test_a_look_is_priced_confirmed_and_started_once(
    stored: None, prefect: PrefectClient, database_url: str, tmp_path: Path
) -> None:
    async with open_assistant(serving(database_url, tmp_path, allows_spending=True)) as client:
        told = await price(client, **LOOK)
        assert (told["state"], told["searches_at_most"], told["run"]) == ("to_confirm", 3, None)
        assert told["purpose"] == "At most 3 searches: look now at watch 1 (נעליים shoes)."
        assert await runs(prefect) == []

        confirmed = {**LOOK, "confirmation": told["confirmation"]}
        begun = await asyncio.gather(*(price(client, **confirmed) for _ in range(3)))
        (started,) = {one["run"] for one in begun}
        other = await price(client, **LOOK)  # of another conversation, while it is under way
        followed = await price(client, **LOOK, confirmation=other["confirmation"])
        await prefect.set_flow_run_state(UUID(started), Completed(), force=True)
        again = await price(client, **confirmed)
        (run,) = await runs(prefect)

        assert {one["state"] for one in begun} == {"begun"}
        assert (str(run.id), run.parameters) == (started, {"watch_id": 1})
        assert (followed["run"], again["run"]) == (started, started)


async def test_details_are_bought_of_ads_that_lack_them(
    stored: None, prefect: PrefectClient, database_url: str, tmp_path: Path
) -> None:
    async with open_assistant(serving(database_url, tmp_path, allows_spending=True)) as client:
        told = await price(client, **DETAILS)
        begun = await price(client, **DETAILS, confirmation=told["confirmation"])
        known = await price(client, act="look_up_details", ads=[ad(1)])

    assert (told["searches_at_most"], told["generations"]) == (2, 0)
    assert told["purpose"].startswith("At most 2 searches: look up the details of ")
    (run,) = await runs(prefect)
    assert (str(run.id), run.parameters["ads"]) == (begun["run"], [ad(3), ad(4)])
    assert (known["state"], known["confirmation"]) == ("nothing_to_do", None)


async def test_variants_are_requested_once_also_while_prefect_is_away(
    stored: None, prefect: PrefectClient, database: Database, database_url: str, tmp_path: Path
) -> None:
    async with open_assistant(serving(database_url, tmp_path, allows_spending=True)) as client:
        told = await price(client, **VARIANTS)
        confirmed = {**VARIANTS, "confirmation": told["confirmation"]}
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
            kept = await price(client, **confirmed)
        begun = await price(client, **confirmed)

    assert told["generations"] == 2
    ads = ", ".join(VARIANTS["ads"])
    assert told["purpose"] == f"2 generations: a variant of {ads}, by the prompt: Red"
    assert kept["then"] == "Prefect is away; they begin by themselves once it is back."
    assert kept["variants"] == begun["variants"]
    async with database.session() as session:
        made = await list_variants(session, limit=10)
    assert sorted(one.id for one in made) == sorted(begun["variants"])
    assert {(one.prompt, one.wants_review, one.user_id) for one in made} == {("Red", True, 1)}
    assert len(await runs(prefect)) == 2


async def test_an_act_in_a_paused_pool_says_that_it_has_not_begun(
    stored: None, prefect: PrefectClient, database_url: str, tmp_path: Path
) -> None:
    pool = "ai-generation"
    async with (
        open_pools() as pools,
        open_assistant(serving(database_url, tmp_path, allows_spending=True)) as client,
    ):
        await deploy(pools, pool)
        await pause(pools, pool)
        for act in (LOOK, DETAILS, VARIANTS):
            told = await price(client, **act)
            begun = await price(client, **act, confirmation=told["confirmation"])
            assert (begun["state"], begun["then"]) == (
                "begun",
                "It has not begun: its pool is paused; an operator resumes it.",
            )


async def test_a_prompt_that_the_workflow_does_not_take_is_told_before_its_price(
    stored: None, prefect: PrefectClient, database: Database, database_url: str, tmp_path: Path
) -> None:
    async with open_assistant(serving(database_url, tmp_path, allows_spending=True)) as client:
        said = await ask_in_vain(client, "spend", **VARIANTS | {"prompt": "x" * 7999})

    assert said.startswith("prompt: ")
    assert "takes at most 2000" in said


async def test_a_confirmation_counts_for_nothing_else(
    stored: None, prefect: PrefectClient, database_url: str, tmp_path: Path
) -> None:
    served = serving(database_url, tmp_path, allows_spending=True)
    async with open_assistant(served) as client, open_assistant(served) as of_another_server:
        said = []
        for told, given in (
            (LOOK, DETAILS),
            (DETAILS, {**DETAILS, "ads": [ad(3)]}),
            (VARIANTS, {**VARIANTS, "prompt": "Blue"}),
            (VARIANTS, {**VARIANTS, "review": False}),
            (VARIANTS, {**VARIANTS, "ads": [ad(1), ad(3)]}),
        ):
            confirmation = (await price(client, **told))["confirmation"]
            for asked, arguments in ((client, given), (of_another_server, told)):
                said.append(
                    await ask_in_vain(asked, "spend", **arguments, confirmation=confirmation)
                )

    refused = "confirmation: is not that of this act at its present price; nothing was spent."
    assert [one for one in said if not one.startswith(refused)] == []
    assert await runs(prefect) == []
