"""The task that reads the words of archived pictures."""

from prefect.logging import get_run_logger

from adspark.media.store import MediaStore
from adspark.settings import get_settings, media_url
from adspark.words.run import read_words
from adspark.words.summary import WordsBounds, WordsSummary
from blocks.adspark_database import connect_database
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit

_BEGINNING = 2 / 3  # share of the time limit in which pictures are begun; the rest is for their end


@retried_task()
@time_limit("words_time_limit")
async def read_pictures(*, retry_failed: bool) -> WordsSummary:
    """Read the newest archived pictures that are not read yet; a retry resumes.

    Args:
        retry_failed: whether those that were given up are read again.
    """
    settings = get_settings()
    bounds = WordsBounds(settings.words_run_pictures, settings.words_time_limit * _BEGINNING)
    async with connect_database() as database:
        media = MediaStore(media_url(settings))
        summary = await read_words(database, media, bounds, tries_failed=retry_failed)
    log = get_run_logger()
    for one in summary.failures:
        log.info("picture %s: %s", one.sha256, one.cause)
    return summary
