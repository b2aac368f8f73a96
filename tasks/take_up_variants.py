"""The task that gives open variants to workers, and clears up after runs that are no more."""

from prefect.logging import get_run_logger
from pydantic import BaseModel

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.models import VariantStatus
from adspark.settings import get_settings
from adspark.variants.lists import OpenVariant, read_open
from adspark.variants.store import read_variant
from blocks.adspark_database import AdSparkDatabase
from orchestration.cancel_variant import cancel_variant
from orchestration.retry_policy import retried_task
from orchestration.time_limits import time_limit
from orchestration.variant_runs import RunState, end_old_reviews, read_states, start_generation


class TakeUpSummary(BaseModel):
    """What was done with the open variants.

    Attributes:
        started: given to a worker now.
        under_way: given to one before, which has not ended.
        waiting: left for later, for so many are enough at once.
        cancelled: whose run somebody had cancelled.
        reviews_left_open: that nobody answered in time.
    """

    started: int = 0
    under_way: int = 0
    waiting: int = 0
    cancelled: int = 0
    reviews_left_open: int = 0

    @property
    def headline(self) -> str:
        """What was done, in one line."""
        told = {name.replace("_", " "): count for name, count in self if count}
        return ", ".join(f"{count} {name}" for name, count in told.items()) or "nothing to do"


@retried_task()
@time_limit("upkeep_time_limit")
async def take_up_variants(limit: int) -> TakeUpSummary:
    """Start runs for what is pending or was left behind, oldest first.

    An error of one variant stops no other, and is raised when all are served.

    Args:
        limit: how many may be under way at most, those that are already included.
    """
    summary = TakeUpSummary()
    errors: list[Exception] = []
    async with (await AdSparkDatabase.load_configured()).connect() as database:
        async with database.session() as session:
            opened = await read_open(session)
        states = await read_states([one.flow_run_id for one in opened if one.flow_run_id])
        to_start: list[int] = []
        for one in opened:
            state = states.get(one.flow_run_id) if one.flow_run_id else None
            if state is not None and state.is_cancelled():
                summary.cancelled += await _cancel(one)
            elif await _is_under_way(database, one, state):
                summary.under_way += 1
            else:
                to_start.append(one.id)
        room = max(0, limit - summary.under_way)
        for variant_id in to_start[:room]:
            try:
                summary.started += await _start(database, variant_id)
            except Exception as error:
                get_run_logger().exception("Variant %d was not given to a worker", variant_id)
                errors.append(error)
        summary.waiting = len(to_start) - summary.started
        async with database.session() as session:
            summary.reviews_left_open = await end_old_reviews(
                session, older_than=get_settings().review_time_limit
            )
    if errors:
        raise errors[0]
    return summary


async def _is_under_way(database: Database, variant: OpenVariant, state: RunState | None) -> bool:
    """Whether somebody works on it or is about to; a run that "runs" may be gone all the same."""
    if state is None or state.is_final():
        return False
    if variant.status is VariantStatus.PENDING or not state.is_running():
        return True
    async with database.lock(f"variant:{variant.id}") as nobody_does:
        return not nobody_does


async def _start(database: Database, variant_id: int) -> bool:
    async with database.session() as session:
        variant = await read_variant(session, variant_id=variant_id)
        started = await start_generation(session, variant)
        await session.commit()
    return started is not None


async def _cancel(variant: OpenVariant) -> bool:
    try:
        return await cancel_variant(variant.id)
    except AdSparkError as error:
        get_run_logger().warning("Variant %d: its generation goes on: %s", variant.id, error)
        return True
