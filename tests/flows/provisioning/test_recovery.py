"""How long the server waits for a sign of life of a run before it ends it."""

from datetime import timedelta

from prefect.client.orchestration import get_client
from prefect.events import EventTrigger
from prefect.utilities.callables import parameter_schema

from adspark.settings import Settings
from deployments.provisioning.automations.recovery import RECONCILE, recovery_automations
from deployments.provisioning.jobs.templates import job_template
from deployments.queue_classes import QUEUE_CLASSES
from flows.reconcile import reconcile


async def waits(settings: Settings) -> dict[str, timedelta]:
    """How long the server waits after each of these events of a run, as the server has it."""
    found: dict[str, timedelta] = {}
    async with get_client() as client:
        deployment = await client.create_deployment(
            await client.create_flow(reconcile), RECONCILE.partition("/")[2]
        )
        for one in await recovery_automations(client, settings):
            automation = await client.read_automation(await client.create_automation(one))
            assert automation is not None
            assert isinstance(automation.trigger, EventTrigger)
            for event in automation.trigger.after:
                state = event.rpartition(".")[2]
                assert state not in found  # one automation for each
                found[state] = automation.trigger.within
            await client.delete_automation(automation.id)
        await client.delete_deployment(deployment)
    return found


async def test_a_pod_has_longer_to_start_than_its_worker_waits_for_it() -> None:
    settings = Settings(pool_type="kubernetes", run_image="adspark:test")
    found = await waits(settings)
    for queue_class in QUEUE_CLASSES:
        job = job_template(queue_class, settings)["job_configuration"]
        watched = timedelta(seconds=job["pod_watch_timeout_seconds"])
        assert found["Pending"] == found["Submitting"] > watched
    assert found["Running"] == found["heartbeat"] == timedelta(seconds=90)
    patience = parameter_schema(reconcile).properties["patience"]["default"]
    assert timedelta(seconds=patience) > found["Pending"]


async def test_runs_that_are_no_pods_have_90_seconds_for_each_sign_of_life() -> None:
    found = await waits(Settings(pool_type="process"))
    for state in ("Pending", "Submitting", "Running", "heartbeat"):
        assert found[state] == timedelta(seconds=90)
