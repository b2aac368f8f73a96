"""prefect.yaml and provisioning: it can be loaded, and a server matches the project."""

import asyncio
from importlib import import_module
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from pydantic import SecretStr

from adspark.rates import GENERATIONS, SEARCHES
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.settings import Settings
from blocks.dify_workflow import DifyWorkflow
from blocks.digest_recipients import DigestRecipients
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.deploying import name_of, project_file
from deployments.provisioning import provision
from deployments.queue_classes import QUEUE_CLASSES

pytestmark = pytest.mark.usefixtures("no_pools_stay")

FLOWS = {one.name: one.flows for one in QUEUE_CLASSES}
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load(project_file().read_text())["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["entrypoint"])
def test_every_deployment_names_a_flow_and_a_pool_that_exist(deployment: dict[str, Any]) -> None:
    module, _, name = deployment["entrypoint"].rpartition(".")
    flow = getattr(import_module(module), name)
    assert isinstance(flow, Flow)
    assert flow.name == module.rpartition(".")[2].replace("_", "-")
    assert deployment["description"].strip()
    pool = deployment["work_pool"]["name"]
    if flow.name == "probe":
        assert deployment["name"] == pool
        return
    assert deployment["name"] == "adspark"
    (planned,) = [one for one in FLOWS[pool] if one.name == flow.name]
    assert [one["cron"] for one in deployment["schedules"]] == [
        one for one in [planned.schedule] if one
    ]
    alone = {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert deployment.get("concurrency_limit") == (alone if planned.is_alone else None)


def test_the_table_of_queue_classes_and_the_deployments_name_the_same_flows() -> None:
    deployed = {name_of(one).partition("/")[0] for one in DEPLOYMENTS} - {"probe"}
    assert deployed == {one.name for flows in FLOWS.values() for one in flows}
    for flows in FLOWS.values():
        for one in flows:
            import_module(one.module)
            assert one.seconds(Settings()) is None or one.seconds(Settings()) in {
                180,
                300,
                600,
                1800,
            }


@pytest.mark.usefixtures("nothing_stays")
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


@pytest.mark.usefixtures("nothing_stays")
async def test_the_limit_on_searches_can_follow_the_account(database_url: str) -> None:
    with serve(SandboxSettings(hourly_limit=1200)) as url:
        settings = Settings(
            serpapi_key=SecretStr("sandbox-key"), serpapi_url=url, searches_per_minute="account"
        )
        await provision(settings, database_url=database_url)
    async with get_client() as client:
        limit = await client.read_global_concurrency_limit_by_name(SEARCHES)
    assert limit.limit == 20


@pytest.mark.usefixtures("nothing_stays")
async def test_provisioning_says_what_it_would_do_and_keeps_what_was_changed_by_hand(
    database_url: str,
) -> None:
    settings = Settings(serpapi_key=SecretStr("a-key"))
    async with get_client() as client:
        for pool in await client.read_work_pools():
            await client.delete_work_pool(pool.name)
        planned = await provision(settings, database_url=database_url, dry_run=True)
        assert "pool data-fetch: is made, 2 at once, of the type process" in planned.changes
        assert "limit clean-ups: is made, 1 in 3600 s" in planned.changes
        assert await client.read_work_pools() == []
        both = await asyncio.gather(  # at once, as by two stacks that start
            provision(settings, database_url=database_url),
            provision(settings, database_url=database_url),
        )
        assert sorted(bool(one.changes) for one in both) == [False, True]

        await client.update_work_pool("data-fetch", WorkPoolUpdate(concurrency_limit=7))
        sweep = await client.read_deployment_by_name("process-all-active-watches/adspark")
        await client.pause_deployment(sweep.id)
        kept = await provision(settings, database_url=database_url)
        assert (kept.changes, kept.kept) == (
            [],
            ["pool data-fetch slots: 7 was set by hand (ours: 2)"],
        )
        assert (await client.read_deployment(sweep.id)).paused

        other = settings.model_copy(update={"generations_per_minute": 12})
        changed = await provision(other, database_url=database_url)
        assert changed.changes == ["limit variant-generations number: 30 -> 12"]
        reset = await provision(settings, database_url=database_url, reset=True)
        assert "pool data-fetch slots: 7 -> 2" in reset.changes
        assert (await client.read_work_pool("data-fetch")).concurrency_limit == 2
