"""Check one watch: search as far back as needed, store, and tell what is new.

Blocks: serpapi-credentials/adspark, adspark-database/adspark. Limits: 180 s an attempt, 10
searches a minute over all workers. Tables: watch, watch_creative, creative_event, fetch, creative,
advertiser, rejected_row, creative_detail, creative_region.
"""

from prefect import flow
from prefect.artifacts import acreate_table_artifact
from prefect.logging import get_run_logger

from adspark.validation.bounds import Id
from adspark.watches.check import WatchSummary
from adspark.watches.news import read_news
from blocks.adspark_database import AdSparkDatabase
from flows.endings import completed
from tasks.announce_news import announce_news
from tasks.check_watch import check_watch

_MOST_SHOWN = 100


@flow(name="process-watch", persist_result=True, result_serializer="json")
async def process_watch(watch_id: Id) -> WatchSummary:
    """Check a watch now, whether it is due or not.

    Args:
        watch_id: The watch's number, as in `adspark watch list`.
    """
    log = get_run_logger()
    summary = await check_watch(watch_id)
    await announce_news()
    await show_news(summary)
    log.info("Watch %d (%s): %s", watch_id, summary.name, summary.headline)
    return completed(summary, f"{summary.name}: {summary.headline}")


async def show_news(summary: WatchSummary) -> None:
    """The table of what is new, under Artifacts in the UI."""
    if summary.began_at is None:
        return
    async with (
        (await AdSparkDatabase.load_configured()).connect() as database,
        database.session() as session,
    ):
        news = await read_news(
            session, watch_id=summary.watch_id, since=summary.began_at, limit=_MOST_SHOWN
        )
    await acreate_table_artifact(
        key=f"watch-{summary.watch_id}",
        table=[one.cells() for one in news],
        description=f"**{summary.name}**: {summary.headline}",
    )
