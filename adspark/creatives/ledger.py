"""Every statement on the fetch ledger: what was searched, how far it came and what it cost."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.errors import ForeignKeyViolation, UniqueViolation
from sqlalchemy import TextClause, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.creatives.store import SavedCreatives
from adspark.db.engine import Database
from adspark.errors import SupersededError
from adspark.models import Fetch, FetchStatus, RejectedRow, StopReason
from adspark.serpapi.client import hash_token
from adspark.serpapi.payloads import RejectedPayload, Search, SearchPage
from adspark.serpapi.search_query import CreativeQuery
from adspark.text.storable import clean_text

# SerpApi answers an identical search from its cache for an hour: within it, a page whose answer
# was lost costs nothing to ask for again, and its tokens are known to be good.
RESUMABLE_FOR = timedelta(minutes=55)
# Server clocks have whole seconds; an answer this much older than its fetch is another one's.
_CLOCK_GRAIN = 2.0
_LATE = 30.0  # seconds after its fetch's end in which SerpApi may still make its search
CACHED_FOR = "65 minutes"
"""In SQL, how long SerpApi may answer from its cache: an hour, and what clocks and answers take."""

# How many of a page's searches were paid for by this ledger: those that are not in it yet and that
# SerpApi made while this fetch or another one of its search was under way, whose run may have died
# before it stored the answer. Any other came from SerpApi's cache.
_SEARCHES = "json_to_recordset(CAST(:searches AS json)) AS s (id text, age float8)"
_BILLED = f"""
    SELECT count(DISTINCT s.id) FROM {_SEARCHES}
    WHERE EXISTS (
            SELECT FROM "fetch" AS f
            WHERE f.query_hash = :query_hash
                AND (f.id = :id OR f.status <> 'completed'
                     AND f.started_at > now() - interval '{CACHED_FOR}')
                AND s.age <= extract(epoch FROM clock_timestamp() - f.started_at) + {_CLOCK_GRAIN}
                AND (f.finished_at IS NULL
                     OR s.age >= extract(epoch FROM clock_timestamp() - f.finished_at) - {_LATE})
        )
        AND NOT EXISTS (
            SELECT FROM "fetch" AS f
            WHERE f.query_hash = :query_hash AND s.id = ANY (f.search_ids)
                AND f.started_at > now() - interval '1 day'
        )
"""  # noqa: S608  (put together from constants)
# The fence: only the newest attempt may write, and only the page after the last that is stored.
_IS_MINE = "id = :id AND attempt = :attempt AND status = 'running'"
_WITH_SEARCHES = f"""
    WITH searches AS (
        SELECT ({_BILLED}) AS billed, ARRAY(SELECT s.id FROM {_SEARCHES}) AS ids
    )
    UPDATE "fetch" SET
        searches_billed = searches_billed + searches.billed,
        searches_cached = searches_cached + cardinality(searches.ids) - searches.billed,
        search_ids = search_ids || searches.ids,
"""  # noqa: S608  (put together from constants)
_FIGURES = """pages, searches_billed, searches_cached, next_page_token, token_hashes, shown_to,
    total_results, new_count, changed_count, unchanged_count, rejected_count, is_refreshed,
    finished_at
