"""Every statement on the fetch ledger: what was searched, how far it came and what it cost."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import JsonValue, TypeAdapter
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.creatives import SavedCreatives
from adspark.models import Fetch, FetchStatus, RejectedRow, StopReason
from adspark.queries import CreativeQuery
from adspark.serpapi_payloads import Search, SearchPage

# SerpApi answers an identical search from its cache for an hour: within it, a page whose answer
# was lost costs nothing to ask for again, and its tokens are known to be good.
RESUMABLE_FOR = timedelta(minutes=55)
# Server clocks have whole seconds; an answer this much older than its fetch was somebody else's.
_CLOCK_GRAIN = 2.0

# How many of a page's searches this fetch pays for: those that SerpApi did not answer from its
# cache, and those it did where the answer is younger than this fetch and not in the ledger: its
# first delivery was lost with the run that asked.
_SEARCHES = "json_to_recordset(CAST(:searches AS json)) AS s (id text, age float8)"
_BILLED = f"""
    SELECT count(DISTINCT s.id) FROM {_SEARCHES}
    WHERE s.age <= extract(epoch FROM now() - CAST(:started_at AS timestamptz)) + {_CLOCK_GRAIN}
        AND NOT EXISTS (
            SELECT FROM "fetch" AS f
            WHERE f.query_hash = :query_hash AND s.id = ANY (f.search_ids)
                AND f.started_at > now() - interval '{2 * RESUMABLE_FOR.total_seconds()} seconds'
        )
"""  # noqa: S608  (put together from constants)
_ASKED = TypeAdapter(list[Search])
_COUNT_BILLED = text(_BILLED)
_RECORD_PAGE = text(
    f"""
    WITH searches AS (
        SELECT ({_BILLED}) AS billed, ARRAY(SELECT s.id FROM {_SEARCHES}) AS ids
    )
    UPDATE "fetch" SET
        pages = pages + 1,
        searches_billed = searches_billed + searches.billed,
        searches_cached = searches_cached + cardinality(searches.ids) - searches.billed,
        search_ids = search_ids || searches.ids,
        next_page_token = :next_page_token,
        new_count = new_count + :new,
        changed_count = changed_count + :changed,
        unchanged_count = unchanged_count + :unchanged,
        rejected_count = rejected_count + :rejected,
        updated_at = now()
    FROM searches WHERE id = :id
    RETURNING pages, searches_billed, searches_cached, next_page_token,
              new_count, changed_count, unchanged_count, rejected_count
    """  # noqa: S608  (put together from the constant above)
)
# The unfinished fetch to go on with, if it is fresh, has something to show (or is this run's own)
# and no later one was completed; any other that seems to run has lost its run.
_SAME = "query_hash = :query_hash AND watch_id IS NOT DISTINCT FROM CAST(:watch_id AS int)"
_OPEN = text(
    f"""
    WITH latest AS (
        SELECT id, started_at FROM "fetch"
        WHERE {_SAME} AND status IN ('running', 'failed')
            AND updated_at > now() - interval '{RESUMABLE_FOR.total_seconds()} seconds'
            AND (pages > 0 OR status = 'running' OR flow_run_id = CAST(:flow_run_id AS uuid))
        ORDER BY started_at DESC LIMIT 1
    ), unfinished AS (
        SELECT id FROM latest WHERE NOT EXISTS (
            SELECT FROM "fetch"
            WHERE {_SAME} AND status = 'completed' AND started_at > latest.started_at
        )
    ), abandoned AS (
        UPDATE "fetch" SET status = 'abandoned', error = 'Its run ended without saying so.'
        WHERE {_SAME} AND status = 'running' AND id NOT IN (SELECT id FROM unfinished)
    ), resumed AS (
        UPDATE "fetch" SET status = 'running', error = NULL, stop_reason = NULL,
            finished_at = NULL, flow_run_id = CAST(:flow_run_id AS uuid)
        WHERE id IN (SELECT id FROM unfinished)
        RETURNING *
    ), opened AS (
        INSERT INTO "fetch" (id, query, query_hash, watch_id, flow_run_id, status, pages,
            searches_billed, searches_cached, new_count, changed_count, unchanged_count,
            rejected_count)
        SELECT gen_random_uuid(), CAST(:query AS jsonb), :query_hash, CAST(:watch_id AS int),
            CAST(:flow_run_id AS uuid), 'running', 0, 0, 0, 0, 0, 0, 0
        WHERE NOT EXISTS (SELECT FROM unfinished)
        RETURNING *
    )
    SELECT * FROM resumed UNION ALL SELECT * FROM opened
    """  # noqa: S608  (put together from constants)
)
_FINISH = text("""
    UPDATE "fetch" SET status = 'completed', stop_reason = :stop_reason, finished_at = now(),
        updated_at = now()
    WHERE id = :id
    RETURNING status, stop_reason, finished_at
