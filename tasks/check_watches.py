"""The task that sweeps over watches."""

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.logging import get_run_logger
from prefect.runtime import task_run

from adspark.db.engine import Database
from adspark.errors import describe_error
from adspark.settings import get_settings
from adspark.watches.admission import SweepGate
from adspark.watches.check import Checker, WatchSummary
from adspark.watches.events import EventCounts
from adspark.watches.sharing.due import DueWatch, read_unchecked
from adspark.watches.sweep import Sweep
from adspark.watches.sweep_store import SweepSummary, summarise_sweep
from blocks.adspark_database import connect_database
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.rate_limits import search_slots
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.spending_events import announce_spent_budget
from orchestration.runs.flow_runs import own_run_id

PROGRESS_KEY = "sweep-progress"
_REPORT_EVERY = 2.0  # seconds between two updates of the progress


@retried_task()
async def check_watches(
    due: list[DueWatch], searches: int | None, shortage: str, ends: float, since: datetime
) -> SweepSummary:
    """Check the watches, many at once; what fails for the moment is retried meanwhile.

    A retry, as after the loss of the database, checks those that no attempt has tried yet, and
    counts all of them as the database has stored them.

    Args:
        due: in the order in which they are to be checked.
        searches: that may be made, None for any number; `shortage` says why no more.
        ends: by the monotonic clock, when no more search is begun.
        since: when they were found due.
    """
    watch_ids = [one.watch_id for one in due]
    is_retry = task_run.run_count > 1
    credentials = await SerpApiCredentials.load_configured()
    async with (
        connect_database() as database,
        credentials.get_client() as client,
        database.locks() as locks,
    ):
        if is_retry:
            due, so_far = await _read_rest(database, watch_ids, since)
            searches = None if searches is None else max(0, searches - so_far.searches_billed)
        gate = SweepGate(
            await search_slots(database),
            searches=searches,
            shortage=shortage,
            seconds=ends - time.monotonic(),
        )
        checker = Checker(database, client, locks, own_run_id())
        report = _Report()
        sweep = Sweep(
            checker,
            gate,
            retry_delays=get_settings().retry_delays,
            on_check=report.log,
            on_progress=report.show,
            on_error=report.log_error,
        )
        summary = await sweep.run(due)
        if is_retry:
            _, whole = await _read_rest(database, watch_ids, since)
            summary = whole.with_skipped(summary)
        await report.show(summary, at_once=True)
        return summary


async def _read_rest(
    database: Database, watch_ids: Sequence[int], since: datetime
) -> tuple[list[DueWatch], SweepSummary]:
    """Those of the watches that were not tried since then, and what became of all."""
    async with database.session() as session:
        return (
            await read_unchecked(session, watch_ids=watch_ids, since=since),
            await summarise_sweep(session, watch_ids=watch_ids, since=since),
        )


class _Report:
    """The progress in the UI, and a line in the log for each watch with news or a problem."""

    def __init__(self) -> None:
        self._log = get_run_logger()
        self._artifact: UUID | None = None
        self._shown_at = 0.0

    async def log(self, checked: WatchSummary) -> None:
        """Log a watch, unless nothing happened; announce a budget that is spent."""
        if checked.is_out_of_budget:
            announce_spent_budget(checked.watch_id, checked.name)
        if checked.events != EventCounts() or checked.problem:
            self._log.info("Watch %d (%s): %s", checked.watch_id, checked.name, checked.headline)

    def log_error(self, watch_id: int, error: Exception) -> None:
        """Log an unexpected error, with its traceback."""
        self._log.error("Watch %d: %s", watch_id, describe_error(error), exc_info=error)

    async def show(self, summary: SweepSummary, *, at_once: bool = False) -> None:
        """Bring the progress up to date, not too often."""
        now = time.monotonic()
        if not at_once and now - self._shown_at < _REPORT_EVERY:
            return
        self._shown_at = now
        done = summary.checked + summary.failed + summary.waiting + summary.skipped
        progress = 100.0 * done / summary.due if summary.due else 100.0
        if self._artifact is None:
            self._artifact = await acreate_progress_artifact(
                progress, key=PROGRESS_KEY, description=summary.headline
            )
        else:
            await aupdate_progress_artifact(self._artifact, progress, description=summary.headline)
