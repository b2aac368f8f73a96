"""The task that sweeps over watches."""

import time
from uuid import UUID

from prefect import task
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from adspark.errors import describe_error
from adspark.settings import get_settings
from adspark.watches.admission import SweepGate
from adspark.watches.check import Checker, WatchSummary
from adspark.watches.events import EventCounts
from adspark.watches.sharing.due import DueWatch
from adspark.watches.sweep import Sweep
from adspark.watches.sweep_store import SweepSummary
from blocks.adspark_database import connect_database
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.rate_limits import search_slots
from orchestration.limits.spending_events import announce_spent_budget
from orchestration.runs.flow_runs import own_run_id

PROGRESS_KEY = "sweep-progress"
_REPORT_EVERY = 2.0  # seconds between two updates of the progress


@task(cache_policy=NO_CACHE)
async def check_watches(
    due: list[DueWatch], searches: int | None, shortage: str, seconds: float
) -> SweepSummary:
    """Check the watches, many at once; what fails for the moment is retried meanwhile.

    Args:
        due: in the order in which they are to be checked.
        searches: that may be made, None for any number; `shortage` says why no more.
        seconds: after which no search is begun.
    """
    credentials = await SerpApiCredentials.load_configured()
    async with (
        connect_database() as database,
        credentials.get_client() as client,
        database.locks() as locks,
    ):
        gate = SweepGate(
            await search_slots(database), searches=searches, shortage=shortage, seconds=seconds
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
        await report.show(summary, at_once=True)
        return summary


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
