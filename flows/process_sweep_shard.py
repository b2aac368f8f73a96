"""Check some watches: the shard of a big sweep that one worker takes.

Started by `process-all-active-watches`, which see for blocks, limits and tables.
"""

import time
from typing import Annotated

from prefect import flow
from pydantic import AwareDatetime

from adspark.settings import get_settings
from adspark.validation.bounds import SEARCHES, Id
from adspark.watches.sweep_store import SEARCHING, SweepSummary
from blocks.adspark_database import connect_database
from flows.endings import PLAIN_JSON, completed
from flows.parameters import label
from orchestration.limits.time_limits import time_limit
from tasks.check_watches import check_watches
from tasks.plan_sweep import plan_rest


@flow(name="process-sweep-shard", persist_result=True, result_serializer=PLAIN_JSON)
@time_limit("sweep_time_limit")
async def process_sweep_shard(
    watch_ids: Annotated[list[Id], label("Watch ids")],
    searches: Annotated[int | None, SEARCHES, label("Searches at most")] = None,
    ends_at: Annotated[AwareDatetime | None, label("No search is begun after")] = None,
) -> SweepSummary:
    """Check those of the watches that are still due.

    Args:
        watch_ids: Numbers of watches.
        searches: Searches that may be made; empty means any number.
        ends_at: When the sweep ends, by the database's clock; empty means after nine tenths of the
            run's time limit.
    """
    ends = time.monotonic() + SEARCHING * get_settings().sweep_time_limit
    async with connect_database():
        plan = await plan_rest(watch_ids)
        if ends_at:
            ends = time.monotonic() + (ends_at - plan.began_at).total_seconds()
        summary = await check_watches(
            plan.due, searches, "its share of the sweep's", ends, plan.began_at
        )
    return completed(summary, summary.headline)
