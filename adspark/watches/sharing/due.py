"""Every statement on which watches are due, in the order in which a sweep serves them.

Within a user the most overdue is first. Between users each gets a share of the searches in
proportion to the user's weight, whatever the number of their watches (see `order.py`): the order is
decided here, and a sweep that has fewer searches than due watches spends them from its beginning.
"""

from collections.abc import Sequence
from datetime import datetime
from math import inf
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import DEFAULT_WEIGHT
from adspark.watches.budgets import IS_LOOKED_AT, IS_TOO_FAR
from adspark.watches.sharing.order import CHECKS_A_SHARE, LOOK_AHEAD, count_in_reach

_WAIT = f"""
    CASE WHEN {IS_TOO_FAR} THEN 0 ELSE greatest(0, extract(epoch FROM due_at - now())) END::float8
        AS wait
"""
_IS_DUE = f"""
    {IS_LOOKED_AT} AND (due_at <= now() + interval '{LOOK_AHEAD} minutes' OR {IS_TOO_FAR})
"""
SELECT_DUE = text(f"""
    WITH weighed AS MATERIALIZED (
        SELECT user_id, coalesce(s.weight, {DEFAULT_WEIGHT})::float8 AS weight
        FROM (SELECT DISTINCT user_id FROM watch WHERE is_active) AS w
            LEFT JOIN search_share s USING (user_id)
    ), lately AS MATERIALIZED (
        SELECT watch_id, started_at, searches_billed FROM "fetch"
        WHERE watch_id IS NOT NULL AND searches_billed > 0
            AND started_at > now() - interval '31 days'
        ORDER BY started_at DESC LIMIT (
            SELECT coalesce(ceil({CHECKS_A_SHARE} * sum(weight) / min(weight)), 0)::bigint
            FROM weighed
        )
    ), used AS (
        SELECT user_id, sum(billed)::float8 AS searches, sum(checks)::float8 AS checks
        FROM (
            SELECT watch_id, searches_billed AS billed, 1 AS checks FROM lately
            UNION ALL
            SELECT watch_id, searches_billed, 0 FROM creative_detail
            WHERE asked_at >= (SELECT min(started_at) FROM lately)
        ) AS one JOIN watch w ON w.id = one.watch_id
        GROUP BY user_id
    ), due AS (
        SELECT id, user_id, due_at, {_WAIT},
            row_number() OVER (PARTITION BY user_id ORDER BY due_at, id) AS place
        FROM watch WHERE {_IS_DUE}
    )
    SELECT id, wait
    FROM due JOIN weighed USING (user_id) LEFT JOIN used USING (user_id)
    ORDER BY (coalesce(searches, 0)
        + place * CASE WHEN checks > 0 THEN searches / checks ELSE 1 END) / weight, due_at, id
""")  # noqa: S608  (put together from constants)
_UNCHECKED = text(f"""
    SELECT id, {_WAIT}
    FROM unnest(CAST(:watch_ids AS int[])) WITH ORDINALITY AS given (id, place)
        JOIN watch USING (id)
    WHERE {_IS_DUE} AND (checked_at IS NULL OR checked_at < :since OR checked_at > now())
    ORDER BY place
""")  # noqa: S608  (put together from constants)


class DueWatch(NamedTuple):
    """A watch that is due, or will be in `wait` seconds."""

    watch_id: int
    wait: float = 0.0


async def read_due(session: AsyncSession, *, per_minute: float = inf) -> list[DueWatch]:
    """The watches that are due, in the order in which they are to be checked.

    What falls due while others are checked, so many a minute, is among them.
    """
    due = [DueWatch(row.id, row.wait) for row in await session.execute(SELECT_DUE)]
    waits = sorted(one.wait for one in due)
    reached = count_in_reach((one / 60 for one in waits), per_minute)
    return [one for one in due if reached and one.wait <= waits[reached - 1]]


async def read_unchecked(
    session: AsyncSession, *, watch_ids: Sequence[int], since: datetime
) -> list[DueWatch]:
    """Those of the watches that are still due and were not tried since then, in the same order.

    Args:
        watch_ids: in the order of need.
        since: when the sweep began.
    """
    values = {"watch_ids": list(watch_ids), "since": since}
    return [DueWatch(row.id, row.wait) for row in await session.execute(_UNCHECKED, values)]
