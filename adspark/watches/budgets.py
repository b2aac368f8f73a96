"""What searching costs: by watch, by day, and what the month will come to. Months are UTC's."""

import json
import math
from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.archive.counts import ArchiveCounts
from adspark.creatives.ledger import CACHED_FOR
from adspark.serpapi.search_query import CreativeQuery
from adspark.watches.definition import CACHED_MINUTES, SWEEP_MINUTES, WatchDefinition

DAYS = 14
"""Days that the table by day goes back."""

_LATELY = "started_at > now() - interval '14 days'"

MONTH = "date_trunc('month', now(), 'UTC')"
"""When this calendar month (UTC) began, in SQL."""

NEXT_MONTH = f"{MONTH} + interval '1 month'"
"""When the next calendar month (UTC) begins, in SQL."""
SPENT = """(
    SELECT watch_id, started_at AS at, searches_billed AS billed, searches_cached AS cached
    FROM "fetch"
    UNION ALL
    SELECT watch_id, asked_at, searches_billed, searches_cached FROM creative_detail
) AS spent"""
"""Every search that was answered, in SQL: pages of fetches, and details of creatives."""

BILLED_THIS_MONTH = f"""
    (SELECT coalesce(sum(billed), 0) FROM {SPENT} WHERE watch_id = w.id AND at >= {MONTH})
"""  # noqa: S608  (put together from constants)
"""The month's billed searches of the watch `w`, in SQL."""

IS_LOOKED_AT = "is_active AND monthly_budget IS DISTINCT FROM 0"
"""Whether sweeps look at a watch, in SQL."""

IS_TOO_FAR = f"""(
    due_at > now() + make_interval(mins => interval_minutes + {SWEEP_MINUTES})
    AND due_at <> {NEXT_MONTH}
)"""
"""Whether a watch is due later than it can be, in SQL, for the clock was ahead when it was checked;
it is due now. One whose budget is spent waits for the next month."""

NEXT_LOOK = f"""
    CASE WHEN {IS_LOOKED_AT} THEN
        CASE WHEN {IS_TOO_FAR} THEN now()
        WHEN monthly_budget IS NOT NULL AND due_at < {NEXT_MONTH}
            AND monthly_budget <= {BILLED_THIS_MONTH} THEN {NEXT_MONTH}
        ELSE due_at END
    END
"""
"""When sweeps look at the watch `w` next, in SQL: once its budget is spent, as the next month
begins; NULL: never, for it is paused or its budget is 0."""
_THIS_MONTH = text(f"""
    SELECT coalesce(sum(billed), 0) AS billed, coalesce(sum(cached), 0) AS cached
    FROM {SPENT} WHERE at >= {MONTH}
""")  # noqa: S608  (put together from constants)


_SEARCHED = [name for name in CreativeQuery.model_fields if name in WatchDefinition.model_fields]


def _search_of(watch: str) -> str:
    """What a row of `watch` looks for, by the row's alias, as a text in SQL: equal for equal ones,
    also where fields are NULL."""
    return f"ROW({', '.join(f'{watch}.{name}' for name in _SEARCHED)})::text"


_QUERY = ", ".join(
    f"'{name}', {f'w.{name}' if name in _SEARCHED else json.dumps(field.default)}"
    for name, field in CreativeQuery.model_fields.items()
)
"""The search of the watch `w`, in SQL, for an object as `query` of its fetches is one."""


