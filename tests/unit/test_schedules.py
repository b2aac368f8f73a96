"""The scheduler of Prefect's server finds the next runs of every schedule that we deploy."""

import pytest
from prefect.server.schemas.schedules import CronSchedule

from deployments.queue_classes import QUEUE_CLASSES

SCHEDULES = {
    flow.name: flow.schedule for one in QUEUE_CLASSES for flow in one.flows if flow.schedule
}


@pytest.mark.parametrize("flow", SCHEDULES)
@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin"])
async def test_the_server_finds_the_next_runs_of_a_schedule(flow: str, timezone: str) -> None:
    first, second = await CronSchedule(cron=SCHEDULES[flow], timezone=timezone).get_dates(2)
    assert first < second
