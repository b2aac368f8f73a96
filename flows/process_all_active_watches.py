"""Sweep: check every watch that is due, users by their shares, and announce the news.

Blocks: serpapi-credentials/adspark, adspark-database/adspark. Limits: 600 s, one at a time, 5 begun
and 10 searches a minute over all workers. Tables: watch, watch_creative, creative_event, fetch,
creative, advertiser, rejected_row, creative_detail, creative_region, new_version, picture_version.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run

from adspark.db.engine import Database, read_now
from adspark.db.rates import SWEEPS
from adspark.markdown import escape_markdown
from adspark.settings import get_settings
from adspark.watches.news import read_news
from adspark.watches.sharing.due import DueWatch
from adspark.watches.sweep_store import SEARCHING, SweepPlan, SweepSummary, summarise_sweep
from blocks.adspark_database import connect_database, open_session
from flows.ad_tables import SWEPT, write_table
from flows.endings import PLAIN_JSON, cancelled, completed, failed
from orchestration.limits.only_run import only_run
from orchestration.limits.rate_limits import seconds_until_start
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit
from orchestration.runs.archive_runs import request_archive
from orchestration.runs.sweep_shards import (
    share,
    share_of_shard,
    start_shards,
    take_back,
    watches_of,
)
from tasks.announce_news import announce_news
from tasks.check_watches import check_watches
from tasks.plan_sweep import plan_rest, plan_sweep

_MOST_SHOWN = 20  # ads
_LOCK = "sweep"


@flow(name="process-all-active-watches", persist_result=True, result_serializer=PLAIN_JSON)
@time_limit("sweep_time_limit")
async def process_all_active_watches() -> SweepSummary:
    """Check every watch that is due: users by their shares, of each the most overdue first.

    It ends Failed ("Partly Failed") where a watch could not be checked, and the message says how
    many and why; the others are stored all the same. A second sweep at the same time is cancelled.
    """
    searching_ends = time.monotonic() + SEARCHING * get_settings().sweep_time_limit
    async with connect_database() as database, only_run(database, _LOCK) as is_alone:
        if not is_alone:
            return cancelled(SweepSummary, "Another sweep is under way; it serves what is due.")
        if wait := await seconds_until_start(database, SWEEPS):
            return cancelled(
                SweepSummary,
                f"Too many sweeps were begun (limit {SWEEPS!r}); the next may be in {wait:.0f} s.",
            )
        plan = await plan_sweep()
        if len(plan.due) <= get_settings().sweep_shard_size:
            summary = await check_watches(
                plan.due, plan.searches, plan.shortage, searching_ends, plan.began_at
            )
        else:
            summary = await _sweep_in_shards(plan, searching_ends)
        await announce_news()
        await show_sweep(summary, await _write_news(database, plan, summary))
    if summary.events.pictures:
        await request_archive()
    if summary.is_whole:
        return completed(summary, summary.headline)
    name = "Partly Failed" if summary.checked else "Failed"
    return failed(SweepSummary, summary.headline, name=name)


async def _sweep_in_shards(plan: SweepPlan, searching_ends: float) -> SweepSummary:
    """Let the workers of the pool take shards, and check here what none of them has checked."""
    size = get_settings().sweep_shard_size
    async with open_session() as session:
        ends_at = await read_now(session) + timedelta(seconds=searching_ends - time.monotonic())
    shards = await start_shards(plan, flow_run_id=str(flow_run.id), size=size, ends_at=ends_at)
    everything = [one.watch_id for one in plan.due]
    given = set(watches_of(shards))

    async def read_rest(watch_ids: Sequence[int]) -> list[DueWatch]:
        return (await plan_rest(watch_ids, plan.began_at)).due

    async def check_rest(due: list[DueWatch], searches: int | None) -> None:
        await check_watches(due, searches, plan.shortage, searching_ends, plan.began_at)

    mine = [watch_id for watch_id in everything if watch_id not in given]
    await check_rest(await read_rest(mine), share_of_shard(plan, 0, len(shards) + 1))
    while shard := await take_back(shards):
        rest = await read_rest(watches_of([shard]))
        await check_rest(rest, shard.parameters["searches"])
    rest = await read_rest(everything)  # what a shard that crashed has left
    await check_rest(rest, share(plan, len(rest)))
    return await _summarise(everything, plan.began_at)


@retried_task()
async def _summarise(watch_ids: Sequence[int], since: datetime) -> SweepSummary:
    """What became of the watches, whoever checked them."""
    async with open_session() as session:
        return await summarise_sweep(session, watch_ids=watch_ids, since=since)


@retried_task()
async def _write_news(database: Database, plan: SweepPlan, summary: SweepSummary) -> str:
    """The table of the latest ads that it noticed; empty where there are none."""
    if not summary.events.news:
        return ""
    watch_ids = [one.watch_id for one in plan.due]
    most = min(_MOST_SHOWN, summary.events.news)
    async with database.session() as session:
        news = await read_news(session, watch_ids=watch_ids, since=plan.began_at, limit=most)
    rows = [{"watch": one.watch, **one.cells()} for one in news]
    return await write_table(database, rows)


async def show_sweep(summary: SweepSummary, news: str) -> None:
    """The sweep as a page, with the table of its news, under Artifacts in the UI."""
    rows = {
        "due": summary.due,
        "checked": summary.checked,
        "of these with partial coverage": summary.partial,
        "failed": summary.failed,
        "waiting": summary.waiting,
        "skipped": summary.skipped,
        **{f"events: {kind}": number for kind, number in summary.events},
        "details looked up": summary.details,
        "details still to be looked up": summary.details_waiting,
        "details given up": summary.details_given_up,
        "pages": summary.pages,
        "searches billed": summary.searches_billed,
        "searches cached": summary.searches_cached,
    }
    lines = [f"**{escape_markdown(summary.headline)}**", "", "| what | number |", "| --- | ---: |"]
    lines += [f"| {what} | {number} |" for what, number in rows.items()]
    if summary.problems:
        lines += ["", "| watch | not checked, because |", "| ---: | --- |"]
        lines += [f"| {one.watch_id} | {escape_markdown(one.reason)} |" for one in summary.problems]
    if news:
        lines += ["", f"News: {summary.events.news}; the latest:", "", news]
    await acreate_markdown_artifact(key=SWEPT, markdown="\n".join(lines))