""")


async def open_fetch(
    session: AsyncSession,
    *,
    query: CreativeQuery,
    flow_run_id: UUID | None = None,
    watch_id: int | None = None,
) -> Fetch:
    """The unfinished fetch of this query to go on with, else a new one; does not commit.

    A watch goes on with its own fetches only, since no other has linked their creatives to it.
    Whoever calls it must hold the query's lock: an unfinished fetch then has lost its run.
    """
    values = {
        "query": query.model_dump_json(),
        "query_hash": query.hash,
        "watch_id": watch_id,
        "flow_run_id": flow_run_id,
    }
    return Fetch(**(await session.execute(_OPEN, values)).mappings().one())


async def record_page(
    session: AsyncSession, *, fetch: Fetch, page: SearchPage, saved: SavedCreatives
) -> None:
    """Enter a page in the ledger, in the transaction that stores its rows; does not commit.

    Afterwards `fetch` has the ledger's figures, but not the ids of all its searches.
    """
    figures = {
        "id": fetch.id,
        "next_page_token": page.next_page_token,
        "new": len(saved.new),
        "changed": len(saved.changed),
        "unchanged": saved.unchanged,
        "rejected": len(page.rejected),
    }
    recorded = await session.execute(_RECORD_PAGE, figures | _searches(fetch, page))
    _take_over(fetch, dict(recorded.mappings().one()))
    if page.rejected:
        session.add_all(
            RejectedRow(fetch_id=fetch.id, reason=row.reason, payload=_storable(row.payload))
            for row in page.rejected
        )
        await session.flush()


async def count_page(
    session: AsyncSession, *, fetch: Fetch, page: SearchPage, saved: SavedCreatives
) -> None:
    """Add a page that is not stored to the figures of `fetch`; writes nothing."""
    billed: int = (await session.execute(_COUNT_BILLED, _searches(fetch, page))).scalar_one()
    fetch.searches_billed += billed
    fetch.searches_cached += len(page.searches) - billed
    fetch.pages += 1
    fetch.next_page_token = page.next_page_token
    fetch.new_count += len(saved.new)
    fetch.changed_count += len(saved.changed)
    fetch.unchanged_count += saved.unchanged
    fetch.rejected_count += len(page.rejected)


async def finish_fetch(session: AsyncSession, *, fetch: Fetch, stop_reason: StopReason) -> None:
    """Close a fetch that got what it wanted; does not commit."""
    finished = await session.execute(_FINISH, {"id": fetch.id, "stop_reason": stop_reason})
    _take_over(fetch, dict(finished.mappings().one()))


async def fail_fetch(session: AsyncSession, *, fetch_id: UUID, error: str) -> None:
    """Close a fetch that was stopped by an error; what it stored stays. Does not commit."""
    await session.execute(
        update(Fetch)
        .where(col(Fetch.id) == fetch_id)
        .values(
            status=FetchStatus.FAILED,
            stop_reason=StopReason.ERROR,
            error=error,
            finished_at=func.now(),
        )
    )


async def restart_fetch(session: AsyncSession, *, fetch: Fetch) -> None:
    """Take a fetch back to its first page, since its token is not accepted; does not commit."""
    begun_anew = {
        "next_page_token": None,
        "pages": 0,
        "new_count": 0,
        "changed_count": 0,
        "unchanged_count": 0,
        "rejected_count": 0,
    }
    await session.execute(
        update(Fetch).where(col(Fetch.id) == fetch.id).values(**begun_anew, updated_at=func.now())
    )
    _take_over(fetch, begun_anew)


async def running_fetch(session: AsyncSession, *, query: CreativeQuery) -> Fetch | None:
    """The fetch of this query that is under way, if one is."""
    found: Fetch | None = await session.scalar(
        select(Fetch)
        .where(col(Fetch.query_hash) == query.hash, col(Fetch.status) == FetchStatus.RUNNING)
        .order_by(col(Fetch.started_at).desc())
        .limit(1)
    )
    return found


def _searches(fetch: Fetch, page: SearchPage) -> dict[str, object]:
    """What `_BILLED` asks for."""
    return {
        "searches": _ASKED.dump_json(page.searches).decode(),
        "query_hash": fetch.query_hash,
        "started_at": fetch.started_at,
    }


def _take_over(fetch: Fetch, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(fetch, name, value)


def _storable(payload: JsonValue) -> JsonValue:
    """`payload` without what JSONB cannot hold: NUL and lone surrogates."""
    if isinstance(payload, str):
        return payload.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(payload, list):
        return [_storable(item) for item in payload]
    if isinstance(payload, dict):
        return {str(_storable(key)): _storable(value) for key, value in payload.items()}
    return payload
