"""Every statement on the fetch ledger: what was searched, how far it came and what it cost."""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import JsonValue, TypeAdapter
from sqlalchemy import ColumnElement, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value
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
            WHERE f.started_at > now() - interval '{2 * RESUMABLE_FOR.total_seconds()} seconds'
                AND s.id = ANY (f.search_ids)
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


async def open_fetch(
    session: AsyncSession,
    *,
    query: CreativeQuery,
    flow_run_id: UUID | None = None,
    watch_id: int | None = None,
) -> Fetch:
    """The unfinished fetch of this query to go on with, else a new one; does not commit.

    Only whoever holds the query's lock may call it: an unfinished fetch then has lost its run.
    """
    same = (
        col(Fetch.query_hash) == query.hash,
        col(Fetch.status).in_([FetchStatus.RUNNING, FetchStatus.FAILED]),
    )
    fresh = col(Fetch.updated_at) > func.now() - RESUMABLE_FOR
    # One that failed with nothing to show for it stays in the ledger as it is.
    worth_it = or_(
        col(Fetch.pages) > 0,
        col(Fetch.status) == FetchStatus.RUNNING,
        and_(col(Fetch.flow_run_id).is_not(None), col(Fetch.flow_run_id) == flow_run_id),
    )
    latest = (
        select(Fetch).where(*same, fresh, worth_it).order_by(col(Fetch.started_at).desc()).limit(1)
    )
    finished_since = await _completed_since(session, query)
    unfinished = await session.scalar(latest)
    if unfinished is not None and finished_since and finished_since > unfinished.started_at:
        unfinished = None
    await _abandon(session, *same, keep=unfinished)
    if unfinished is None:
        unfinished = Fetch(query=query.model_dump(mode="json"), query_hash=query.hash)
        session.add(unfinished)
    unfinished.status = FetchStatus.RUNNING
    unfinished.error = None
    unfinished.stop_reason = None
    unfinished.finished_at = None
    unfinished.flow_run_id = flow_run_id
    unfinished.watch_id = watch_id
    await session.flush()
    return unfinished


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
    for name, value in recorded.mappings().one().items():
        set_committed_value(fetch, name, value)
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
    fetch.status = FetchStatus.COMPLETED
    fetch.stop_reason = stop_reason
    fetch.finished_at = await session.scalar(select(func.now()))
    await _touch(session, fetch)


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
    fetch.next_page_token = None
    fetch.pages = 0
    fetch.new_count = fetch.changed_count = fetch.unchanged_count = fetch.rejected_count = 0
    await _touch(session, fetch)


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
    return {"searches": _ASKED.dump_json(page.searches).decode(), "started_at": fetch.started_at}


async def _completed_since(session: AsyncSession, query: CreativeQuery) -> datetime | None:
    started: datetime | None = await session.scalar(
        select(func.max(Fetch.started_at)).where(
            col(Fetch.query_hash) == query.hash, col(Fetch.status) == FetchStatus.COMPLETED
        )
    )
    return started


async def _abandon(session: AsyncSession, *same: ColumnElement[bool], keep: Fetch | None) -> None:
    others = col(Fetch.id) != keep.id if keep else col(Fetch.id).is_not(None)
    await session.execute(
        update(Fetch)
        .where(*same, col(Fetch.status) == FetchStatus.RUNNING, others)
        .values(status=FetchStatus.ABANDONED, error="Its run ended without saying so.")
    )


async def _touch(session: AsyncSession, fetch: Fetch) -> None:
    fetch.updated_at = func.now()  # type: ignore[assignment]  # the database's clock
    await session.flush()


def _storable(payload: JsonValue) -> JsonValue:
    """`payload` without what JSONB cannot hold: NUL and lone surrogates."""
    if isinstance(payload, str):
        return payload.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(payload, list):
        return [_storable(item) for item in payload]
    if isinstance(payload, dict):
        return {str(_storable(key)): _storable(value) for key, value in payload.items()}
    return payload
