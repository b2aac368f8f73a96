"""Clean up: old ads with what belongs to them, the ledger, rejected rows, unused pictures.

Blocks: adspark-database/adspark. Limits: 1800 s an attempt, one at a time, one an hour. Tables:
creative, advertiser, ad_variant, board_creative, fetch, rejected_row, message, picture_version, and
what goes with their rows.
"""

from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_table_artifact
from prefect.logging import get_run_logger

from adspark.db.rates import CLEANUPS
from adspark.maintenance.cleanup import CleanupSummary, Retention, check_retention
from adspark.settings import get_settings
from adspark.validation.bounds import Days
from blocks.adspark_database import connect_database
from flows.endings import PLAIN_JSON, cancelled, completed, failed
from flows.parameters import DryRun, label
from orchestration.limits.rate_limits import seconds_until_start
from tasks.clean_up import remove_old

_MANY = 100_000  # removed rows after which PostgreSQL is worth a hint
_HINT = "PostgreSQL reuses the space by itself; at once, and for fresh statistics: VACUUM (ANALYZE)"


@flow(name="cleanup-old-creatives", persist_result=True, result_serializer=PLAIN_JSON)
async def cleanup_old_creatives(
    days_old: Annotated[Days, label("Days since last shown")] = 90,
    dry_run: DryRun = False,
    take_over_store: Annotated[bool, label("Take over the media store")] = False,
) -> CleanupSummary:
    """Remove ads that are no longer shown, and everything else that is kept for a time only.

    It ends Failed ("Partly Failed") where pictures could not be removed; the others are. None is
    removed from a media store that belongs to another database, or may do so, nor by the clean-up
    that enters this database as the owner of a store with pictures.

    Args:
        days_old: Days since an ad was last shown, and since its variants were last requested,
            generated or reviewed; one on a board or with an approved variant stays.
        dry_run: Count, remove nothing.
        take_over_store: Whether the media store belongs to this database from now on, whosever it
            was: pictures in it that this database does not use are removed.
    """
    log = get_run_logger()
    settings = get_settings()
    retention = check_retention(
        Retention(
            days_old=days_old,
            fetches=settings.keep_fetches_days,
            rejected_rows=settings.keep_rejected_days,
            messages=settings.keep_messages_days,
            picture_versions=settings.archive_days,
        )
    )
    async with connect_database() as database:
        if not dry_run and (wait := await seconds_until_start(database, CLEANUPS)):
            return cancelled(
                CleanupSummary,
                f"It was cleaned up lately (limit {CLEANUPS!r}); again in {wait / 60:.0f} min.",
            )
        summary = await remove_old(retention, dry_run=dry_run, take_over_store=take_over_store)
    await show_counts(summary)
    if summary.creatives > _MANY and not dry_run:
        log.info(_HINT)
    if summary.unremoved or summary.problem:
        return failed(CleanupSummary, summary.headline, name="Partly Failed")
    return completed(summary, summary.headline)


async def show_counts(summary: CleanupSummary) -> None:
    """What was removed, by kind, under Artifacts in the UI."""
    texts = {"dry_run", "stray_paths", "unremoved_pictures", "problem", "note"}
    counts = summary.model_dump(exclude=texts)
    await acreate_table_artifact(
        key="cleanup",
        table=[{"kind": name.replace("_", " "), "count": count} for name, count in counts.items()],
        description=summary.headline,
    )