def _looks_at(watches: str, which: str = "true") -> str:
    """The checks of the last 14 days by watch, and what they would be billed again, in SQL.

    Only those of the watch's search count. A page from SerpApi's cache costs nothing only where
    another active watch pays for the same search each time, or this one is checked more often than
    the cache forgets; not where somebody has just looked by hand.

    `watches` are rows of the table `watch`, in SQL; `which` is a condition on each such row `w`.
    """
    return f"""
        WITH payers AS (
            SELECT {_search_of("w")} AS search, array_agg(id) AS ids
            FROM watch AS w WHERE is_active GROUP BY 1
        ), present AS MATERIALIZED (
            SELECT w.id, w.interval_minutes, w.details_per_sweep, {_search_of("w")} AS search,
                latest.query_hash
            FROM {watches} AS w
            -- OFFSET: made once, not anew for each fetch.
            CROSS JOIN LATERAL (SELECT jsonb_build_object({_QUERY}) AS query OFFSET 0) AS own
            CROSS JOIN LATERAL (
                SELECT query_hash FROM "fetch"
                WHERE watch_id = w.id AND query = own.query AND {_LATELY}
                ORDER BY started_at DESC LIMIT 1
            ) AS latest
            WHERE {which}
        )
        SELECT w.id AS watch_id, count(*) AS checks, (sum(f.searches_billed + CASE
                WHEN f.searches_cached > 0 AND NOT EXISTS (
                    SELECT FROM "fetch" AS earlier
                    WHERE earlier.query_hash = f.query_hash AND earlier.search_ids && f.search_ids
                        AND earlier.started_at < f.started_at
                        AND earlier.started_at > f.started_at - interval '{CACHED_FOR}'
                        AND CASE WHEN earlier.watch_id = w.id
                            THEN w.interval_minutes < {CACHED_MINUTES}
                            ELSE earlier.watch_id = ANY (payers.ids)
                        END
                ) THEN f.searches_cached ELSE 0 END)
            + least(w.details_per_sweep * count(*), coalesce((
                SELECT sum(d.searches_billed) FROM creative_detail AS d
                WHERE d.watch_id = w.id AND d.asked_at >= min(f.started_at)
            ), 0)))::float8 AS searches
        FROM present AS w LEFT JOIN payers USING (search) JOIN "fetch" AS f ON f.watch_id = w.id
            -- Not =, by which the searches of all watches would be read, not those of this one.
            AND f.query_hash IS NOT DISTINCT FROM w.query_hash
        WHERE f.status = 'completed' AND f.{_LATELY}
        GROUP BY w.id, w.details_per_sweep
    """  # noqa: S608  (put together from constants)


LATELY = _looks_at("watch")
"""The looks of the last 14 days at every watch as it is, by watch, in SQL: see `_looks_at`."""
# What a watch will still ask for: what a check of it costs (one search, if it was never checked)
# for every check that falls into the rest of the month, within its budget. The check that is due
# next is the first of them, and one at the very end of the month is the next month's.
_COSTS = f"""
    WITH mine AS (
        SELECT watch_id, sum(billed) AS billed, sum(cached) AS cached
        FROM {SPENT} WHERE at >= {MONTH} AND {{of_watches}} GROUP BY watch_id
    ), lately AS (
        {_looks_at("watch", "{of_w}")}
    ), ahead AS (
        SELECT w.id AS watch_id, CASE WHEN w.is_active THEN
            coalesce(l.searches / l.checks, 1)
            * ceil(extract(epoch FROM {NEXT_MONTH} - greatest(w.due_at, now()))
                / (60 * greatest(w.interval_minutes, {SWEEP_MINUTES})))
        ELSE 0 END AS searches
        FROM watch w LEFT JOIN lately l ON l.watch_id = w.id
    )
    SELECT w.id AS watch_id, w.name, w.is_active, w.monthly_budget,
        coalesce(m.billed, 0)::int AS billed, coalesce(m.cached, 0)::int AS cached,
        coalesce(m.billed, 0)::int + greatest(0, CASE
            WHEN w.monthly_budget IS NULL THEN a.searches
            ELSE least(a.searches, w.monthly_budget - coalesce(m.billed, 0))
        END)::int AS forecast
    FROM watch w JOIN ahead a ON a.watch_id = w.id LEFT JOIN mine m ON m.watch_id = w.id
    WHERE {{of_w}}
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, billed::int, cached::int, billed::int
    FROM mine WHERE watch_id IS NULL AND billed + cached > 0
    ORDER BY billed DESC, watch_id
"""  # noqa: S608  (put together from constants)
_BY_WATCH = text(_COSTS.format(of_watches="true", of_w="true"))
_OF_WATCHES = text(
    _COSTS.format(
        of_watches="watch_id = ANY (:watch_ids)",
        of_w="w.id = ANY (:watch_ids)",
    )
)
_TO_BE = "jsonb_populate_record(CAST(NULL AS watch), CAST(:watch AS jsonb))"
_SEARCHES_A_CHECK = text(f"SELECT searches / checks FROM ({_looks_at(_TO_BE)}) AS lately")  # noqa: S608  (a constant)
_BY_DAY = text(f"""
    SELECT (at AT TIME ZONE 'UTC')::date AS day, sum(billed)::int AS billed,
        sum(cached)::int AS cached
    FROM {SPENT} WHERE at >= date_trunc('day', now(), 'UTC') - make_interval(days => {DAYS - 1})
    GROUP BY 1 ORDER BY 1
""")  # noqa: S608  (put together from constants)


