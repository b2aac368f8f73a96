"""Watches a page at a time: found by name, each with what it finds, costs and will cost."""

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.watches.budgets import WatchCost, read_billed_a_check, read_watch_costs
from adspark.watches.reports.looks import WatchLooks
from adspark.watches.stored import WatchRow, WatchState, list_watches

_FITS = """(CAST(:name AS text) IS NULL OR strpos(lower(name), lower(:name)) > 0)
    AND (CAST(:is_active AS bool) IS NULL OR is_active = :is_active)"""
_IDS = text(f"""
    SELECT id FROM watch WHERE {_FITS} ORDER BY lower(name), id LIMIT :limit OFFSET :offset
""")  # noqa: S608  (put together from a constant)
_COUNT = text(f"""
    SELECT count(*) FILTER (WHERE {_FITS}) AS total, count(*) AS stored FROM watch
""")  # noqa: S608  (put together from a constant)
_PROGRESS = text("""
    SELECT status, stop_reason, pages, searches_billed, searches_cached,
        new_count + changed_count + unchanged_count AS ads, error
    FROM "fetch" WHERE flow_run_id = :run_id AND watch_id = :watch_id
    ORDER BY started_at DESC LIMIT 1
""")


class WatchLine(BaseModel):
    """A watch in a list, with its month's cost and how its looks went."""

    row: WatchRow
    cost: WatchCost
    looks: WatchLooks


class WatchPage(BaseModel):
    """A page of watches; `total` are those of all pages, `stored` all that there are."""

    lines: list[WatchLine]
    total: int
    stored: int


class LookCost(BaseModel):
    """What one more look at a watch costs, in searches.

    `usual` is the mean of its looks of late; None where none is known, or where it says nothing: it
    is no less than `most`, or does not have the details that a look buys.
    """

    most: int
    usual: float | None


class FetchProgress(BaseModel):
    """How far the fetch of a run has come."""

    status: str
    stop_reason: str | None
    pages: int
    searches_billed: int
    searches_cached: int
    ads: int
    error: str | None


async def read_watch_page(
    session: AsyncSession,
    *,
    name: str | None = None,
    state: WatchState | None = None,
    limit: int,
    offset: int = 0,
) -> WatchPage:
    """Watches of all users, by name.

    Args:
        name: a part of their names; None: any.
        state: only such; None: any.
        limit: watches of a page.
        offset: watches before it.
    """
    is_active = None if state is None else state is WatchState.ACTIVE
    values = {"name": name or None, "is_active": is_active}
    counts = (await session.execute(_COUNT, values)).one()
    found = await session.scalars(_IDS, values | {"limit": limit, "offset": offset})
    lines = await _read_lines(session, list(found))
    return WatchPage(lines=lines, total=counts.total, stored=counts.stored)


async def read_watch_line(session: AsyncSession, *, watch_id: int) -> WatchLine | None:
    """One watch; None where there is no such."""
    lines = await _read_lines(session, [watch_id])
    return lines[0] if lines else None


async def read_look_cost(session: AsyncSession, *, line: WatchLine) -> LookCost:
    """What one more look at a watch costs: its pages and details, within its budget."""
    definition, left = line.row.definition, line.cost.left
    most = definition.max_pages + definition.details_per_sweep
    most = most if left is None else min(most, left)
    usual = await read_billed_a_check(session, watch_id=line.row.id, definition=definition)
    if usual is None or definition.details_per_sweep or round(usual, 1) >= most:
        return LookCost(most=most, usual=None)
    return LookCost(most=most, usual=round(usual, 1))


async def read_fetch_progress(
    session: AsyncSession, *, watch_id: int, run_id: str
) -> FetchProgress | None:
    """How far a run's fetch of a watch has come; None where it has not begun.

    Args:
        watch_id: of the watch.
        run_id: of the flow run.
    """
    values = {"watch_id": watch_id, "run_id": run_id}
    found = (await session.execute(_PROGRESS, values)).mappings().first()
    return None if found is None else FetchProgress.model_validate(found)


async def _read_lines(session: AsyncSession, ids: list[int]) -> list[WatchLine]:
    """The watches, in the order of their ids given."""
    rows = {one.id: one for one in await list_watches(session, watch_ids=ids)}
    costs = {one.watch_id: one for one in await read_watch_costs(session, watch_ids=ids)}
    return [
        WatchLine(row=rows[one], cost=costs[one], looks=_looks_of(rows[one]))
        for one in ids
        if one in rows and one in costs
    ]


def _looks_of(row: WatchRow) -> WatchLooks:
    fields = row.model_dump(include=set(WatchLooks.model_fields))
    return WatchLooks.model_validate(fields | {"is_active": row.state is WatchState.ACTIVE})
