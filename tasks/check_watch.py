"""The task that checks one watch."""

from adspark.watches.check import Checker, WatchSummary
from blocks.adspark_database import connect_database
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.rate_limits import search_slots
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.spending_events import announce_spent_budget
from orchestration.limits.time_limits import time_limit
from orchestration.runs.flow_runs import own_run_id


@retried_task(is_cached=True)
@time_limit("watch_time_limit")
async def check_watch(watch_id: int) -> WatchSummary:
    """Check a watch; a retry resumes after the last stored page."""
    credentials = await SerpApiCredentials.load_configured()
    async with (
        connect_database() as database,
        credentials.get_client() as client,
        database.locks() as locks,
    ):
        checker = Checker(database, client, locks, own_run_id())
        summary = await checker.check(watch_id, before_search=await search_slots(database))
    if summary.is_out_of_budget:
        announce_spent_budget(summary.watch_id, summary.name)
    return summary