class WatchCost(BaseModel):
    """A watch's searches this month; without a watch, those by hand.

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


class MonthEstimate(BaseModel):
    """What a month of a watch costs before it is saved, in searches.

    `most` is where every check needs all its pages and details; `lacking` is what the budget does
    not allow of what is expected.
    """

    checks: int
    searches: int
    most: int
    lacking: int


class SearchCount(BaseModel):
    """How many searches were billed, and how many came from SerpApi's cache for nothing."""

    billed: int
    cached: int


class DayCost(SearchCount):
    """The searches of a day."""

    day: date


class BudgetReport(BaseModel):
    """What searching costs; `searches_left` is the account's, None where it is not known.

    `archive` is what archived pictures, which cost no search, take of the disk.
    """

    watches: list[WatchCost]
    days: list[DayCost]
    billed: int
    cached: int
    forecast: int
    searches_left: int | None = None
    searches_per_month: int | None = None
    plan: str | None = None
    archive: ArchiveCounts | None = None

    @property
    def shortage(self) -> int | None:
        """How many searches the forecast lacks; None where the account's are not known."""
        if self.searches_left is None:
            return None
        return max(0, self.forecast - self.billed - self.searches_left)


async def read_watch_costs(session: AsyncSession, *, watch_ids: Sequence[int]) -> list[WatchCost]:
    """What these watches cost this month, and will have at its end."""
    rows = (await session.execute(_OF_WATCHES, {"watch_ids": list(watch_ids)})).mappings()
    return [WatchCost.model_validate(row) for row in rows]


async def read_billed_a_check(
    session: AsyncSession, *, watch_id: int, definition: WatchDefinition
) -> float | None:
    """Searches that a check of the watch would be billed, by its checks of late (`_looks_at`).

    Args:
        watch_id: of the watch.
        definition: of the watch as it is, or is to be.

    Returns:
        None: no check of late was one of this search.
    """
    watch = json.dumps(definition.model_dump(mode="json") | {"id": watch_id})
    found = await session.scalar(_SEARCHES_A_CHECK, {"watch": watch})
    return None if found is None else float(found)


def estimate_month(
    definition: WatchDefinition, *, billed_a_check: float | None = None
) -> MonthEstimate:
    """What a month of 30 days of a watch costs.

    Without `billed_a_check` its search is a new one, whose first check may take all pages, and
    later ones take one each.
    """
    checks = definition.checks_a_month
    first = definition.max_pages - 1 if billed_a_check is None else 0
    a_check = 1.0 if billed_a_check is None else billed_a_check
    most = checks * (definition.max_pages + definition.details_per_sweep)
    budget = most if definition.monthly_budget is None else definition.monthly_budget
    searches = min(most, math.ceil(checks * a_check) + first)
    return MonthEstimate(
        checks=checks,
        searches=min(searches, budget),
        most=min(most, budget),
        lacking=max(0, searches - budget),
    )


async def count_searches(session: AsyncSession) -> SearchCount:
    """The searches of this month, of all watches and of fetches by hand."""
    counted = (await session.execute(_THIS_MONTH)).mappings().one()
    return SearchCount.model_validate(counted)


async def read_budget(session: AsyncSession) -> BudgetReport:
    """What was spent this month and will be; without the account's figures."""
    by_watch = (await session.execute(_BY_WATCH)).mappings()
    by_day = (await session.execute(_BY_DAY)).mappings()
    watches = [WatchCost.model_validate(row) for row in by_watch]
    days = [DayCost.model_validate(row) for row in by_day]
    return BudgetReport(
        watches=watches,
        days=days,
        billed=sum(one.billed for one in watches),
        cached=sum(one.cached for one in watches),
        forecast=sum(one.forecast for one in watches),
    )
