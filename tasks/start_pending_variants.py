"""The task that starts runs for open variants, also for those that a lost run has left behind."""

from collections import Counter

from prefect.logging import get_run_logger
from pydantic import BaseModel

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.models import VariantStatus
from adspark.settings import get_settings
from adspark.variants.lists import OpenVariant, read_open_variants
from adspark.variants.store import read_variant
from blocks.adspark_database import connect_database
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit
from orchestration.runs.variant_runs import (
    RunState,
    answer_decided,
    cancel_variant,
    expire_reviews,
    read_states,
    start_generation,
)


class PendingVariantsSummary(BaseModel):
    """What was done with the open variants.

    Attributes:
        started: runs that were started now.
        under_way: whose run has not ended.
        waiting: left for later, for so many are enough at once.
        cancelled: whose run somebody had cancelled.
        reviews_answered: whose run had not heard of them.
        reviews_left_open: that nobody answered in time.
    """

    started: int = 0
    under_way: int = 0
    waiting: int = 0
    cancelled: int = 0
    reviews_answered: int = 0
    reviews_left_open: int = 0

    @property
    def headline(self) -> str:
        """What was done, in one line."""
        counts = [f"{count} {name.replace('_', ' ')}" for name, count in self if count]
        return ", ".join(counts) or "nothing to do"


@retried_task()
@time_limit("upkeep_time_limit")
async def start_pending_variants(limit: int) -> PendingVariantsSummary:
    """Start a run for each open variant that has none, oldest first.

    It goes on until `limit` variants of each batch, and `limit` of those of no batch, are under
    way, so that a long batch keeps nobody else's waiting. What was submitted is always started: it
    may be paid, and costs nothing more. An error of one variant stops no other, and is raised after
    the last.
    """
    summary = PendingVariantsSummary()
    errors: list[Exception] = []
    async with connect_database() as database:
        async with database.session() as session:
            opened = await read_open_variants(session)
        states = await read_states([one.flow_run_id for one in opened if one.flow_run_id])
        to_start: list[OpenVariant] = []
        under_way = Counter[int | None]()  # by batch
        for one in opened:
            state = states.get(one.flow_run_id) if one.flow_run_id else None
            if state is not None and state.is_cancelled():
                summary.cancelled += await _cancel(one)
            elif await _is_under_way(database, one, state):
                under_way[one.batch_id] += 1
            else:
                to_start.append(one)
        summary.under_way = under_way.total()
        for one in to_start:
            if under_way[one.batch_id] >= limit and not one.is_submitted:
                continue
            under_way[one.batch_id] += 1
            try:
                summary.started += await _start(database, one.id)
            except Exception as error:
                get_run_logger().exception("Variant %d got no run", one.id)
                errors.append(error)
        summary.waiting = len(to_start) - summary.started
        async with database.session() as session:
            summary.reviews_answered = await answer_decided(session)
            summary.reviews_left_open = await expire_reviews(
                session, older_than=get_settings().review_time_limit
            )
    if errors:
        raise errors[0]
    return summary


async def _is_under_way(database: Database, variant: OpenVariant, state: RunState | None) -> bool:
    """Whether a run works on it or is about to; one that counts as running may be lost."""
    if state is None or state.is_final():
        return False
    if variant.status is VariantStatus.PENDING or not state.is_running():
        return True
    async with database.lock(f"variant:{variant.id}") as is_free:
        return not is_free


async def _start(database: Database, variant_id: int) -> bool:
    async with database.transaction() as session:
        variant = await read_variant(session, variant_id=variant_id)
        started = await start_generation(session, variant)
    return started is not None


async def _cancel(variant: OpenVariant) -> bool:
    try:
        return await cancel_variant(variant.id, of_run=variant.flow_run_id)
    except AdSparkError as error:
        get_run_logger().warning(
            "Variant %d: its generation was not stopped: %s", variant.id, error
        )
        return True
