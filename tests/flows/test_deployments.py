"""prefect.yaml and provisioning: it can be loaded, and a server matches the project."""

from collections.abc import AsyncIterator
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.orchestration import get_client
from pydantic import SecretStr

from adspark.rates import GENERATIONS, SEARCHES
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.settings import Settings
from blocks.adspark_database import AdSparkDatabase
from blocks.configured import DOCUMENT
from blocks.dify_workflow import DifyWorkflow
from blocks.digest_recipients import DigestRecipients
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.provisioning import project_file, provision
from deployments.queue_classes import QUEUE_CLASSES

DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load(project_file().read_text())["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["entrypoint"])
def test_every_deployment_names_a_flow_and_a_pool_that_exist(deployment: dict[str, Any]) -> None:
    module, _, name = deployment["entrypoint"].rpartition(".")
    flow = getattr(import_module(module), name)
    assert isinstance(flow, Flow)
    assert flow.name == module.rpartition(".")[2].replace("_", "-")
    assert deployment["name"] == "adspark"
    assert deployment["work_pool"]["name"] in {one.name for one in QUEUE_CLASSES}
    assert deployment["description"].strip()


@pytest.fixture
async def _nothing_stays() -> AsyncIterator[None]:
    """Later tests count on the absence of what provisioning makes."""
    yield
    with suppress(ValueError):  # saved only where a test has recipients
        await DigestRecipients.adelete(DOCUMENT)
    with suppress(ValueError):  # saved only where a test has a workflow
        await DifyWorkflow.adelete(DOCUMENT)
    await SerpApiCredentials.adelete(DOCUMENT)
    await AdSparkDatabase.adelete(DOCUMENT)
    async with get_client() as client:
        for name in (SEARCHES, GENERATIONS):
            await client.delete_global_concurrency_limit_by_name(name)


@pytest.mark.usefixtures("_nothing_stays")
async def test_provisioning_twice_makes_the_server_match_and_keeps_operators_numbers(
    database_url: str,
) -> None:
    settings = Settings(
        serpapi_key=SecretStr("first-key"),
        searches_per_minute=10,
        notify_addresses=SecretStr("json://127.0.0.1/first"),
        dify_key=SecretStr("app-first"),
    )
    await provision(settings, database_url=database_url)
    async with get_client() as client:
        limit = await client.read_global_concurrency_limit_by_name(SEARCHES)
        await client.upsert_global_concurrency_limit_by_name(SEARCHES, 25, 25 / 60)
        await provision(Settings(), database_url=database_url)
        again = await client.read_global_concurrency_limit_by_name(SEARCHES)
        generations = await client.read_global_concurrency_limit_by_name(GENERATIONS)
        pools = {pool.name: pool for pool in await client.read_work_pools()}
        deployment = await client.read_deployment_by_name("fetch-creatives/adspark")
    credentials = await SerpApiCredentials.load_configured()
    workflow = await DifyWorkflow.load_configured()
    recipients = await DigestRecipients.load_configured()

    assert (limit.limit, again.limit, generations.limit) == (10, 25, 30)
    assert workflow.api_key.get_secret_value() == "app-first"
    assert credentials.api_key.get_secret_value() == "first-key"  # not replaced by nothing
    assert len(recipients.list_addresses()) == 1
    for queue_class in QUEUE_CLASSES:
        assert pools[queue_class.name].concurrency_limit == queue_class.concurrency
        assert pools[queue_class.name].description == queue_class.description
    assert deployment.work_pool_name == "data-fetch"
    assert "advertiser_ids" in (deployment.parameter_openapi_schema or {})["properties"]


@pytest.mark.usefixtures("_nothing_stays")
async def test_the_limit_on_searches_can_follow_the_account(database_url: str) -> None:
    with serve(SandboxSettings(hourly_limit=1200)) as url:
        settings = Settings(
            serpapi_key=SecretStr("sandbox-key"), serpapi_url=url, searches_per_minute="account"
        )
        await provision(settings, database_url=database_url)
    async with get_client() as client:
        limit = await client.read_global_concurrency_limit_by_name(SEARCHES)
    assert limit.limit == 20
