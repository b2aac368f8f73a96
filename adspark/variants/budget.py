"""Every statement on users' budgets of generations: so many in a calendar month, by UTC.

Used is what was submitted this month, each attempt once, also of variants that are gone; reserved
is what is requested and not submitted yet. Whoever requests locks the user first, so that both
together never exceed the budget, whoever else requests at the same time. A budget that is lowered
concerns later requests: what was requested before is carried out.
"""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.models import AdVariant
from adspark.text.counts import counted
from adspark.validation.bounds import ID, MONTHLY_BUDGET

_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('variants of ' || CAST(:user_id AS text), 3))"
)
_SPENT = """
    (SELECT count(*) FROM generation_use u
        WHERE u.user_id = b.user_id AND used_at >= date_trunc('month', now(), 'UTC')) AS used,
    (SELECT count(*) FROM ad_variant v
        WHERE v.user_id = b.user_id AND status IN ('pending', 'processing') AND asked_at IS NULL
    ) AS reserved,
    CAST(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month' AS date) AS renews_on
"""
_READ = text(f"""
    SELECT b.user_id, g.monthly, {_SPENT}
    FROM (VALUES (CAST(:user_id AS int))) AS b (user_id)
        LEFT JOIN generation_budget g ON g.user_id = b.user_id
""")  # noqa: S608  (put together from a constant)
_READ_ALL = text(f"""
    SELECT b.user_id, b.monthly, {_SPENT} FROM generation_budget b ORDER BY b.user_id
""")  # noqa: S608  (put together from a constant)
_COUNT_USED = text("""
    SELECT count(*) FROM generation_use WHERE used_at >= date_trunc('month', now(), 'UTC')
""")
_SET = text("""
    INSERT INTO generation_budget (user_id, monthly) VALUES (:user_id, :monthly)
    ON CONFLICT (user_id) DO UPDATE SET monthly = excluded.monthly
""")
_REMOVE = text("DELETE FROM generation_budget WHERE user_id = :user_id")
_USE = text("""
    INSERT INTO generation_use (variant_id, attempt, user_id, used_at)
    VALUES (:variant_id, :attempt, :user_id, clock_timestamp()) ON CONFLICT DO NOTHING
""")
_GIVE_BACK = text(
    "DELETE FROM generation_use WHERE variant_id = :variant_id AND attempt = :attempt"
)


class BudgetOfUser(BaseModel):
    """A user's generations in the present month."""

    user_id: int
    monthly: Annotated[int | None, Field(description="At most; None: without a bound.")]
    used: Annotated[int, Field(description="That were submitted this month.")]
    reserved: Annotated[int, Field(description="That are requested and not submitted yet.")]
    renews_on: Annotated[date, Field(description="The first day of the next month, by UTC.")]

    @property
    def left(self) -> int | None:
        """How many more may be requested; None: without a bound."""
        return None if self.monthly is None else max(0, self.monthly - self.used - self.reserved)

    def check(self, more: int) -> None:
        """Refuse so many more generations than are left. Raises InvalidQueryError."""
        if self.left is None or more <= self.left:
            return
        raise InvalidQueryError(
            "user_id",
            f"user {self.user_id} has a budget of {counted(self.monthly or 0, 'generation')} a "
            f"month ({self.used} used, {self.reserved} requested, {self.left} left), "
            f"and this takes {more}. It renews on {self.renews_on} (UTC). Request fewer, or have "
            f"it raised",
            command=f"with: adspark users budget {self.user_id} NUMBER",
        )


async def read_budget(session: AsyncSession, *, user_id: int) -> BudgetOfUser:
    """What a user may have, has used and has requested."""
    row = (await session.execute(_READ, {"user_id": user_id})).mappings().one()
    return BudgetOfUser.model_validate(row)


async def read_budgets(session: AsyncSession) -> list[BudgetOfUser]:
    """The same of all users who have a budget, by their numbers."""
    rows = (await session.execute(_READ_ALL)).mappings()
    return [BudgetOfUser.model_validate(row) for row in rows]


async def count_generations(session: AsyncSession) -> int:
    """How many were submitted since the month (UTC) began, by all users."""
    return int(await session.scalar(_COUNT_USED) or 0)


async def lock_requests(session: AsyncSession, *, user_id: int) -> None:
    """Let nobody else request variants for this user until the transaction ends."""
    await session.execute(_LOCK, {"user_id": user_id})


async def set_budget(session: AsyncSession, *, user_id: int, monthly: int | None) -> None:
    """Set how many generations a user may have in a month. Does not commit.

    Args:
        user_id: whose, with a name or without.
        monthly: 0 or more; None takes the bound away.

    Raises:
        InvalidQueryError: a number is out of bounds.
    """
    ID.check("user", user_id)
    MONTHLY_BUDGET.check("generations", monthly)
    await lock_requests(session, user_id=user_id)
    values: dict[str, int | None] = {"user_id": user_id}
    if monthly is None:
        await session.execute(_REMOVE, values)
    else:
        await session.execute(_SET, values | {"monthly": monthly})


async def note_use(session: AsyncSession, variant: AdVariant) -> None:
    """The attempt of this variant is submitted; counted once. Does not commit."""
    values = {"variant_id": variant.id, "attempt": variant.attempt, "user_id": variant.user_id}
    await session.execute(_USE, values)


async def give_back(session: AsyncSession, variant: AdVariant) -> None:
    """The attempt was refused: nothing began, and nothing is to be paid. Does not commit."""
    await session.execute(_GIVE_BACK, {"variant_id": variant.id, "attempt": variant.attempt})
