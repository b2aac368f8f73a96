"""Lists of batches, how far each is, and its variants: those that wait, and all by their rank."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, computed_field
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import UnknownBatchError
from adspark.models import AdVariant, BatchState
from adspark.text.counts import counted
from adspark.variants.batches.ranking import ORDER
from adspark.variants.batches.store import read_state
from adspark.variants.store import VariantSummary, summary_of

_READ = """
    SELECT b.id, b.user_id, b.state, b.already_there, b.created_at,
        count(v.id) AS variants,
        count(*) FILTER (WHERE v.status = 'pending') AS pending,
        count(*) FILTER (WHERE v.status = 'processing') AS processing,
        count(*) FILTER (WHERE v.status IN ('pending', 'processing') AND v.asked_at IS NOT NULL)
            AS submitted,
        count(*) FILTER (WHERE v.status = 'completed') AS completed,
        count(*) FILTER (WHERE v.status = 'failed') AS failed,
        count(*) FILTER (WHERE v.status = 'cancelled') AS cancelled,
        count(DISTINCT v.original_ad_id) AS ads, count(DISTINCT v.prompt) AS prompts,
        (array_agg(left(v.prompt, 200) ORDER BY v.id))[1] AS prompt
    FROM variant_batch b LEFT JOIN ad_variant v ON v.batch_id = b.id
"""
_LIST = text(f"""
    {_READ} WHERE (CAST(:user_id AS int) IS NULL OR b.user_id = :user_id)
        AND (CAST(:before AS int) IS NULL OR b.id < :before)
    GROUP BY b.id ORDER BY b.id DESC LIMIT :limit
""")
_ONE = text(f"{_READ} WHERE b.id = :batch_id GROUP BY b.id")
_COUNT = text("""
    SELECT CASE WHEN b.state = 'cancelled' OR EXISTS (
            SELECT FROM ad_variant v
            WHERE v.batch_id = b.id AND v.status IN ('pending', 'processing')
        ) THEN b.state ELSE 'ended' END AS status, count(*) AS batches
    FROM variant_batch b GROUP BY 1
""")
_WAITING = text("""
    SELECT id, flow_run_id FROM ad_variant
    WHERE batch_id = :batch_id AND status = 'pending' ORDER BY id LIMIT :limit
""")
_NEXT = text("""
    SELECT v.id FROM ad_variant o JOIN variant_batch b ON b.id = o.batch_id
        JOIN ad_variant v ON v.batch_id = b.id
    WHERE o.id = :variant_id AND o.asked_at IS NULL AND b.state = 'running'
        AND v.status = 'pending' AND v.flow_run_id IS NULL
    ORDER BY v.id LIMIT 1
""")
_RANKED = select(AdVariant).from_statement(
    text(f"""
        SELECT v.* FROM ad_variant v WHERE v.batch_id = :batch_id
        ORDER BY {ORDER} LIMIT :limit OFFSET :after
    """)  # noqa: S608  (a constant)
)


class BatchStatus(StrEnum):
    """How far a batch is, in one word."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    ENDED = "ended"


class BatchSummary(BaseModel):
    """A batch and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    user_id: int
    state: Annotated[
        BatchState,
        Field(
            description="What people want of it, also after its end: `running` is one that nobody"
            " has paused or cancelled. How far it is says `status`."
        ),
    ]
    created_at: datetime
    ads: int
    prompts: int
    prompt: Annotated[str | None, Field(description="The beginning of its first prompt.")]
    already_there: Annotated[int, Field(description="Variants that were not requested again.")]
    variants: int
    pending: int
    processing: int
    submitted: Annotated[int, Field(description="Of the open ones: those that may be paid.")]
    completed: int
    failed: int
    cancelled: int

    @property
    def open(self) -> int:
        """Variants that have not ended."""
        return self.pending + self.processing

    @computed_field(description="`ended`: all its variants have.")  # type: ignore[prop-decorator]
    @property
    def status(self) -> BatchStatus:
        """One whose variants have all ended has ended, unless it was cancelled."""
        if self.state is BatchState.CANCELLED or self.open:
            return BatchStatus(self.state.value)
        return BatchStatus.ENDED

    @property
    def headline(self) -> str:
        """How far it is, in one line."""
        parts = [f"{self.completed} of {counted(self.variants, 'variant')} completed"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.cancelled} cancelled"] if self.cancelled else []
        parts += [f"{self.open} open"] if self.open else []
        return f"batch {self.id} {self.status.value}: {', '.join(parts)}"


class WaitingVariant(BaseModel):
    """A pending variant, and the flow run that it was last given to."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    flow_run_id: UUID | None


async def list_batches(
    session: AsyncSession, *, user_id: int | None = None, before: int | None = None, limit: int
) -> list[BatchSummary]:
    """The newest batches.

    Args:
        user_id: whose; None for anybody's.
        before: only those with a smaller number, as on the next page of a list.
        limit: how many at most.
    """
    values = {"user_id": user_id, "before": before, "limit": limit}
    return [BatchSummary.model_validate(row) for row in await session.execute(_LIST, values)]


async def count_batches(session: AsyncSession) -> dict[BatchStatus, int]:
    """How many there are in each status that any has."""
    rows = await session.execute(_COUNT)
    return {BatchStatus(status): number for status, number in rows.tuples()}


async def read_batch(session: AsyncSession, *, batch_id: int) -> BatchSummary:
    """A batch and how far it is. Raises UnknownBatchError where there is none."""
    await read_state(session, batch_id=batch_id)
    row = (await session.execute(_ONE, {"batch_id": batch_id})).one_or_none()
    if row is None:
        raise UnknownBatchError(f"Batch {batch_id} was removed meanwhile.")
    return BatchSummary.model_validate(row)


async def list_waiting(session: AsyncSession, *, batch_id: int, limit: int) -> list[WaitingVariant]:
    """The first pending variants of a batch, in their order.

    Args:
        batch_id: of the batch.
        limit: how many at most.
    """
    rows = await session.execute(_WAITING, {"batch_id": batch_id, "limit": limit})
    return [WaitingVariant.model_validate(row) for row in rows]


async def find_next(session: AsyncSession, *, variant_id: int) -> int | None:
    """The variant of the same running batch that has no run yet; None where there is none, or the
    variant was submitted before: then an earlier run of it has started the next."""
    found: int | None = await session.scalar(_NEXT, {"variant_id": variant_id})
    return found


async def list_ranked(
    session: AsyncSession, *, batch_id: int, after: int = 0, limit: int
) -> list[VariantSummary]:
    """The variants of a batch, the best first (`adspark.variants.batches.ranking`).

    Args:
        batch_id: which.
        after: how many of the first are left out, as on the next page.
        limit: how many at most.
    """
    values = {"batch_id": batch_id, "after": after, "limit": limit}
    found = await session.scalars(_RANKED, values)
    return [summary_of(variant) for variant in found]
