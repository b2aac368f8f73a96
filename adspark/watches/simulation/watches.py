"""What a month is simulated of: groups of alike watches, given or stored, and the limits."""

from collections.abc import Sequence

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import DEFAULT_WEIGHT
from adspark.watches.budgets import LATELY, NEXT_LOOK

# What a check costs is rounded so that alike watches are one group; one search where none was made.
_READ = text(f"""
    WITH lately AS (
        {LATELY}
    ), one AS (
        SELECT w.*,
            coalesce(round(l.searches::numeric / l.checks, 1), 1)::float8 AS searches_a_check,
            greatest(0, extract(epoch FROM {NEXT_LOOK} - now()) / 60)::int AS due
        FROM watch w LEFT JOIN lately l ON l.watch_id = w.id
        WHERE is_active
    )
    SELECT user_id, coalesce(weight, {DEFAULT_WEIGHT}) AS weight, u.name AS user, interval_minutes,
        searches_a_check, monthly_budget, count(*) AS watches, array_agg(due ORDER BY due) AS due
    FROM one LEFT JOIN search_share USING (user_id) LEFT JOIN app_user u USING (user_id)
    GROUP BY user_id, weight, u.name, interval_minutes, searches_a_check, monthly_budget
    ORDER BY user_id, interval_minutes, searches_a_check, monthly_budget
""")  # noqa: S608  (put together from constants)


class WatchGroup(BaseModel):
    """Watches of a user that differ in nothing that counts here."""

    user_id: int
    user: str | None = None
    weight: int = DEFAULT_WEIGHT
    watches: int
    interval_minutes: int
    searches_a_check: float = 1.0
    monthly_budget: int | None = Field(default=None, description="Searches a watch.")
    due: list[int] | None = Field(
        default=None,
        exclude=True,
        description="In how many minutes each is due first; None: spread over the interval.",
    )

    @property
    def first_due(self) -> Sequence[int]:
        """In how many minutes each watch is due for the first time, in ascending order."""
        if self.due is not None:
            return self.due
        return [n * self.interval_minutes // self.watches for n in range(self.watches)]


class SearchLimits(BaseModel):
    """What bounds the searches of sweeps; None is no bound."""

    searches_per_minute: int | None = None
    searches_per_hour: int | None = None
    searches_per_month: int | None = None
    sweep_minutes: float = Field(default=9.0, description="In which a sweep begins searches.")


async def read_groups(session: AsyncSession) -> list[WatchGroup]:
    """The active watches as they are stored, in groups."""
    return [WatchGroup.model_validate(row) for row in (await session.execute(_READ)).mappings()]