"""
_RECORD_PAGE = text(
    f"""{_WITH_SEARCHES}
        updated_at = now(),
        pages = pages + 1,
        next_page_token = :next_page_token,
        token_hashes = token_hashes || CAST(:token_hashes AS text[]),
        shown_to = :shown_to,
        total_results = coalesce(:total_results, total_results),
        new_count = new_count + :new,
        changed_count = changed_count + :changed,
        unchanged_count = unchanged_count + :unchanged,
        rejected_count = rejected_count + :rejected,
        status = CASE WHEN CAST(:stop_reason AS text) IS NULL THEN status ELSE 'completed' END,
        stop_reason = CAST(:stop_reason AS text),
        finished_at = CASE WHEN CAST(:stop_reason AS text) IS NULL THEN NULL ELSE now() END
    FROM searches WHERE {_IS_MINE} AND pages = :pages RETURNING {_FIGURES}
    """
)
_RESTART = text(
    f"""{_WITH_SEARCHES}
        updated_at = now(),
        pages = 0, next_page_token = NULL, token_hashes = '{{}}', shown_to = NULL,
        total_results = NULL, new_count = 0, changed_count = 0, unchanged_count = 0,
        rejected_count = 0, is_refreshed = is_refreshed OR :fresh
    FROM searches WHERE {_IS_MINE} AND pages = :pages RETURNING {_FIGURES}
    """
)
# The unfinished fetch to resume, if it is fresh, has pages (or is this run's own) and no later one
# was completed; any other that is running is orphaned, and abandoned before one is running anew:
# an index allows one. Of two such statements at once, the second resumes, and so fences, what the
# first has opened: in its second try, where its snapshot does not show that.
_SAME = "query_hash = :query_hash AND watch_id IS NOT DISTINCT FROM CAST(:watch_id AS int)"
_ALONE = "(SELECT count(*) FROM abandoned) >= 0"  # so that those are written first
_OPEN = text(
    f"""
    WITH latest AS (
        SELECT id, started_at FROM "fetch"
        WHERE {_SAME} AND status IN ('running', 'failed')
            AND NOT is_dry_run AND NOT CAST(:is_dry_run AS boolean)
            AND updated_at > now() - interval '{RESUMABLE_FOR.total_seconds()} seconds'
            AND (pages > 0 OR status = 'running' OR flow_run_id = CAST(:flow_run_id AS uuid))
        ORDER BY started_at DESC LIMIT 1
    ), unfinished AS (
        SELECT id FROM latest WHERE NOT EXISTS (
            SELECT FROM "fetch"
            WHERE {_SAME} AND status = 'completed' AND NOT is_dry_run
                AND started_at > latest.started_at
        )
    ), abandoned AS (
        UPDATE "fetch" SET status = 'abandoned', error = 'Its run ended without saying so.'
        WHERE {_SAME} AND status = 'running' AND id NOT IN (SELECT id FROM unfinished)
            AND (is_dry_run OR NOT CAST(:is_dry_run AS boolean))
        RETURNING id
    ), resumed AS (
        UPDATE "fetch" SET status = 'running', error = NULL, stop_reason = NULL,
            finished_at = NULL, flow_run_id = CAST(:flow_run_id AS uuid), attempt = attempt + 1
        WHERE id IN (SELECT id FROM unfinished) AND status IN ('running', 'failed')
            AND {_ALONE}
        RETURNING *
    ), opened AS (
        INSERT INTO "fetch" (id, query, query_hash, watch_id, flow_run_id, is_dry_run, status,
            pages, searches_billed, searches_cached, new_count, changed_count, unchanged_count,
            rejected_count)
        SELECT gen_random_uuid(), CAST(:query AS jsonb), :query_hash, CAST(:watch_id AS int),
            CAST(:flow_run_id AS uuid), :is_dry_run, 'running', 0, 0, 0, 0, 0, 0, 0
        WHERE NOT EXISTS (SELECT FROM unfinished) AND {_ALONE}
        RETURNING *
    )
    SELECT * FROM resumed UNION ALL SELECT * FROM opened
    """  # noqa: S608  (put together from constants)
)
_FINISH = text(
    f"""
    UPDATE "fetch" SET status = 'completed', stop_reason = :stop_reason, finished_at = now(),
        updated_at = now()
    WHERE {_IS_MINE} AND pages = :pages
    RETURNING finished_at
    """  # noqa: S608  (put together from a constant)
)
# What was paid counts, also of a fetch that was given up meanwhile. One that another run has taken
# over gets the same answers from the cache, and enters them.
_FAIL = text(
    f"""{_WITH_SEARCHES}
        status = CASE WHEN status = 'running' THEN 'failed' ELSE status END,
        stop_reason = CASE WHEN status = 'running' THEN 'error' ELSE stop_reason END,
        error = CASE WHEN status = 'running' THEN :error ELSE error END,
        finished_at = CASE WHEN status = 'running' THEN now() ELSE finished_at END
    FROM searches WHERE id = :id AND attempt = :attempt
    """
)
_LAST_FETCHED = text("""
    SELECT max(started_at) FROM "fetch"
    WHERE query_hash = :query_hash AND status = 'completed' AND NOT is_dry_run
        AND started_at > now() - interval '1 hour'
""")
_COUNT_UNREADABLE = text("""
    SELECT count(*) FROM unnest(CAST(:keys AS text[])) AS k (row_key)
    WHERE EXISTS (SELECT FROM rejected_row r WHERE r.row_key = k.row_key)
