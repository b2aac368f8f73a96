"""Read the words of archived pictures whose ads' copy was not bought, so that searches find them.

Blocks: adspark-database/adspark. Limits: 180 s an attempt, one at a time. Tables: picture_words,
picture_version, creative_detail.
"""

from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from adspark.words.summary import WordsSummary
from blocks.adspark_database import connect_database
from flows.endings import PLAIN_JSON, cancelled, completed
from flows.parameters import label
from orchestration.limits.only_run import only_run
from tasks.work_on_pictures import read_pictures

ARTIFACT_KEY = "words"

_LOCK = "words"


@flow(name="read-words", persist_result=True, result_serializer=PLAIN_JSON)
async def read_words(
    retry_failed: Annotated[bool, label("Retry failed")] = False,
) -> WordsSummary:
    """Read the newest archived pictures that are not read yet; no search is spent.

    A picture that cannot be read is tried again later, a few times; the run is Completed all the
    same. So it is where RapidOCR is not installed: it says what to install, and the pictures wait.
    A second run at the same time is cancelled.

    Args:
        retry_failed: Whether pictures that failed are read at once, given up or not.
    """
    async with connect_database() as database, only_run(database, _LOCK) as is_alone:
        if not is_alone:
            return cancelled(WordsSummary, "Another run reads words.")
        summary = await read_pictures(retry_failed=retry_failed)
    await acreate_markdown_artifact(key=ARTIFACT_KEY, markdown=summary.markdown("read"))
    return completed(summary, summary.headline)
