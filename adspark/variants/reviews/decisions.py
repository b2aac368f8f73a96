"""Every statement on what people have decided of completed variants: the latest word counts."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Integer, TextClause, column, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import TextualSelect

from adspark.variants.reviews.waiting import WAITS

IS_APPROVED = """(
    SELECT f.is_approved FROM variant_feedback f
    WHERE f.variant_id = v.id AND f.decided_at IS NOT NULL
    ORDER BY f.decided_at DESC, f.id DESC LIMIT 1
)"""
"""Whether an `ad_variant v` was approved by whoever decided last; NULL: nobody has decided."""

_READ: TextClause = text(f"""
    SELECT v.id, {IS_APPROVED} AS is_approved, {WAITS} AS is_waiting
    FROM ad_variant v WHERE v.id = ANY (CAST(:ids AS int[])) AND v.status = 'completed'
""")  # noqa: S608  (put together from constants)


class Decision(StrEnum):
    """What became of a completed variant; one that nobody has to decide has none."""

    APPROVED = "approved"
    REJECTED = "rejected"
    WAITING = "waiting"


def ids_of(decision: Decision) -> TextualSelect:
    """The statement that selects the ids of variants with this decision."""
    conditions = {
        Decision.APPROVED: f"v.status = 'completed' AND {IS_APPROVED}",
        Decision.REJECTED: f"v.status = 'completed' AND NOT {IS_APPROVED}",
        Decision.WAITING: WAITS,
    }
    statement = text(f"SELECT v.id FROM ad_variant v WHERE {conditions[decision]}")  # noqa: S608  (put together from constants)
    return statement.columns(column("id", Integer))


async def read_decisions(session: AsyncSession, *, ids: Sequence[int]) -> dict[int, Decision]:
    """The decisions of these variants, by id; those that have none are left out."""
    found = {}
    for one, is_approved, is_waiting in await session.execute(_READ, {"ids": list(ids)}):
        if is_approved is not None:
            found[one] = Decision.APPROVED if is_approved else Decision.REJECTED
        elif is_waiting:
            found[one] = Decision.WAITING
    return found