""")


async def resume_or_create_fetch(
    database: Database,
    *,
    query: CreativeQuery,
    flow_run_id: UUID | None = None,
    watch_id: int | None = None,
    is_dry_run: bool = False,
) -> Fetch:
    """Resume the unfinished fetch of this query, else create one.

    A watch resumes its own fetches only, since no other has linked their creatives to it; a dry run
    none, since none of its rows are stored. The caller holds the query's lock, so an unfinished
    fetch is orphaned; should its run be alive all the same, its writes are refused from now on.

    Args:
        database: of the ledger.
        query: the search.
        flow_run_id: whose fetch it is now.
        watch_id: the watch that it is for.
        is_dry_run: no ads will be stored.

    Raises:
        SupersededError: the watch was deleted.
    """
    values = {
        "query": query.model_dump_json(),
        "query_hash": query.hash,
        "watch_id": watch_id,
        "flow_run_id": flow_run_id,
        "is_dry_run": is_dry_run,
    }
    while True:  # again where another run has opened or ended one since the statement began
        async with database.autocommit() as connection:
            try:
                opened = (await connection.execute(_OPEN, values)).mappings().first()
            except IntegrityError as error:
                if isinstance(error.orig, ForeignKeyViolation):
                    raise SupersededError("Its watch was deleted meanwhile.") from None
                if not isinstance(error.orig, UniqueViolation):
                    raise
                continue
        if opened:
            return Fetch.model_validate(opened)


async def record_page(
    session: AsyncSession,
    *,
    fetch: Fetch,
    page: SearchPage,
    saved: SavedCreatives,
    stop_reason: StopReason | None = None,
) -> None:
    """Enter a page in the ledger, in the transaction that stores its rows; does not commit.

    Args:
        fetch: gets the ledger's figures, but not the ids of all its searches.
        page: what was fetched.
        saved: what became of its rows.
        stop_reason: why it is the last one, which closes the fetch; None where it is not.

    Raises:
        SupersededError: another run has resumed this fetch; nothing of the page may be stored.
    """
    token = page.next_page_token
    figures = {
        "next_page_token": token,
        "token_hashes": [hash_token(token)] if token else [],
        "shown_to": page.shown[-1] if page.shown else fetch.shown_to,
        "total_results": page.total_results,
        "new": len(saved.new),
        "changed": len(saved.changed),
        "unchanged": saved.unchanged,
        "rejected": len(page.rejected),
        "stop_reason": stop_reason,
    }
    await _write(session, fetch, _RECORD_PAGE, figures | _searches(fetch, page.searches))
    if stop_reason:
        fetch.status, fetch.stop_reason = FetchStatus.COMPLETED, stop_reason
    if page.rejected and not fetch.is_dry_run:
        session.add_all(
            RejectedRow(fetch_id=fetch.id, reason=row.reason, row_key=row.key, payload=row.payload)
            for row in page.rejected
        )
        await session.flush()


async def finish_fetch(session: AsyncSession, *, fetch: Fetch, stop_reason: StopReason) -> None:
    """Close a fetch at one of its bounds; raises as `record_page`, and does not commit.

    Args:
        fetch: gets the state and the reason.
        stop_reason: why no further page is fetched.
    """
    await _write(session, fetch, _FINISH, {"stop_reason": stop_reason})
    fetch.status, fetch.stop_reason = FetchStatus.COMPLETED, stop_reason


async def fail_fetch(
    session: AsyncSession, *, fetch: Fetch, error: str, searches: Sequence[Search]
) -> None:
    """Close a fetch that was stopped by an error; what it stored stays. Does not commit.

    One that another run has resumed is left to it; of one that was given up, the searches count.

    Args:
        fetch: whose attempt failed.
        error: what is kept of it, for a person.
        searches: that were answered since the last stored page; they were paid all the same.
    """
    values = {"id": fetch.id, "attempt": fetch.attempt, "error": clean_text(error)}
    await session.execute(_FAIL, values | _searches(fetch, searches))


async def restart_fetch(
    session: AsyncSession, *, fetch: Fetch, searches: Sequence[Search], fresh: bool
) -> None:
    """Take a fetch back to its first page, since its token is dead; does not commit.

    Args:
        fetch: gets the ledger's figures.
        searches: those that found the token dead, for the ledger.
        fresh: the first page will be paid for, which is noted: it is done once.

    Raises:
        SupersededError: as `record_page`.
    """
    await _write(session, fetch, _RESTART, {"fresh": fresh} | _searches(fetch, searches))


async def are_known_unreadable(
    session: AsyncSession, *, rejected: Sequence[RejectedPayload]
) -> bool:
    """Whether all these rows could not be read before, so that a retry does not help."""
    keys = {row.key for row in rejected}
    found = await session.scalar(_COUNT_UNREADABLE, {"keys": list(keys)})
    return int(found or 0) == len(keys)


async def fetched_within_hour(session: AsyncSession, *, query: CreativeQuery) -> datetime | None:
    """When this query was fetched to its end, if it was in the last hour; else None."""
    found: datetime | None = await session.scalar(_LAST_FETCHED, {"query_hash": query.hash})
    return found


async def running_fetch(session: AsyncSession, *, query: CreativeQuery) -> Fetch | None:
    """The fetch of this query that is under way, if one is."""
    found: Fetch | None = await session.scalar(
        select(Fetch)
        .where(col(Fetch.query_hash) == query.hash, col(Fetch.status) == FetchStatus.RUNNING)
        .order_by(col(Fetch.started_at).desc())
        .limit(1)
    )
    return found


async def _write(
    session: AsyncSession, fetch: Fetch, statement: TextClause, values: Mapping[str, object]
) -> None:
    """Write to the ledger where this attempt is still the newest, and take over its figures."""
    fence = {"id": fetch.id, "attempt": fetch.attempt, "pages": fetch.pages}
    written = (await session.execute(statement, {**values, **fence})).mappings().first()
    if written is None:
        raise SupersededError(
            f"Another run has resumed this fetch after page {fetch.pages}, or it was abandoned; "
            f"this run ends, and stores nothing more."
        )
    for name, value in written.items():
        setattr(fetch, name, value)


def _searches(fetch: Fetch, searches: Sequence[Search]) -> dict[str, object]:
    """The values of `_BILLED`."""
    return {
        "searches": json.dumps([{"id": one.id, "age": one.age_now} for one in searches]),
        "query_hash": fetch.query_hash,
    }
