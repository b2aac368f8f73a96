"""The tasks that choose ads and look up their details."""

from prefect.logging import get_run_logger

from adspark.creatives.details import DetailsSummary
from adspark.library.ads.details import DetailsPlan
from adspark.library.ads.details import look_up_details as look_up
from adspark.library.ads.details import plan_details as plan
from blocks.adspark_database import connect_database, open_session
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.rate_limits import search_slots
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit


@retried_task(is_cached=True)
async def plan_details(ads: list[str], watch_id: int | None, most: int) -> DetailsPlan:
    """Choose the ads, once for the run however often it is started.

    Args:
        ads: ids, CR and 20 digits; none: those of the watch.
        watch_id: whose latest news; None: only `ads` count.
        most: how many at most.
    """
    async with open_session() as session:
        return await plan(session, ads=ads, watch_id=watch_id, most=most)


@retried_task(is_cached=True)
@time_limit("fetch_time_limit")
async def look_up_details(chosen: DetailsPlan) -> DetailsSummary:
    """Look up the chosen ads; a retry resumes with those that are not known yet."""
    log = get_run_logger()
    credentials = await SerpApiCredentials.load_configured()
    async with connect_database() as database, credentials.get_client() as client:
        wait = await search_slots(database)
        searches = 0

        async def log_search() -> None:
            nonlocal searches
            await wait()
            searches += 1
            log.info("Search %d of at most %d", searches, len(chosen.ads))

        return await look_up(database, client, chosen, before_search=log_search)
