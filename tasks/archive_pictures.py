"""The task that archives pictures of ads."""

from prefect.logging import get_run_logger

from adspark.archive.hosts import HostPauses
from adspark.archive.picture import ArchiveTools
from adspark.archive.run import archive_pictures as archive
from adspark.archive.summary import ArchiveBounds, ArchiveSummary
from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.rendering.renderer import configured_renderer
from adspark.settings import Settings, get_settings, media_url
from blocks.adspark_database import connect_database
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit

_BEGINNING = 2 / 3  # share of the time limit in which pictures are begun; the rest is for their end


@retried_task()
@time_limit("archive_time_limit")
async def archive_pictures(*, retry_failed: bool) -> ArchiveSummary:
    """Archive the newest pictures that are not kept yet; a retry resumes.

    Args:
        retry_failed: whether those that were given up are tried again.
    """
    settings = get_settings()
    rules = AddressRules(settings.trusted_hosts)
    async with (
        connect_database() as database,
        Downloader(rules) as downloader,
        configured_renderer(rules, settings) as renderer,
    ):
        tools = ArchiveTools(MediaStore(media_url(settings)), downloader, renderer, HostPauses())
        summary = await archive(database, tools, _bounds(settings), tries_failed=retry_failed)
    log = get_run_logger()
    for one in summary.failures:
        log.info("%s: %s", one.ad_creative_id, one.cause)
    return summary


def _bounds(settings: Settings) -> ArchiveBounds:
    return ArchiveBounds(
        pictures=settings.archive_run_pictures,
        bytes=settings.archive_run_megabytes * 2**20,
        seconds=settings.archive_time_limit * _BEGINNING,
        kept_bytes=settings.archive_bytes,
    )
