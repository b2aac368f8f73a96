"""Every statement on the state of a batch: running, paused, cancelled.

A pause keeps what is not submitted from being claimed or submitted (`adspark.variants.state`). A
cancellation ends all variants that are open; that of a batch is for good, though a single variant
may be retried.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import UnknownBatchError
from adspark.models import BatchState
from adspark.validation.bounds import LARGEST_ID

_STATE = text("SELECT state FROM variant_batch WHERE id = :batch_id")
_HAS_OPEN = """EXISTS (
    SELECT FROM ad_variant WHERE batch_id = :batch_id AND status IN ('pending', 'processing')
)"""
_IS_OPEN = text(f"SELECT {_HAS_OPEN}")
_CHANGE = text(f"""
    UPDATE variant_batch SET state = :state
    WHERE id = :batch_id AND state = ANY (CAST(:from AS text[])) AND {_HAS_OPEN} RETURNING id
""")  # noqa: S608  (put together from a constant)
_CANCEL = text("""
    UPDATE ad_variant SET status = 'cancelled', completed_at = now()
    WHERE batch_id = :batch_id AND status IN ('pending', 'processing')
    RETURNING id, asked_at IS NOT NULL AND generator IS NOT NULL AS is_submitted, flow_run_id
""")


class Cancelled(BaseModel):
    """What was cancelled with a batch.

    Attributes:
        variants: how many were open.
        submitted: those of them whose generation is to be stopped.
        begun: those of them whose generation or run is to be stopped.
    """

    model_config = ConfigDict(frozen=True)

    variants: int
    submitted: Sequence[int]
    begun: Sequence[int]


async def read_state(session: AsyncSession, *, batch_id: int) -> BatchState:
    """What people want of it. Raises UnknownBatchError where there is no such batch."""
    found = None
    if 0 < batch_id <= LARGEST_ID:
        found = await session.scalar(_STATE, {"batch_id": batch_id})
    if found is None:
        raise UnknownBatchError(
            f"There is no batch {batch_id}.", command="see them with: adspark batch list"
        )
    return BatchState(found)


async def set_paused(session: AsyncSession, *, batch_id: int, is_paused: bool) -> bool:
    """Let nothing more of it be submitted, or let it go on; whether it was not so. Does not commit.

    Args:
        batch_id: of the batch.
        is_paused: False lets it go on.

    Raises:
        UnknownBatchError: there is none, it has ended, or it was cancelled.
    """
    before, after = BatchState.RUNNING, BatchState.PAUSED
    if not is_paused:
        before, after = after, before
    if await _change(session, batch_id, (before,), after):
        return True
    if await read_state(session, batch_id=batch_id) is BatchState.CANCELLED:
        raise UnknownBatchError(
            f"Batch {batch_id} was cancelled; what it lacks is requested by a new one."
        )
    if not await session.scalar(_IS_OPEN, {"batch_id": batch_id}):
        raise UnknownBatchError(f"Batch {batch_id} has ended: none of its variants is open.")
    return False


async def cancel_batch(session: AsyncSession, *, batch_id: int) -> Cancelled:
    """End it, with all its open variants, if any; those completed stay. The caller commits.

    Raises:
        UnknownBatchError: there is none.
    """
    await read_state(session, batch_id=batch_id)
    going_on = (BatchState.RUNNING, BatchState.PAUSED)
    await _change(session, batch_id, going_on, BatchState.CANCELLED)
    rows = (await session.execute(_CANCEL, {"batch_id": batch_id})).all()
    return Cancelled(
        variants=len(rows),
        submitted=[row.id for row in rows if row.is_submitted],
        begun=[row.id for row in rows if row.is_submitted or row.flow_run_id is not None],
    )


async def _change(
    session: AsyncSession, batch_id: int, before: Sequence[BatchState], after: BatchState
) -> bool:
    values = {"batch_id": batch_id, "from": [one.value for one in before], "state": after.value}
    return await session.scalar(_CHANGE, values) is not None
