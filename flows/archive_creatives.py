"""Archive the pictures of ads: every version, downloaded or rendered once, kept with a thumbnail.

Blocks: adspark-database/adspark. Limits: 180 s an attempt, one at a time. Tables: picture_version,
creative, creative_event.
"""

from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.logging import get_run_logger

from adspark.archive.summary import ArchiveSummary
from adspark.markdown import escape_markdown
from blocks.adspark_database import connect_database
from flows.endings import PLAIN_JSON, cancelled, completed, failed
from flows.parameters import label
from tasks.archive_pictures import archive_pictures

ARTIFACT_KEY = "archive"

_LOCK = "archive"


@flow(name="archive-creatives", persist_result=True, result_serializer=PLAIN_JSON)
async def archive_creatives(
    retry_failed: Annotated[bool, label("Retry failed")] = False,
) -> ArchiveSummary:
    """Archive the newest pictures that are not kept yet; no search is spent.

    A picture that cannot be had is tried again later, a few times; the run is Completed all the
    same. It ends Failed ("Partly Failed") where previews could not be rendered for want of a
    browser. A second run at the same time is cancelled.

    Args:
        retry_failed: Whether pictures that were given up are tried again.
    """
    async with connect_database() as database, database.lock(_LOCK) as is_alone:
        if not is_alone:
            return cancelled(ArchiveSummary, "Another run archives pictures.")
        summary = await archive_pictures(retry_failed=retry_failed)
    await show_archive(summary)
    get_run_logger().info(summary.headline)
    if summary.problem:
        return failed(ArchiveSummary, summary.headline, name="Partly Failed")
    return completed(summary, summary.headline)


async def show_archive(summary: ArchiveSummary) -> None:
    """What was archived and what failed, under Artifacts in the UI."""
    lines = [f"**{escape_markdown(summary.headline)}**"]
    if summary.failures:
        lines += ["", "| ad | not archived, because | |", "| --- | --- | --- |"]
    for one in summary.failures:
        later = "given up" if one.is_given_up else "tried again later"
        lines.append(f"| {one.ad_creative_id} | {escape_markdown(one.cause)} | {later} |")
    await acreate_markdown_artifact(key=ARTIFACT_KEY, markdown="\n".join(lines))
