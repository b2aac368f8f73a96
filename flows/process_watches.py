"""Check some watches: the part of a big sweep that one worker takes.

Started by `process-all-active-watches`, which see for blocks, limits and tables.
"""

from typing import Annotated

from prefect import flow
from prefect.logging import get_run_logger
from sqlalchemy import text

from adspark.validation.bounds import SEARCHES, SECONDS, Id
from adspark.watches.due import SweepSummary, read_left
from blocks.adspark_database import AdSparkDatabase
from flows.endings import completed
from tasks.check_watches import check_watches


@flow(name="process-watches", persist_result=True, result_serializer="json")
async def process_watches(
    watch_ids: list[Id],
    searches: Annotated[int | None, SEARCHES] = None,
    seconds: Annotated[float, SECONDS] = 540.0,
) -> SweepSummary:
    """Check those of the watches that are still due.

    Args:
        watch_ids: Numbers of watches.
        searches: Searches that may be made; empty means any number.
        seconds: After so many no search is begun.
    """
    async with (
        (await AdSparkDatabase.load_configured()).connect() as database,
        database.session() as session,
    ):
        began_at = (await session.execute(text("SELECT now()"))).scalar_one()
        due = await read_left(session, watch_ids=watch_ids, since=began_at)
    summary = await check_watches(due, searches, "its share of the sweep's", seconds)
    get_run_logger().info(summary.headline)
    return completed(summary, summary.headline)
