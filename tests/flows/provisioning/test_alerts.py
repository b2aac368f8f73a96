"""Alerts: what they wait for, whom they reach, and the events of ours behind them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml
from prefect.blocks.abstract import NotificationError
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events import AutomationCore, EventTrigger, Posture
from prefect.events.actions import ChangeFlowRunState, DoNothing, PauseWorkPool, SendNotification
from prefect.server.events.schemas.automations import EventTrigger as ServerTrigger
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.states import Late
from pydantic import SecretStr

from adspark.db.engine import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.settings import get_settings
from blocks.alert_recipients import AlertRecipients
from blocks.configured import DOCUMENT
from deployments.provisioning.automations.alerts import alert_automations
from deployments.provisioning.automations.provision import remove_former_automations
from deployments.provisioning.drift import Merge
from flows.process_all_active_watches import process_all_active_watches
from flows.process_watch import process_watch
from tests.support.events import events_of
from tests.support.queued import open_pools, queue
from tests.support.receiver import Receiver
from tests.support.watching import Place

SECRET = "hook-s3cret"


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """The harness's server, without a block for alerts."""
    async with get_client() as opened:
        yield opened


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    """Takes webhooks."""
    made = Receiver()
    yield made
    made.close()


async def test_alerts_are_made_where_there_are_addresses(client: PrefectClient) -> None:
    assert await alert_automations(client) == []
    block = AlertRecipients(addresses=SecretStr("json://127.0.0.1:9"))
    block_id = await block.save(DOCUMENT, client=client)
    try:
        alerts = await alert_automations(client)
        made = [await client.create_automation(one) for one in alerts]  # its templates are read
        for automation_id in made:
            await client.delete_automation(automation_id)
    finally:
        await AlertRecipients.adelete(DOCUMENT)
    assert len(alerts) == 5
    for (action,) in (one.actions for one in alerts):
        assert isinstance(action, SendNotification)
        assert action.block_document_id == block_id


@pytest.mark.parametrize(
    ("pool", "is_counted"), [("ai-generation", False), ("data-fetch", True), ("default", True)]
)
async def test_runs_are_late_where_no_long_queue_is_the_design(pool: str, is_counted: bool) -> None:
    block = AlertRecipients(addresses=SecretStr("json://127.0.0.1:9"))
    async with open_pools() as client:
        await block.save(DOCUMENT, client=client)
        try:
            alerts = {one.name: one for one in await alert_automations(client)}
        finally:
            await AlertRecipients.adelete(DOCUMENT)
        trigger = ServerTrigger.model_validate(
            alerts["adspark: runs are late"].trigger.model_dump(mode="json")
        )
        (run,) = await queue(client, Late(), pool=pool)
        found: list[bool] = []
        while not found:
            events = await events_of(f"prefect.flow-run.{run.id}")
            late = [one for one in events if one["event"] == "prefect.flow-run.Late"]
            found = [trigger.covers(ReceivedEvent.model_validate(one)) for one in late]
    assert found == [is_counted]


async def test_what_earlier_versions_made_is_removed_and_what_has_an_action_of_ones_own_stays(
    client: PrefectClient,
) -> None:
    trigger = EventTrigger(expect={"prefect.flow-run.Failed"}, posture=Posture.Reactive)
    for name, action in {
        "adspark: a sweep failed": DoNothing(),
        "adspark: runs are late": PauseWorkPool(source="inferred"),
        "adspark: a run does not begin": ChangeFlowRunState(state=StateType.CRASHED),
        "mine": DoNothing(),
    }.items():
        made = AutomationCore(name=name, trigger=trigger, actions=[action])
        await client.create_automation(made)
    merge = Merge({}, dry_run=False, reset=False)
    await remove_former_automations(client, merge)
    left = await client.read_automations()
    for one in left:
        await client.delete_automation(one.id)
    assert {one.name for one in left} == {"adspark: runs are late", "mine"}
    assert sorted(merge.changes) == [
        "automation adspark: a run does not begin: is removed, for another one does its work",
        "automation adspark: a sweep failed: is removed, for it does nothing",
    ]


async def test_one_address_that_fails_keeps_an_alert_from_no_other_and_none_is_told(
    hooks: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, logger="apprise")
    addresses = f"nosuch://{SECRET} slack://{SECRET} {hooks.address(SECRET)} {hooks.address('b')}"
    block = AlertRecipients(addresses=SecretStr(addresses))
    with pytest.raises(NotificationError) as caught, block.raise_on_failure():
        await block.notify(subject="AdSpark: a sweep failed", body="why")
    await block.notify(subject="quietly", body="why")
    for path in (SECRET, "b"):
        titles = [one["title"] for one in hooks.taken_by(path)]
        assert titles == ["AdSpark: a sweep failed", "quietly"]
    assert "ADSPARK_NOTIFY_ADDRESSES" in caught.value.log
    assert SECRET not in caught.value.log + caplog.text + repr(block)


def test_prefects_server_can_find_the_block() -> None:
    (ours,) = [one for one in entry_points(group="prefect.collections") if one.name == "adspark"]
    assert ours.load().AlertRecipients is AlertRecipients


@pytest.mark.parametrize(
    ("account", "events"),
    [({"hourly_limit": 0}, 0), ({"monthly_quota": 0}, 1)],
    ids=["the hour's are used up", "the month's are used up"],
)
async def test_an_account_is_used_up_when_the_month_is(
    environment: pytest.MonkeyPatch, database: Database, account: dict[str, int], events: int
) -> None:
    with serve(SandboxSettings(generated_advertisers=1).model_copy(update=account)) as url:
        environment.setenv("ADSPARK_SERPAPI_URL", url)
        get_settings.cache_clear()
        await Place(database, url).add(advertiser_ids=["AR90000000000000000001"])
        state = await process_all_active_watches(return_state=True)
    assert "no searches left" in (state.message or "")
    if not events:
        await asyncio.sleep(1.0)  # in which one that is emitted after all would arrive
    found = await events_of("adspark.serpapi", at_least=events)
    assert [one["event"] for one in found] == ["adspark.searches.used-up"] * events


async def test_a_spent_budget_is_an_event_once_a_month(
    environment: pytest.MonkeyPatch, database: Database, sandbox_url: str
) -> None:
    watch_id = await Place(database, sandbox_url).add(monthly_budget=1, name="shoes")
    assert (await process_watch(watch_id)).searches_billed == 1
    for _ in range(2):
        assert (await process_watch(watch_id)).is_out_of_budget
    (event,) = await events_of(f"adspark.watch.{watch_id}")
    assert event["event"] == "adspark.budget.spent"
    assert f"watch {watch_id} (shoes)" in event["resource"]["prefect.resource.name"]
    assert "flow-run" in {one["prefect.resource.role"] for one in event["related"]}


def test_the_rules_for_prometheus_can_be_read() -> None:
    text = (Path(__file__).parents[3] / "docs" / "alerts.yml").read_text()
    rules = yaml.safe_load(text)["groups"][0]["rules"]
    assert len(rules) >= 4
    for rule in rules:
        assert rule["alert"].startswith("AdSpark")
        assert "adspark_" in rule["expr"]
        assert "adspark " in rule["annotations"]["summary"]  # a command
