"""Archive the pictures of ads: every version, downloaded or rendered once, kept with a thumbnail.

Blocks: adspark-database/adspark. Limits: 180 s an attempt, one at a time. Tables: new_version,
picture_version, creative, ad_variant.
"""

from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from adspark.archive.summary import ArchiveSummary
from blocks.adspark_database import connect_database
from flows.ad_tables import fill_in_pictures
from flows.endings import PLAIN_JSON, cancelled, completed, failed
from flows.parameters import label
from orchestration.limits.only_run import only_run
from tasks.work_on_pictures import archive_pictures, make_variant_thumbnails

ARTIFACT_KEY = "archive"

_LOCK = "archive"


@flow(name="archive-creatives", persist_result=True, result_serializer=PLAIN_JSON)
async def archive_creatives(
    retry_failed: Annotated[bool, label("Retry failed")] = False,
) -> ArchiveSummary:
    """Archive the newest pictures that are not kept yet; no search is spent.

    Tables of new ads under Artifacts that wait for one of them get it. Variants that were stored
    without a thumbnail get theirs.

    A picture that cannot be had is tried again later, a few times; the run is Completed all the
    same. It ends Failed ("Partly Failed") where previews could not be rendered for want of a
    browser. A second run at the same time is cancelled.

    Args:
        retry_failed: Whether pictures that failed are tried at once, given up or not, and those
            downloaded again that the media store has lost; thumbnails that it has lost are made
            again from their pictures.
    """
    async with connect_database() as database, only_run(database, _LOCK) as is_alone:
        if not is_alone:
            return cancelled(ArchiveSummary, "Another run archives pictures.")
        summary = await archive_pictures(retry_failed=retry_failed)
        if summary.stored:
            await fill_in_pictures(database)
        await make_variant_thumbnails()
    await acreate_markdown_artifact(key=ARTIFACT_KEY, markdown=summary.markdown("archived"))
    if summary.problem:
        return failed(ArchiveSummary, summary.headline, name="Partly Failed")
    return completed(summary, summary.headline)
