"""How far variants are, in steps that a person who waits wants to know."""

from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_STEP = """
    CASE WHEN status <> 'processing' THEN status
        WHEN generated IS NOT NULL THEN 'saving'
        WHEN asked_at IS NOT NULL THEN 'generating'
        WHEN original_path IS NOT NULL THEN 'submitting'
        ELSE 'rendering' END
"""
_READ = text(f"SELECT {_STEP} FROM ad_variant WHERE id = :variant_id")  # noqa: S608  (a constant)
_COUNT = text(f"""
    SELECT {_STEP} AS step, count(*) FROM ad_variant
    WHERE status IN ('pending', 'processing')
        AND (CAST(:user_id AS int) IS NULL OR user_id = :user_id)
    GROUP BY 1
""")  # noqa: S608  (a constant)


class Step(StrEnum):
    """A status, or what is being done of `processing`."""

    PENDING = "pending"
    RENDERING = "rendering"
    SUBMITTING = "submitting"
    GENERATING = "generating"
    SAVING = "saving"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether another one follows by itself."""
        return self not in (Step.COMPLETED, Step.FAILED, Step.CANCELLED)


OPEN_STEPS = [step for step in Step if step.is_open]


async def read_step(session: AsyncSession, *, variant_id: int) -> Step | None:
    """How far a variant is; None where there is none."""
    found = await session.scalar(_READ, {"variant_id": variant_id})
    return None if found is None else Step(found)


async def count_open_steps(session: AsyncSession, *, user_id: int | None = None) -> dict[Step, int]:
    """How many open variants of one user, or of all, are at each step, in the order of steps."""
    rows = await session.execute(_COUNT, {"user_id": user_id})
    counts = {Step(step): number for step, number in rows.tuples()}
    return {step: counts[step] for step in OPEN_STEPS if step in counts}
