"""Fetch ads of the Google Ads Transparency Center into the database.

Blocks: serpapi-credentials/adspark, adspark-database/adspark. Limits: 300 s an attempt, 10
searches a minute over all workers. Tables: advertiser, creative, fetch, rejected_row,
new_version, picture_version.
"""

import re
from typing import Annotated

from prefect import flow
from prefect.logging import get_run_logger

from adspark.creatives.fetch import IN_SUMMARY, FetchSummary
from adspark.db.engine import Database
from adspark.serpapi.search_query import CreativeQuery, parse_query
from adspark.validation.bounds import MAX_PAGES, PAGE_SIZE
from blocks.adspark_database import connect_database
from flows.ad_tables import FETCHED, show_ads
from flows.endings import PLAIN_JSON, completed
from flows.parameters import (
    AdvertiserIds,
    DryRun,
    OptionalDay,
    OptionalFormat,
    OptionalPlatform,
    OptionalRegion,
    OptionalText,
    label,
)
from orchestration.limits.retry_policy import retried_task
from orchestration.runs.archive_runs import request_archive
from tasks.fetch_query import fetch_query

_MOST_NAMED = 40  # characters of a search in its key


@flow(name="fetch-creatives", persist_result=True, result_serializer=PLAIN_JSON)
async def fetch_creatives(
    advertiser_ids: AdvertiserIds = None,
    text: OptionalText = None,
    region: OptionalRegion = None,
    platform: OptionalPlatform = None,
    creative_format: OptionalFormat = None,
    start_date: Annotated[OptionalDay, label("Shown since")] = None,
    end_date: Annotated[OptionalDay, label("Shown until")] = None,
    political_ads: Annotated[bool, label("Political ads only")] = False,
    page_size: Annotated[int, PAGE_SIZE, label("Ads a page")] = 100,
    max_pages: Annotated[int, MAX_PAGES, label("Pages at most")] = 1,
    dry_run: DryRun = False,
) -> FetchSummary:
    """Fetch a competitor's ads and tell new, changed and unchanged ones apart.

    Args:
        advertiser_ids: Needed, unless there is a domain: advertisers, AR and 20 digits each.
        text: Needed, unless there are advertisers: a bare domain such as example.com.
        region: ISO code (US), country name or SerpApi code (2840); empty means anywhere.
        platform: Only ads shown on this surface.
        creative_format: Only ads of this format.
        start_date: Only ads shown on or after this day.
        end_date: Only ads shown on or before this day.
        political_ads: Only political ads; needs a region.
        page_size: Ads a page, 1 to 100; a page costs one search whatever its size.
        max_pages: Pages at most, so searches at most; 1 to 1000.
        dry_run: Search and count, but store no ads; what it cost is in the ledger.
    """
    log = get_run_logger()
    query, warnings = parse_query(
        advertiser_ids=advertiser_ids,
        text=text,
        region=region,
        platform=platform,
        creative_format=creative_format,
        start_date=start_date,
        end_date=end_date,
        political_ads=political_ads,
        page_size=page_size,
    )
    MAX_PAGES.check("max_pages", max_pages)
    for warning in warnings:
        log.warning(warning, extra={IN_SUMMARY: True})
    async with connect_database() as database:
        summary = await fetch_query(query, max_pages, dry_run)
        summary.warnings = warnings
        await show_new_creatives(database, summary)
    if not dry_run and summary.new + summary.changed:
        await request_archive()
    return completed(summary, f"{query.describe()}: {summary.headline}")


def artifact_key(query: CreativeQuery) -> str:
    """The key of a search's table, in what Prefect takes: its beginning, and what makes it one."""
    named = re.sub("[^a-z0-9]+", "-", query.describe().lower())[:_MOST_NAMED].strip("-")
    return f"{FETCHED}-{named}-{query.hash[:8]}"


@retried_task()
async def show_new_creatives(database: Database, summary: FetchSummary) -> None:
    """The table of what is new, under Artifacts in the UI."""
    await show_ads(
        database,
        artifact_key(summary.query),
        [creative.cells() for creative in summary.new_creatives],
        f"**{summary.query.describe()}**: {summary.headline}",
        waits=not summary.dry_run,
    )
