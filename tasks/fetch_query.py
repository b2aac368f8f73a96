"""The task that fetches one query: its pages from SerpApi into the database."""

from prefect.logging import get_run_logger

from adspark.creatives.fetch import FetchSummary
from adspark.creatives.fetch import fetch_query as fetch
from adspark.serpapi.search_query import CreativeQuery
from blocks.adspark_database import connect_database
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.rate_limits import search_slots
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit
from orchestration.runs.flow_runs import own_run_id


@retried_task(is_cached=True)
@time_limit("fetch_time_limit")
async def fetch_query(query: CreativeQuery, max_pages: int, dry_run: bool) -> FetchSummary:
    """Fetch at most `max_pages` pages; a retry resumes after the last stored page.

    Args:
        query: the search.
        max_pages: pages of the whole fetch.
        dry_run: search, but store no ads.
    """
    log = get_run_logger()
    credentials = await SerpApiCredentials.load_configured()
    async with connect_database() as database, credentials.get_client() as client:

        async def log_page(summary: FetchSummary) -> None:
            if summary.stop_reason is None:  # the last one has the figures of the flow's summary
                log.info("Page %d of at most %d: %s", summary.pages, max_pages, summary.headline)

        return await fetch(
            database,
            client,
            query,
            max_pages=max_pages,
            dry_run=dry_run,
            flow_run_id=own_run_id(),
            before_search=await search_slots(database),
            after_page=log_page,
        )
