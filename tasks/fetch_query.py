"""The task that fetches one query: its pages from SerpApi into the database."""

from uuid import UUID

from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from adspark.creatives.fetch import FetchSummary
from adspark.creatives.fetch import fetch_query as fetch
from adspark.serpapi.search_query import CreativeQuery
from blocks.adspark_database import AdSparkDatabase
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.rate_limits import search_slots
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit


@retried_task(is_cached=True)
@time_limit("fetch_time_limit")
async def fetch_query(query: CreativeQuery, max_pages: int, dry_run: bool) -> FetchSummary:
    """Fetch at most `max_pages` pages; a retry resumes after the last stored page."""
    log = get_run_logger()
    credentials = await SerpApiCredentials.load_configured()
    connection = (await AdSparkDatabase.load_configured()).connect()
    async with connection as database, credentials.get_client() as client:

        async def log_page(summary: FetchSummary) -> None:
            log.info("Page %d of at most %d: %s", summary.pages, max_pages, summary.headline)

        return await fetch(
            database,
            client,
            query,
            max_pages=max_pages,
            dry_run=dry_run,
            flow_run_id=UUID(flow_run.id) if flow_run.id else None,
            before_search=await search_slots(database),
            after_page=log_page,
        )
