"""The task that removes what is older than it is kept."""

import time

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from adspark.maintenance.cleanup import CleanupSummary, Retention, clean_up
from adspark.media.store import MediaStore
from adspark.settings import get_settings, media_url
from blocks.adspark_database import AdSparkDatabase
from orchestration.retry_policy import RETRIED
from orchestration.time_limits import hard_timeout

_REPORT_EVERY = 10.0  # seconds between two lines of the log


@task(**RETRIED, cache_policy=NO_CACHE, timeout_seconds=get_settings().cleanup_time_limit)
@hard_timeout("cleanup_time_limit")
async def remove_old(retention: Retention, *, dry_run: bool) -> CleanupSummary:
    """Remove it, or count it in a dry run; another try goes on where the last one ended."""
    log = get_run_logger()
    told_at = time.monotonic()

    def tell(so_far: CleanupSummary) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > _REPORT_EVERY:
            told_at = time.monotonic()
            log.info("So far: %s", so_far.headline)

    async with (await AdSparkDatabase.load_configured()).connect() as database:
        media = MediaStore(media_url(get_settings()))
        return await clean_up(database, media, retention, dry_run=dry_run, on_step=tell)
