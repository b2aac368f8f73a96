"""prefect.yaml and provisioning: it can be loaded, and a server matches the project."""

import asyncio
import inspect
import os
import re
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    GlobalConcurrencyLimitUpdate,
    WorkPoolUpdate,
)
from prefect.client.schemas.objects import DeploymentSchedule, State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import SCHEDULE_TYPES, CronSchedule, RRuleSchedule
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled
from prefect.utilities.schema_tools.validation import validate
from prefect.workers.process import ProcessWorker
from pydantic import SecretStr

from adspark.db.rates import CLEANUPS, GENERATIONS, SEARCHES, SWEEPS
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.settings import Settings
from blocks.dify_workflow import DifyWorkflow
from blocks.digest_recipients import DigestRecipients
from blocks.serpapi_credentials import SerpApiCredentials
from deployments.environment.shell import OUR_FOLDER
from deployments.operations.full_check import check_deployments, check_queues
from deployments.provisioning.deployments import deploy as deploying
from deployments.provisioning.deployments.deploy import name_of, project_file
from deployments.provisioning.deployments.drift import own_fields
from deployments.provisioning.provision import Provisioned, provision
from deployments.queue_classes import QUEUE_CLASSES, FlowClass
from tests.support.queued import delete_pools

pytestmark = pytest.mark.usefixtures("no_pools_stay")

