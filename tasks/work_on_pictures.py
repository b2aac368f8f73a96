"""The tasks that work on pictures: archive those of ads and read their words, and make the
thumbnails that variants lack."""

from prefect.logging import get_run_logger

from adspark.archive.hosts import HostPauses
from adspark.archive.picture import ArchiveTools
from adspark.archive.run import archive_pictures as archive
from adspark.archive.summary import ArchiveBounds, ArchiveSummary
from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.picture_queue.summary import PictureSummary, RunBounds
from adspark.rendering.renderer import configured_renderer
from adspark.settings import get_settings, media_url
from adspark.variants.thumbnails import ThumbnailSummary, make_thumbnails
from adspark.words.run import read_words
from adspark.words.summary import WordsSummary
from blocks.adspark_database import connect_database
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit

_BEGINNING = 2 / 3  # share of the time limit in which pictures are begun; the rest is for their end


@retried_task()
@time_limit("archive_time_limit")
async def archive_pictures(*, retry_failed: bool) -> ArchiveSummary:
    """Archive the newest pictures that are not kept yet; a retry resumes.

    With `retry_failed`, those that failed, given up or not, and those that the media store has lost
    are tried at once.
    """
    settings = get_settings()
    rules = AddressRules(settings.trusted_hosts)
    bounds = ArchiveBounds(
        pictures=settings.archive_run_pictures,
        seconds=settings.archive_time_limit * _BEGINNING,
        bytes=settings.archive_run_megabytes * 2**20,
        kept_bytes=settings.archive_bytes,
    )
    async with (
        connect_database() as database,
        Downloader(rules) as downloader,
        configured_renderer(rules, settings) as renderer,
    ):
        tools = ArchiveTools(MediaStore(media_url(settings)), downloader, renderer, HostPauses())
        summary = await archive(database, tools, bounds, tries_failed=retry_failed)
    _log_failures(summary)
    return summary


@retried_task()
@time_limit("archive_time_limit")
async def make_variant_thumbnails() -> ThumbnailSummary:
    """Make the thumbnails of variants that were stored without one; a retry resumes."""
    settings = get_settings()
    seconds = settings.archive_time_limit * _BEGINNING
    async with connect_database() as database:
        summary = await make_thumbnails(database, MediaStore(media_url(settings)), seconds=seconds)
    for variant_id, cause in summary.failures.items():
        get_run_logger().info("Variant %d has no thumbnail: %s", variant_id, cause)
    return summary


@retried_task()
@time_limit("words_time_limit")
async def read_pictures(*, retry_failed: bool) -> WordsSummary:
    """Read the newest archived pictures that are not read yet; a retry resumes.

    With `retry_failed`, those that failed are read at once, given up or not.
    """
    settings = get_settings()
    bounds = RunBounds(settings.words_run_pictures, settings.words_time_limit * _BEGINNING)
    async with connect_database() as database:
        media = MediaStore(media_url(settings))
        summary = await read_words(database, media, bounds, tries_failed=retry_failed)
    _log_failures(summary)
    return summary


def _log_failures(summary: PictureSummary) -> None:
    for one in summary.failures:
        get_run_logger().info("%s: %s", one.ad_creative_id, one.cause)
