"""Every statement on reviews that were requested and wait for a person's decision."""

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

WAITS = """
    v.status = 'completed' AND v.wants_review AND NOT EXISTS (
        SELECT FROM variant_feedback f WHERE f.variant_id = v.id AND f.is_approved IS NOT NULL
    )
"""
"""The condition that the review of an `ad_variant v` was requested and is not decided yet."""

_WAITING = text(f"""
    SELECT id FROM ad_variant v
    WHERE {WAITS} AND (CAST(:user_id AS int) IS NULL OR user_id = :user_id) ORDER BY id
""")  # noqa: S608  (put together from a constant)
_COUNT_WAITING = text(f"""
    SELECT count(*) AS number, min(id) AS first
    FROM ad_variant v
    WHERE {WAITS} AND (CAST(:user_id AS int) IS NULL OR user_id = :user_id)
""")  # noqa: S608  (put together from a constant)
_NEXT_WAITING = text(f"""
    SELECT coalesce(
        (SELECT id FROM ad_variant v WHERE {WAITS} AND id > :variant_id ORDER BY id LIMIT 1),
        (SELECT id FROM ad_variant v WHERE {WAITS} AND id < :variant_id ORDER BY id LIMIT 1)
    )
""")  # noqa: S608  (put together from a constant)


class WaitingReviews(BaseModel):
    """How many requested reviews are not decided yet, and the variant of the first."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    number: int
    first: int | None


async def read_waiting(session: AsyncSession, *, user_id: int | None) -> list[int]:
    """Ids of finished variants whose requested review is not decided yet, oldest first."""
    return list(await session.scalars(_WAITING, {"user_id": user_id}))


async def count_waiting(session: AsyncSession, *, user_id: int | None = None) -> WaitingReviews:
    """How many reviews wait of variants that this user, or anybody, has requested."""
    counted = await session.execute(_COUNT_WAITING, {"user_id": user_id})
    return WaitingReviews.model_validate(counted.one())


async def find_next_waiting(session: AsyncSession, *, after: int) -> int | None:
    """The variant whose review is to be done after that of another: the next by number, else from
    the first on; None where no other waits."""
    found: int | None = await session.scalar(_NEXT_WAITING, {"variant_id": after})
    return found