SWEEP = "process-all-active-watches/process-all-active-watches"
DIGEST = "send-digest/send-digest"
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
    assert deployment["name"] == flow.name
    (planned,) = [one for one in FLOWS[pool] if one.name == flow.name]
    assert [one["cron"] for one in deployment["schedules"]] == [
        one for one in [planned.schedule] if one
    ]
    alone = {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert deployment.get("concurrency_limit") == (alone if planned.is_alone else None)


def test_the_table_of_queue_classes_and_the_deployments_name_the_same_flows() -> None:
    deployed = {name_of(one).partition("/")[0] for one in DEPLOYMENTS} - {"probe"}
    assert deployed == {one.name for flows in FLOWS.values() for one in flows}


@pytest.mark.parametrize("planned", [one for flows in FLOWS.values() for one in flows], ids=str)
def test_each_flow_keeps_to_the_time_limit_and_the_rate_of_the_table(planned: FlowClass) -> None:
    module = import_module(planned.module)
    tasks = [
        one
        for one in vars(module).values()
        if str(getattr(one, "__module__", "")).startswith("tasks.")
    ]
    flow = getattr(module, planned.name.replace("-", "_"))
    limits = {getattr(one, "time_limit", None) for one in [flow, *tasks]} - {None}
    assert limits == ({planned.time_limit} if planned.time_limit else set())
    assert planned.time_limit is None or getattr(Settings(), planned.time_limit) > 0
    used = {name for one in tasks for name in vars(import_module(one.__module__))} | {*vars(module)}
    gates = {
        SEARCHES: "search_slots",
        GENERATIONS: "generation_slots",
        SWEEPS: "SWEEPS",
        CLEANUPS: "CLEANUPS",
    }
    rates = {rate for rate, name in gates.items() if name in used}
    assert rates - {SEARCHES} == {planned.rate} - {SEARCHES, None}
    assert (planned.rate == SEARCHES) <= (SEARCHES in rates)


WORDS = re.compile(r"[A-Z][a-z]+( [a-z]+)*")


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_each_field_of_a_form_has_a_label_of_words_and_says_whether_it_is_needed(
    deployment: dict[str, Any],
) -> None:
    fields = own_fields(deployment)
    module, _, name = deployment["entrypoint"].rpartition(".")
    known = inspect.signature(getattr(import_module(module), name).fn).parameters
    schema = fields["parameter_openapi_schema"]
    assert list(schema["properties"]) == list(known)
    needed = [one.name for one in known.values() if one.default is inspect.Parameter.empty]
    assert schema.get("required", []) == needed
    for field, shown in schema["properties"].items():
        assert WORDS.fullmatch(shown["title"]), field
        assert shown["description"].strip(), field
    if {"advertiser_ids", "text"} <= set(known):  # one of the two
        for field in ("advertiser_ids", "text"):
            says = schema["properties"][field]["description"]
            assert re.match(r"Needed, unless there |A new watch needs ", says), field


@pytest.mark.parametrize(
    "deployment",
    [one for one in DEPLOYMENTS if one.get("enforce_parameter_schema", True)],
    ids=name_of,
)
def test_the_server_takes_the_defaults_that_a_form_shows(deployment: dict[str, Any]) -> None:
    schema = own_fields(deployment)["parameter_openapi_schema"]
    module, _, name = deployment["entrypoint"].rpartition(".")
    known = inspect.signature(getattr(import_module(module), name).fn).parameters
    shown = {
        one.name: one.default
        for one in known.values()
        if one.default is not inspect.Parameter.empty
    }
    validate(shown, schema, raise_on_error=True, ignore_required=True)


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
        deployment = await client.read_deployment_by_name("fetch-creatives/fetch-creatives")
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
async def test_prefects_own_deploy_makes_what_provisioning_makes(
    database_url: str, tmp_path: Path
) -> None:
    await provision(Settings(), database_url=database_url)
    shutil.copy(project_file(), tmp_path)
    async with get_client() as client:
        for entry in DEPLOYMENTS:
            found = await client.read_deployment_by_name(name_of(entry))
            await client.delete_deployment(found.id)
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-P", "-m", "prefect", "--no-prompt", "deploy", "--all"],
            cwd=tmp_path,
            env=os.environ
            | {"PYTHONPATH": str(OUR_FOLDER), "PREFECT_API_URL": str(client.api_url)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    again = await provision(Settings(), database_url=database_url)
    recovery = {one for one in again.changes if one.startswith("automation adspark: a run crashed")}
    assert set(again.changes) == recovery  # it starts a deployment that is a new one
    assert again.kept == []


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
        await delete_pools(client)
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
        sweep = await client.read_deployment_by_name(SWEEP)
        await client.pause_deployment(sweep.id)
        kept = await provision(settings, database_url=database_url)
        assert (kept.changes, kept.kept) == (
            [],
            [
                "pool data-fetch slots: 7 was set by hand (ours: 2)",
                f"deployment {SWEEP} schedules: were paused by hand",
            ],
        )
        assert (await client.read_deployment(sweep.id)).paused

        other = settings.model_copy(update={"generations_per_minute": 12})
        changed = await provision(other, database_url=database_url)
        assert changed.changes == ["limit variant-generations number: 30 -> 12"]
        reset = await provision(settings, database_url=database_url, reset=True)
        assert "pool data-fetch slots: 7 -> 2" in reset.changes
        assert (await client.read_work_pool("data-fetch")).concurrency_limit == 2


@pytest.mark.usefixtures("nothing_stays")
async def test_a_limit_that_was_switched_off_is_named_and_a_reset_switches_it_on(
    database_url: str,
) -> None:
    await provision(Settings(), database_url=database_url)
    async with get_client() as client:
        for name in (SEARCHES, CLEANUPS):
            off = GlobalConcurrencyLimitUpdate(active=False)
            await client.update_global_concurrency_limit(name, off)
        kept = await provision(Settings(), database_url=database_url)
        assert kept.changes == []
        assert kept.kept == [
            f"limit {SEARCHES}: was switched off by hand",
            f"limit {CLEANUPS}: was switched off by hand",
        ]
        planned = await provision(Settings(), database_url=database_url, dry_run=True, reset=True)
        assert f"limit {SEARCHES}: is switched on again" in planned.changes
        assert not (await client.read_global_concurrency_limit_by_name(SEARCHES)).active
        await provision(Settings(), database_url=database_url, reset=True)
        for name in (SEARCHES, CLEANUPS):
            found = await client.read_global_concurrency_limit_by_name(name)
            assert (found.active, found.limit) == (True, 10 if name == SEARCHES else 1)


@pytest.mark.usefixtures("nothing_stays")
async def test_a_pools_job_template_offers_what_a_run_may_choose_and_is_put_back(
    database_url: str,
) -> None:
    settings = Settings(serpapi_key=SecretStr("a-key"))
    async with get_client() as client:
        await delete_pools(client)
        await provision(settings, database_url=database_url)
        ours = (await client.read_work_pool("default")).base_job_template
        assert list(ours["variables"]["properties"]) == ["env"]
        stock = ProcessWorker.get_default_base_job_template()  # as an older version left it
        stock["variables"]["properties"]["command"]["default"] = "sh -c evil"
        await client.update_work_pool("default", WorkPoolUpdate(base_job_template=stock))
        changed = await provision(settings, database_url=database_url)
        assert changed.changes == [
            "pool default: its job template is reset; runs are what their workers' settings say"
        ]
        assert (await client.read_work_pool("default")).base_job_template == ours
        assert (await provision(settings, database_url=database_url)).changes == []


@pytest.mark.usefixtures("nothing_stays")
async def test_a_schedule_that_is_switched_off_or_deleted_is_a_problem_with_its_remedy(
    database_url: str,
) -> None:
    settings = Settings()
    await provision(settings, database_url=database_url)
    async with get_client() as client:
        assert (await check_deployments(client))[1] == []
        sweep = await client.read_deployment_by_name(SWEEP)
        digest = await client.read_deployment_by_name(DIGEST)
        await client.update_deployment_schedule(sweep.id, sweep.schedules[0].id, active=False)
        await client.delete_deployment_schedule(digest.id, digest.schedules[0].id)
        by_what = {one.what: one.remedy for one in (await check_deployments(client))[1]}
        assert by_what.keys() == {
            f"the schedule of deployment {SWEEP} is switched off: nothing starts it",
            f"deployment {DIGEST} has no schedule any more: nothing starts it",
        }
        switched_off, deleted = [by_what[what] for what in sorted(by_what, reverse=True)]
        assert str(sweep.id) in switched_off
        assert str(digest.id) in deleted
        assert "adspark provision --reset" in deleted
        # Provisioning alone keeps what was done by hand.
        await provision(settings, database_url=database_url)
        assert len((await check_deployments(client))[1]) == 2
        await provision(settings, database_url=database_url, reset=True)
        assert (await check_deployments(client))[1] == []


@pytest.mark.usefixtures("nothing_stays")
async def test_a_schedule_without_coming_runs_is_a_problem_once_they_should_be_planned(
    database_url: str,
) -> None:
    settings = Settings()
    await provision(settings, database_url=database_url)
    async with get_client() as client:
        sweep = await client.read_deployment_by_name(SWEEP)
        ended = RRuleSchedule(
            rrule="DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20200105T000000Z"
        )
        schedules: list[tuple[SCHEDULE_TYPES, bool]] = [(ended, True)]
        await client.delete_deployment_schedule(sweep.id, sweep.schedules[0].id)
        await client.create_deployment_schedules(sweep.id, schedules)
        assert (await check_deployments(client))[1] == []  # the scheduler may not have been there
        digest = await client.read_deployment_by_name(DIGEST)
        coming: State[Any] = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(hours=1))
        await client.create_flow_run_from_deployment(digest.id, state=coming)
        problems = (await check_deployments(client, planning=timedelta()))[1]
        by_deployment = {one.what.split()[5]: one for one in problems}
        assert DIGEST not in by_deployment
        problem = by_deployment[SWEEP]
        assert problem.what == (
            f"no coming run of deployment {SWEEP} is planned, though its schedule is on"
        )
        assert str(sweep.id) in problem.remedy
        assert "background services" in problem.remedy


@pytest.mark.usefixtures("nothing_stays")
async def test_a_limit_of_0_and_a_paused_work_queue_are_problems_with_their_remedies(
    database_url: str,
) -> None:
    await provision(Settings(), database_url=database_url)
    async with get_client() as client:
        assert await check_queues(client) == []
        sweep = await client.read_deployment_by_name(SWEEP)
        limit = sweep.global_concurrency_limit
        assert limit is not None
        nothing = GlobalConcurrencyLimitUpdate(limit=0)
        await client.update_global_concurrency_limit(limit.name, nothing)
        (problem,) = (await check_deployments(client))[1]
        queue = await client.read_work_queue_by_name("default", work_pool_name="maintenance")
        await client.update_work_queue(queue.id, is_paused=True)
        (paused,) = await check_queues(client)
        await client.update_work_queue(queue.id, is_paused=False, concurrency_limit=0)
        (without_slots,) = await check_queues(client)
        await client.update_work_queue(queue.id, concurrency_limit=None)
    assert problem.what == f"deployment {SWEEP} has a limit of 0: none of its runs begins"
    assert str(sweep.id) in problem.remedy
    name = "work queue default of pool maintenance"
    assert (paused.what, paused.remedy) == (
        f"{name} is paused: none of its runs begins",
        "prefect work-queue resume default --pool maintenance",
    )
    assert (without_slots.what, without_slots.remedy) == (
        f"{name} has a limit of 0: none of its runs begins",
        "prefect work-queue clear-concurrency-limit default --pool maintenance",
    )


@pytest.mark.usefixtures("nothing_stays")
async def test_an_upgrade_keeps_what_people_changed_at_deployments(
    monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> None:
    async def upgrade(project: dict[str, Any], *, reset: bool = False) -> Provisioned:
        file = tmp_path / "prefect.yaml"
        file.write_text(yaml.safe_dump(project))
        monkeypatch.setattr(deploying, "project_file", lambda: file)
        return await provision(Settings(), database_url=database_url, reset=reset)

    project = yaml.safe_load(project_file().read_text())
    names = ("cleanup-old-creatives", "send-digest", "reconcile", "health-check")
    project["deployments"] = [
        one for one in project["deployments"] if name_of(one).partition("/")[0] in names
    ]
    entries = {name_of(one).partition("/")[0]: one for one in project["deployments"]}
    entries["reconcile"]["schedules"].append({"slug": "extra", "cron": "1 1 * * *"})
    async with get_client() as client:

        async def read(flow: str) -> DeploymentResponse:
            return await client.read_deployment_by_name(f"{flow}/{flow}")

        async def schedule(flow: str, slug: str) -> DeploymentSchedule:
            return next(one for one in (await read(flow)).schedules if one.slug == slug)

        for flow in names:
            with suppress(ObjectNotFound):
                await client.delete_deployment((await read(flow)).id)
        await upgrade(project)

        # What people do in the UI.
        cleanup, digest, lost, health = [await read(flow) for flow in names]
        nightly = await schedule("cleanup-old-creatives", "nightly")
        weekly = CronSchedule(cron="0 5 * * 0", timezone="Europe/Berlin")
        await client.update_deployment_schedule(cleanup.id, nightly.id, schedule=weekly)
        await client.update_deployment(
            cleanup.id,
            DeploymentUpdate(
                parameters={"days_old": 365}, description="ours", tags=["adspark", "team-a"],
                concurrency_limit=3, work_queue_name="urgent",
            ),
        )  # fmt: skip
        await client.delete_deployment_schedule(
            digest.id, (await schedule("send-digest", "daily")).id
        )
        every = (await schedule("health-check", "every-five-minutes")).id
        await client.update_deployment_schedule(health.id, every, active=False)
        own = DeploymentScheduleCreate(schedule=weekly, active=True)
        await client.create_deployment_schedules(lost.id, [own])
        await client.pause_deployment(lost.id)

        # An upgrade that changes all of them.
        for entry in entries.values():
            entry["description"] += " Newer."
            entry["tags"] = [*entry["tags"], "newer"]
        entries["cleanup-old-creatives"]["schedules"][0]["cron"] = "0 2 * * *"
        entries["cleanup-old-creatives"]["parameters"] = {"dry_run": False}
        entries["send-digest"]["schedules"].append({"slug": "weekly", "cron": "0 9 * * 1"})
        entries["health-check"]["schedules"][0]["cron"] = "*/7 * * * *"
        entries["health-check"]["concurrency_limit"]["limit"] = 2
        del entries["reconcile"]["schedules"][1]
        done = await upgrade(project)

        kept = await read("cleanup-old-creatives")
        assert kept.description == "ours"
        assert kept.parameters == {"days_old": 365, "dry_run": False}
        assert set(kept.tags) == {"adspark", "maintenance", "team-a", "newer"} - {"maintenance"}
        assert kept.global_concurrency_limit
        assert kept.global_concurrency_limit.limit == 3
        assert kept.work_queue_name == "urgent"
        assert [one.schedule for one in kept.schedules] == [weekly]
        assert [one.slug for one in (await read("send-digest")).schedules] == ["weekly"]
        seven = await schedule("health-check", "every-five-minutes")
        assert isinstance(seven.schedule, CronSchedule)
        assert (seven.schedule.cron, seven.active) == ("*/7 * * * *", False)
        new = await read("health-check")
        assert (new.description or "").endswith("Newer.")
        assert new.global_concurrency_limit
        assert new.global_concurrency_limit.limit == 2
        left = await read("reconcile")
        assert sorted(str(one.slug) for one in left.schedules) == ["None", "every-quarter-hour"]
        assert left.paused
        told = "\n".join(done.kept)
        for what in (
            "cleanup-old-creatives description: ours was set by hand",
            "cleanup-old-creatives tags: adspark, newer, team-a were set by hand",
            "cleanup-old-creatives limit: 3 was set by hand (ours: 1)",
            "cleanup-old-creatives schedule nightly: 0 5 * * 0 Europe/Berlin was set by",
            "cleanup-old-creatives parameter days_old: was set by hand (ours: none)",
            "reconcile/reconcile schedules: were paused by hand",
            "send-digest/send-digest schedule daily: was deleted by hand",
            "health-check/health-check schedule every-five-minutes: was made inactive by hand",
        ):
            assert what in told, told
        added = "deployment reconcile/reconcile schedule 0 5 * * 0 Europe/Berlin: was added by hand"
        assert done.added == [f"{added}, and stays"]
        again = await upgrade(project)
        assert (again.changes, again.kept, again.added) == ([], done.kept, done.added)

        put_back = await upgrade(project, reset=True)
        assert (put_back.kept, put_back.added) == ([], done.added)
        back = await read("cleanup-old-creatives")
        assert set(back.tags) == {"adspark", "maintenance", "newer"}
        assert back.parameters == {"dry_run": False}
        found = await read("reconcile")
        assert not found.paused
        # Nothing could put it back, and to give a deployment a schedule is how it is used.
        assert weekly in [one.schedule for one in found.schedules]
        assert (await schedule("health-check", "every-five-minutes")).active
        assert {one.slug for one in (await read("send-digest")).schedules} == {"daily", "weekly"}
