"""The task that removes what is older than it is kept."""

import asyncio
import time

from prefect.logging import get_run_logger

from adspark.maintenance.cleanup import CleanupSummary, Retention, clean_up
from adspark.maintenance.run_results import remove_run_results
from adspark.media.store import MediaStore
from adspark.settings import get_settings, media_url, run_results_folder
from blocks.adspark_database import connect_database
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit

_REPORT_EVERY = 10.0  # seconds between two lines of the log
_LONGER = 1.0  # days than a run its result is kept, for a run that waits has not ended


@retried_task()
@time_limit("cleanup_time_limit")
async def remove_old(
    retention: Retention, *, dry_run: bool, take_over_store: bool
) -> CleanupSummary:
    """Remove it; a retry resumes where the last one ended.

    Args:
        retention: how long each kind is kept.
        dry_run: count it only.
        take_over_store: make the database the owner of the media store, whosever it was.
    """
    log = get_run_logger()
    logged_at = time.monotonic()

    def log_progress(so_far: CleanupSummary) -> None:
        nonlocal logged_at
        if time.monotonic() - logged_at > _REPORT_EVERY:
            logged_at = time.monotonic()
            log.info("So far: %s", so_far.headline)

    settings = get_settings()
    async with connect_database() as database:
        summary = await clean_up(
            database,
            MediaStore(media_url(settings)),
            retention,
            archive_bytes=settings.archive_bytes,
            dry_run=dry_run,
            take_over_store=take_over_store,
            on_step=log_progress,
        )
    summary.run_results = await asyncio.to_thread(
        remove_run_results,
        run_results_folder(settings),
        days_old=settings.keep_runs_days + _LONGER,
        dry_run=dry_run,
    )
    return summary
