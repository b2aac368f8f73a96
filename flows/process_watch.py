"""Check one watch: fetch back to the watermark, store, and announce the news.

Blocks: serpapi-credentials/adspark, adspark-database/adspark. Limits: 180 s an attempt, 10
searches a minute over all workers. Tables: watch, watch_creative, creative_event, fetch, creative,
advertiser, rejected_row, creative_detail, creative_region, new_version, picture_version.
"""

from prefect import flow

from adspark.db.engine import Database
from adspark.watches.check import WatchSummary
from adspark.watches.news import read_news
from blocks.adspark_database import connect_database
from flows.ad_tables import WATCHED, show_ads
from flows.endings import PLAIN_JSON, completed
from flows.parameters import WatchId, names_parameter
from orchestration.limits.retry_policy import retried_task
from orchestration.runs.archive_runs import request_archive
from tasks.announce_news import announce_news
from tasks.check_watch import check_watch

_MOST_SHOWN = 100


@flow(name="process-watch", persist_result=True, result_serializer=PLAIN_JSON)
async def process_watch(watch_id: WatchId) -> WatchSummary:
    """Check a watch now, whether it is due or not.

    Args:
        watch_id: The watch's number, as in `adspark watch list`.
    """
    async with connect_database() as database:
        with names_parameter("watch_id"):
            summary = await check_watch(watch_id)
        await announce_news()
        await show_news(database, summary)
    if summary.events.pictures:
        await request_archive()
    return completed(summary, f"{summary.name}: {summary.headline}")


@retried_task()
async def show_news(database: Database, summary: WatchSummary) -> None:
    """Show the table of what is new, under Artifacts in the UI."""
    if summary.began_at is None:
        return
    async with database.session() as session:
        news = await read_news(
            session, watch_ids=[summary.watch_id], since=summary.began_at, limit=_MOST_SHOWN
        )
    await show_ads(
        database,
        f"{WATCHED}-{summary.watch_id}",
        [one.cells() for one in news],
        f"**{summary.name}**: {summary.headline}",
    )
