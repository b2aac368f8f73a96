"""What each user may use of searches that are too few, and has used of them this month."""

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import DEFAULT_WEIGHT
from adspark.watches.budgets import IS_LOOKED_AT, IS_TOO_FAR, MONTH, SPENT, BudgetReport

_READ = text(f"""
    WITH mine AS (
        SELECT w.user_id, sum(billed) AS billed
        FROM {SPENT} JOIN watch w ON w.id = spent.watch_id WHERE at >= {MONTH} GROUP BY w.user_id
    ), active AS (
        SELECT user_id, count(*) AS watches,
            count(*) FILTER (WHERE {IS_LOOKED_AT} AND (due_at <= now() OR {IS_TOO_FAR})) AS due
        FROM watch WHERE is_active GROUP BY user_id
    )
    SELECT user_id, u.name, coalesce(weight, {DEFAULT_WEIGHT}) AS weight,
        CASE WHEN a.watches IS NULL THEN 0 ELSE coalesce(weight, {DEFAULT_WEIGHT})::float8 / sum(
            CASE WHEN a.watches IS NULL THEN 0 ELSE coalesce(weight, {DEFAULT_WEIGHT}) END
        ) OVER () END AS share,
        coalesce(a.watches, 0) AS watches, coalesce(a.due, 0) AS due,
        coalesce(m.billed, 0)::int AS billed
    FROM active a FULL JOIN mine m USING (user_id)
        LEFT JOIN search_share USING (user_id) LEFT JOIN app_user u USING (user_id)
    ORDER BY user_id
""")  # noqa: S608  (put together from constants)


class UserShare(BaseModel):
    """A user with active watches, or whose watches were billed searches this month."""

    user_id: int
    name: str | None
    weight: int
    share: float = Field(
        description="Of the searches, where all users have more due watches than there are "
        "searches for: 0 to 1. 0: they have no active watch."
    )
    watches: int = Field(description="Active ones.")
    due: int = Field(description="Of these, now; one with a budget of 0 never is.")
    billed: int = Field(description="Searches of their watches this month.")


class SharedBudget(BudgetReport):
    """What searching costs, and how users share it."""

    users: list[UserShare]


async def read_user_shares(session: AsyncSession) -> list[UserShare]:
    """The users of watches by number, with what each may use and has used."""
    return [UserShare.model_validate(row) for row in (await session.execute(_READ)).mappings()]
