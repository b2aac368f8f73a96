"""The task that checks one watch."""

from uuid import UUID

from prefect.runtime import flow_run

from adspark.watches.check import Checker, WatchSummary
from blocks.adspark_database import AdSparkDatabase
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.rate_limits import search_slots
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.spending_events import announce_spent_budget
from orchestration.limits.time_limits import time_limit


@retried_task(is_cached=True)
@time_limit("watch_time_limit")
async def check_watch(watch_id: int) -> WatchSummary:
    """Check a watch; a retry resumes after the last stored page."""
    credentials = await SerpApiCredentials.load_configured()
    connection = (await AdSparkDatabase.load_configured()).connect()
    async with (
        connection as database,
        credentials.get_client() as client,
        database.locks() as locks,
    ):
        checker = Checker(
            database,
            client,
            locks,
            flow_run_id=UUID(flow_run.id) if flow_run.id else None,
        )
        summary = await checker.check(watch_id, before_search=await search_slots(database))
    if summary.is_out_of_budget:
        announce_spent_budget(summary.watch_id, summary.name)
    return summary
