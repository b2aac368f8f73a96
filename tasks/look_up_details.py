"""The tasks that choose ads and look up their details."""

from adspark.creatives.details import DetailsSummary
from adspark.library.details import DetailsPlan
from adspark.library.details import look_up_details as look_up
from adspark.library.details import plan_details as plan
from blocks.adspark_database import connect_database
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.rate_limits import search_slots
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit


@retried_task(is_cached=True)
async def plan_details(ads: list[str], watch_id: int | None, most: int) -> DetailsPlan:
    """Choose the ads, once for the run however often it is started."""
    async with connect_database() as database, database.session() as session:
        return await plan(session, ads=ads, watch_id=watch_id, most=most)


@retried_task(is_cached=True)
@time_limit("fetch_time_limit")
async def look_up_details(chosen: DetailsPlan) -> DetailsSummary:
    """Look up the chosen ads; a retry goes on with those that are not known yet."""
    credentials = await SerpApiCredentials.load_configured()
    async with connect_database() as database, credentials.get_client() as client:
        return await look_up(database, client, chosen, before_search=await search_slots(database))
