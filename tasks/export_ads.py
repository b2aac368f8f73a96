"""The task that exports stored ads."""

from prefect.logging import get_run_logger

from adspark.export.run import ExportRequest
from adspark.export.run import export_ads as export
from adspark.export.summary import ExportSummary
from adspark.export.target import find_target
from adspark.media.store import MediaStore
from adspark.settings import get_settings, media_url
from blocks.adspark_database import connect_database
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit

FOLDER = "exports"
"""In ADSPARK_HOME: where a path that is only a name leads."""


@retried_task()
@time_limit("export_time_limit")
async def export_ads(file: str, request: ExportRequest) -> ExportSummary:
    """Export them; a retry writes the file anew.

    `file` is an address, or a path, of which a relative one begins in the folder of exports.
    """
    settings = get_settings()
    base = settings.home / FOLDER
    base.mkdir(parents=True, exist_ok=True)
    target = find_target(file, home=settings.home, base=base)
    async with connect_database() as database:
        summary = await export(database, MediaStore(media_url(settings)), target, request)
    for note in summary.notes:
        get_run_logger().warning(note)
    return summary
