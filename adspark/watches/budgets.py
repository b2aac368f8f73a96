"""What searching costs: by watch, by day, and what the month will come to. Months are UTC's."""

from datetime import date

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

DAYS = 14
"""Days that the table by day goes back."""

_SWEEP_MINUTES = 30  # between two sweeps as shipped: no watch is checked more often

# Every search that was answered: pages of fetches, and details of creatives.
_SPENT = """
    SELECT watch_id, started_at AS at, searches_billed AS billed, searches_cached AS cached
    FROM "fetch" WHERE started_at >= (SELECT least(start, now() - interval '1 month') FROM month)
    UNION ALL
    SELECT watch_id, asked_at, searches_billed, searches_cached
    FROM creative_detail
    WHERE asked_at >= (SELECT least(start, now() - interval '1 month') FROM month)
"""
_MONTH = """
    SELECT date_trunc('month', now(), 'UTC') AS start,
        date_trunc('month', now(), 'UTC') + interval '1 month' AS ending
"""
# What a watch will still ask for: what a check of it was billed lately (one search, if it was
# never checked) for every check that falls into the rest of the month, within its budget.
_BY_WATCH = text(f"""
    WITH month AS ({_MONTH}), spent AS ({_SPENT}), mine AS (
        SELECT watch_id,
            coalesce(sum(billed) FILTER (WHERE at >= month.start), 0) AS billed,
            coalesce(sum(cached) FILTER (WHERE at >= month.start), 0) AS cached
        FROM spent, month GROUP BY watch_id
    ), lately AS (
        SELECT watch_id, sum(searches_billed)::float8 / count(*) AS billed_a_check
        FROM "fetch" WHERE status = 'completed' AND started_at > now() - interval '14 days'
        GROUP BY watch_id
    ), ahead AS (
        SELECT w.id, CASE WHEN w.is_active THEN
            coalesce(l.billed_a_check, 1)
            * extract(epoch FROM month.ending - greatest(w.due_at, now())) / 60
            / greatest(w.interval_minutes, {_SWEEP_MINUTES})
        ELSE 0 END AS searches
        FROM watch w CROSS JOIN month LEFT JOIN lately l ON l.watch_id = w.id
    )
    SELECT w.id AS watch_id, w.name, w.is_active, w.monthly_budget,
        coalesce(m.billed, 0)::int AS billed, coalesce(m.cached, 0)::int AS cached,
        coalesce(m.billed, 0)::int + greatest(0, CASE
            WHEN w.monthly_budget IS NULL THEN a.searches
            ELSE least(a.searches, w.monthly_budget - coalesce(m.billed, 0))
        END)::int AS forecast
    FROM watch w JOIN ahead a USING (id) LEFT JOIN mine m ON m.watch_id = w.id
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, billed::int, cached::int, billed::int
    FROM mine WHERE watch_id IS NULL AND billed + cached > 0
    ORDER BY billed DESC, watch_id
""")  # noqa: S608  (put together from constants)
_BY_DAY = text(f"""
    WITH month AS ({_MONTH}), spent AS ({_SPENT})
    SELECT (at AT TIME ZONE 'UTC')::date AS day, sum(billed)::int AS billed,
        sum(cached)::int AS cached
    FROM spent WHERE at >= date_trunc('day', now(), 'UTC') - make_interval(days => {DAYS - 1})
    GROUP BY 1 ORDER BY 1
""")  # noqa: S608  (put together from constants)


class WatchCost(BaseModel):
    """A watch's searches this month; without a watch, those of fetches by hand.

    `forecast` is for the whole month, what was spent included.
    """

    watch_id: int | None
    name: str | None
    is_active: bool | None
    monthly_budget: int | None
    billed: int
    cached: int
    forecast: int

    @property
    def left(self) -> int | None:
        """Of the watch's budget; None where it has none."""
        return None if self.monthly_budget is None else max(0, self.monthly_budget - self.billed)


class DayCost(BaseModel):
    """The searches of a day."""

    day: date
    billed: int
    cached: int


class BudgetReport(BaseModel):
    """What searching costs; `searches_left` is the account's, None where it was not asked."""

    watches: list[WatchCost]
    days: list[DayCost]
    billed: int
    cached: int
    forecast: int
    searches_left: int | None = None
    searches_per_month: int | None = None
    plan: str | None = None

    @property
    def shortage(self) -> int | None:
        """How many searches the forecast lacks; None where the account was not asked."""
        if self.searches_left is None:
            return None
        return max(0, self.forecast - self.billed - self.searches_left)


async def read_budget(session: AsyncSession) -> BudgetReport:
    """What was spent this month and will be; without the account's part."""
    watches = [
        WatchCost.model_validate(dict(row)) for row in (await session.execute(_BY_WATCH)).mappings()
    ]
    days = [
        DayCost.model_validate(dict(row)) for row in (await session.execute(_BY_DAY)).mappings()
    ]
    return BudgetReport(
        watches=watches,
        days=days,
        billed=sum(one.billed for one in watches),
        cached=sum(one.cached for one in watches),
        forecast=sum(one.forecast for one in watches),
    )
