"""Deployments of earlier versions, `<flow>/adspark`, move with what people changed on them."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyOptions, State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.events import AutomationCore, EventTrigger, Posture
from prefect.events.actions import RunDeployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed, Failed, Late, Running, Scheduled
from prefect.variables import Variable

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from blocks.configured import DOCUMENT
from deployments.operations.runs.deployments import find_deployment
from deployments.provisioning.deployments import deploy as deploying
from deployments.provisioning.deployments.deploy import name_of, project_file
from deployments.provisioning.drift import LastApplied, Merge, fingerprint
from deployments.provisioning.provision import Provisioned, provision

pytestmark = pytest.mark.usefixtures("no_pools_stay", "nothing_stays")

CLEANUP = "cleanup-old-creatives"
NEW, FORMER = f"{CLEANUP}/{CLEANUP}", f"{CLEANUP}/adspark"
SHARD, WATCHES = "process-sweep-shard/process-sweep-shard", "process-watches/adspark"
VARIABLES = ("adspark_provisioned", "adspark_provisioned_2")
WEEKLY = CronSchedule(cron="0 5 * * 0", timezone="Europe/Berlin")
HOURLY = CronSchedule(cron="0 * * * *", timezone="UTC")
DESCRIPTION = "As an earlier version had it, in more than the sixty characters that were kept."


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[PrefectClient]:
    """A server that an earlier version has provisioned, and where people changed the clean-up."""
    project = yaml.safe_load(project_file().read_text())
    entries = {name_of(one): one for one in project["deployments"]}
    kept = (NEW, SHARD, "reconcile/reconcile", "probe/default")
    project["deployments"] = [entries[name] for name in kept]
    file = tmp_path / "prefect.yaml"
    file.write_text(yaml.safe_dump(project))
    monkeypatch.setattr(deploying, "project_file", lambda: file)
    async with get_client() as opened:
        for name in (*kept, FORMER, WATCHES):
            await remove(opened, name)
        flow_id = await opened.create_flow_from_name(CLEANUP)
        cleanup_id = await opened.create_deployment(
            flow_id,
            "adspark",
            description=DESCRIPTION,
            parameters={"days_old": 365},
            tags=["adspark", "maintenance", "team-a"],
            paused=True,
            concurrency_limit=3,
            concurrency_options=ConcurrencyOptions(collision_strategy="CANCEL_NEW"),
            schedules=[
                DeploymentScheduleCreate(schedule=WEEKLY, active=False, slug="nightly"),
                DeploymentScheduleCreate(
                    schedule=HOURLY, active=True, parameters={"dry_run": True}
                ),
            ],
            entrypoint="flows.cleanup_old_creatives.cleanup_old_creatives",
            job_variables={"env": {"ADSPARK_TIDY_UP_TIME": "5"}},
        )
        for schedule in await opened.read_deployment_schedules(cleanup_id):
            if schedule.slug:  # a bound is only taken by a change
                await opened.update_deployment_schedule(
                    cleanup_id, schedule.id, max_scheduled_runs=2
                )
        flow_id = await opened.create_flow_from_name("process-watches")
        await opened.create_deployment(flow_id, "adspark", entrypoint="flows.gone.gone", tags=[])
        flow_id = await opened.create_flow_from_name("probe")
        await opened.create_deployment(flow_id, "adspark", tags=[])  # a person's own
        applied = {
            f"deployment {FORMER}": "0123456789",
            f"deployment {FORMER} description": fingerprint(json.dumps(DESCRIPTION)),
            f"deployment {FORMER} tags": ["adspark", "maintenance"],
            f"deployment {FORMER} limit": 1,
            f"deployment {FORMER} collision": "CANCEL_NEW",
            f"deployment {FORMER} schedule nightly": "0 1 * * * UTC",
            f"deployment {WATCHES}": "0123456789",
        }
        for name, part in zip(VARIABLES, (list(applied)[:4], list(applied)[4:]), strict=True):
            text = json.dumps({thing: applied[thing] for thing in part})
            await Variable.aset(name, text, overwrite=True)
        yield opened


async def remove(client: PrefectClient, name: str) -> None:
    if found := await find(client, name):
        await client.delete_deployment(found.id)


async def find(client: PrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def check_moved(found: DeploymentResponse | None) -> None:
    """Whether the new deployment has what people changed on the former one, and ours is ours."""
    assert found is not None
    assert (found.paused, found.parameters) == (True, {"days_old": 365})
    assert set(found.tags) == {"adspark", "maintenance", "team-a"}
    assert found.global_concurrency_limit is not None
    assert found.global_concurrency_limit.limit == 3
    assert found.job_variables == {"env": {"ADSPARK_TIDY_UP_TIME": "5"}}
    assert sorted((one.slug or "", one.active, one.schedule) for one in found.schedules) == [
        ("", True, HOURLY),
        ("nightly", False, WEEKLY),
    ]
    bounds = {one.slug or "": one.max_scheduled_runs for one in found.schedules}
    assert bounds == {"": None, "nightly": 2}
    (hourly,) = [one for one in found.schedules if not one.slug]
    assert hourly.parameters == {"dry_run": True}
    assert (found.description or "").startswith("Remove ads that have not been shown for so long")
    assert found.work_pool_name == "maintenance"
    assert "days_old" in (found.parameter_openapi_schema or {})["properties"]


async def test_what_people_changed_moves_to_the_new_name_and_the_former_one_goes(
    client: PrefectClient, database_url: str
) -> None:
    former = await find(client, FORMER)
    assert former is not None
    started = AutomationCore(
        name="a person's own",
        trigger=EventTrigger(expect={"external"}, posture=Posture.Reactive, threshold=1),
        actions=[RunDeployment(deployment_id=former.id)],
    )
    automation = await client.create_automation(started)
    planned = await provision(Settings(), database_url=database_url, dry_run=True)
    moves = f"deployment {FORMER}: moves to {NEW}, with what was changed by hand"
    assert moves in planned.changes
    assert (await find(client, NEW), (await client.read_deployment(former.id)).paused) == (
        None,
        former.paused,
    )

    done = await provision(Settings(), database_url=database_url)
    assert {moves, f"deployment {FORMER}: is removed, for it has moved"} <= set(done.changes)
    found = await find(client, NEW)
    check_moved(found)
    assert found is not None
    assert [await find(client, name) for name in (FORMER, WATCHES)] == [None, None]
    assert None not in (await find(client, SHARD), await find(client, "probe/adspark"))
    (own,) = [one for one in await client.read_automations() if one.id == automation]
    (action,) = own.actions
    assert isinstance(action, RunDeployment)
    assert action.deployment_id == found.id
    assert [await Variable.aget(name) for name in VARIABLES] == [None, None]
    again = await provision(Settings(), database_url=database_url)
    assert (again.changes, again.kept) == ([], done.kept)
    assert (
        f"deployment {NEW} tags: adspark, maintenance, team-a were set by hand (ours: "
        in "".join(again.kept)
    )


@pytest.mark.parametrize("step", ["redirect_automations", "retire", "save"])
async def test_a_provisioning_that_is_killed_while_it_moves_is_finished_by_the_next(
    client: PrefectClient, database_url: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def killed(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(Merge if step == "save" else deploying, step, killed)
        with pytest.raises(asyncio.CancelledError):
            await provision(Settings(), database_url=database_url)
    moved = await find(client, NEW)
    check_moved(moved)
    assert moved is not None
    await client.resume_deployment(moved.id)  # a person, before the next one: it is moved only once
    done = await provision(Settings(), database_url=database_url)
    assert not any("moves to" in one for one in done.changes if CLEANUP in one)
    found = await find(client, NEW)
    assert found is not None
    assert (found.id, found.paused, found.parameters) == (moved.id, False, {"days_old": 365})
    assert [await find(client, name) for name in (FORMER, WATCHES)] == [None, None]
    assert any(f"{NEW} limit: 3 was set by hand (ours: 1)" in one for one in done.kept)


async def test_the_former_one_stays_until_its_runs_are_over(
    client: PrefectClient, database_url: str
) -> None:
    former = await find(client, WATCHES)
    assert former is not None
    run = await client.create_flow_run_from_deployment(former.id)
    now = datetime.now(UTC)
    states: tuple[State[Any], ...] = (
        Scheduled(scheduled_time=now + timedelta(days=2)),
        Late(scheduled_time=now - timedelta(hours=1)),
        Running(),
        Crashed(message="Its worker is gone."),
        Failed(message="SerpApi: HTTP 503"),
    )

    async def upgrade() -> Provisioned:
        return await provision(Settings(), database_url=database_url)

    for waiting in states:
        await client.set_flow_run_state(run.id, waiting, force=True)
        done = await upgrade()
        stays = f"deployment {WATCHES}: stays, for 1 of its runs wait or can be retried"
        assert stays in "".join(done.kept), waiting.name
        left = await find(client, WATCHES)
        assert left is not None, waiting.name
        assert left.paused
        assert left.entrypoint == "flows.process_sweep_shard.process_sweep_shard"
        assert (await client.read_flow_run(run.id)).state_name == waiting.name
    await client.set_flow_run_state(run.id, Cancelled(), force=True)
    assert f"deployment {WATCHES}: is removed, for it has moved" in (await upgrade()).changes
    assert await find(client, WATCHES) is None


async def test_a_former_name_leads_to_the_new_one(client: PrefectClient, database_url: str) -> None:
    await provision(Settings(), database_url=database_url)
    assert (await find_deployment(client, CLEANUP)).name == CLEANUP
    with pytest.raises(
        ConfigurationError, match=f"no deployment '{FORMER}'; did you mean '{CLEANUP}'?"
    ):
        await find_deployment(client, FORMER)
    with pytest.raises(ConfigurationError, match="did you mean 'process-sweep-shard'"):
        await find_deployment(client, "process-watches")
    for odd in ("a/b/c", "/", "", "a/", "\x1b[31m", "a" * 5000):
        with pytest.raises(ConfigurationError, match="The server has no deployment") as refused:
            await find_deployment(client, odd)
        assert len(str(refused.value)) < 1000


async def test_what_was_applied_is_recorded_for_any_number_of_deployments(
    client: PrefectClient, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "many.yaml"
    entry = {
        "description": "One of many.",
        "entrypoint": "flows.probe.probe",
        "tags": ["adspark"],
        "work_pool": {"name": "default"},
        "parameters": {"token": "ours"},
    }
    many = [entry | {"name": f"number-{number}"} for number in range(40)]
    reconcile = [
        one
        for one in yaml.safe_load(project_file().read_text())["deployments"]
        if one["name"] == "reconcile"
    ]
    file.write_text(yaml.safe_dump({"deployments": many + reconcile}))
    monkeypatch.setattr(deploying, "project_file", lambda: file)
    await provision(Settings(), database_url=database_url)
    merge = await Merge.load(dry_run=True, reset=False)
    assert all(merge.was_applied(f"deployment probe/number-{one}") for one in range(40))
    recorded: LastApplied = await LastApplied.aload(DOCUMENT)
    assert len(json.dumps(recorded.values)) > 5_000  # which is all that a variable may hold
    again = await provision(Settings(), database_url=database_url)
    assert (again.changes, again.kept) == ([], [])
    file.write_text(yaml.safe_dump({"deployments": many[:1] + reconcile}))
    fewer = await provision(Settings(), database_url=database_url)
    assert len(fewer.changes) == 39
