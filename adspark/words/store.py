"""The statements by which pictures are read: enqueue, claim, save what became of them.

A row belongs to a picture, not to an ad: what several ads or versions show is read once. A claim is
as one of the archive: it holds as long as its lease does, and a write names its attempt.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.words.reader_process import ReadWords

MOST_ATTEMPTS = 3
"""After which a picture is given up."""

LEASE = timedelta(minutes=15)
"""For how long a claim holds where nobody releases it; longer than a run reads what it claims."""

_MOST_ENQUEUED = 100_000  # pictures a run, so that the transaction stays short; newest first
_DIED = "The run that read it died each time."
# The copy of an ad is bought: its words are known, better than any reading.
_IS_BOUGHT = """EXISTS (
    SELECT FROM creative_detail d WHERE d.ad_creative_id = v.ad_creative_id
        AND d.answered_at IS NOT NULL
        AND coalesce(d.headline, d.snippet, d.call_to_action) IS NOT NULL
)"""
_IS_STORED = (
    "EXISTS (SELECT FROM picture_version v WHERE v.sha256 = w.sha256 AND v.status = 'stored')"
)

_ENQUEUE = text(f"""
    INSERT INTO picture_words (sha256, status, seen_at)
    SELECT v.sha256, 'pending', max(v.stored_at) FROM picture_version v
    WHERE v.status = 'stored' AND NOT {_IS_BOUGHT}
        AND NOT EXISTS (SELECT FROM picture_words w WHERE w.sha256 = v.sha256)
    GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT :most
    ON CONFLICT (sha256) DO NOTHING
""")  # noqa: S608  (put together from a constant)
# Clean-up has taken the picture away; where it comes back, it is enqueued anew.
_FORGET = text(f"""
    DELETE FROM picture_words w WHERE status <> 'read' AND lease_until IS NULL AND NOT {_IS_STORED}
""")  # noqa: S608  (put together from a constant)
_RELEASE_ALL = text("""
    UPDATE picture_words SET lease_until = NULL WHERE status = 'pending' AND lease_until IS NOT NULL
""")
_GIVE_UP = text("""
    UPDATE picture_words SET status = 'failed', failure = coalesce(failure, :failure)
    WHERE status = 'pending' AND attempts >= :most AND lease_until IS NULL
""")
_RETRY_FAILED = text("""
    UPDATE picture_words SET status = 'pending', attempts = 0, next_attempt_at = now()
    WHERE status = 'failed'
""")
_CLAIM = text(f"""
    WITH next AS (
        SELECT sha256 FROM picture_words w
        WHERE status = 'pending' AND next_attempt_at <= now() AND attempts < :most
            AND (lease_until IS NULL OR lease_until < now()) AND {_IS_STORED}
        ORDER BY seen_at DESC, sha256 LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE picture_words w SET attempts = w.attempts + 1, lease_until = now() + :lease
    FROM next CROSS JOIN LATERAL (
        SELECT path FROM picture_version v
        WHERE v.sha256 = next.sha256 AND v.status = 'stored' LIMIT 1
    ) AS kept
    WHERE w.sha256 = next.sha256
    RETURNING w.sha256, kept.path, w.attempts, w.seen_at
""")  # noqa: S608  (put together from a constant)
_IS_MINE = "sha256 = :sha256 AND attempts = :attempts AND status = 'pending'"
_SAVE_READ = text(f"""
    UPDATE picture_words SET status = 'read', read_at = now(), lease_until = NULL, failure = NULL,
        lines = :lines, headline = :headline, language = :language, script = :script,
        unread_lines = :unread, confidence = :confidence, engine = :engine
    WHERE {_IS_MINE}
""")  # noqa: S608  (put together from a constant)
_SAVE_FAILURE = text(f"""
    UPDATE picture_words SET lease_until = NULL, failure = :failure,
        status = CASE WHEN attempts < :most THEN 'pending' ELSE 'failed' END,
        next_attempt_at = now() + :pause
    WHERE {_IS_MINE}
""")  # noqa: S608  (put together from a constant)
_RELEASE = text(f"""
    UPDATE picture_words SET lease_until = NULL, attempts = attempts - 1 WHERE {_IS_MINE}
""")  # noqa: S608  (put together from a constant)
_COUNT = text("""
    SELECT count(*) FILTER (WHERE status = 'read') AS read,
        count(*) FILTER (WHERE status = 'read' AND unread_lines > cardinality(lines)) AS foreign,
        count(*) FILTER (WHERE status = 'pending') AS waiting,
        count(*) FILTER (WHERE status = 'failed') AS failed
    FROM picture_words
""")


class ClaimedWords(BaseModel):
    """A picture that this run reads; `path` is its place in the media store."""

    sha256: str
    path: str
    attempts: int
    seen_at: datetime


class WordCounts(BaseModel):
    """How many pictures were read, how many of them in a script that is not known, and the rest."""

    read: int = 0
    foreign: int = 0
    waiting: int = 0
    failed: int = 0


async def enqueue_pictures(session: AsyncSession) -> None:
    """Make rows for the archived pictures of ads whose copy was not bought; does not commit."""
    await session.execute(_FORGET)
    await session.execute(_ENQUEUE, {"most": _MOST_ENQUEUED})


async def release_lost_claims(session: AsyncSession) -> None:
    """Release what dead runs have claimed, and give up what has killed its run too often.

    Only for the one run that there may be. Does not commit.
    """
    await session.execute(_RELEASE_ALL)
    await session.execute(_GIVE_UP, {"most": MOST_ATTEMPTS, "failure": _DIED})


async def retry_failed(session: AsyncSession) -> None:
    """Let pictures that were given up be read again; does not commit."""
    await session.execute(_RETRY_FAILED)


async def claim_pictures(session: AsyncSession, *, most: int) -> list[ClaimedWords]:
    """The newest pictures that are due, claimed for this run; does not commit."""
    values = {"most": MOST_ATTEMPTS, "batch": most, "lease": LEASE}
    rows = (await session.execute(_CLAIM, values)).mappings()
    claimed = [ClaimedWords.model_validate(row) for row in rows]
    return sorted(claimed, key=lambda one: one.seen_at, reverse=True)


async def save_read(session: AsyncSession, *, claimed: ClaimedWords, words: ReadWords) -> bool:
    """Note what was read; whether the claim still held. Does not commit."""
    return await _change(session, _SAVE_READ, claimed, words.model_dump())


async def save_failure(session: AsyncSession, *, claimed: ClaimedWords, failure: str) -> bool:
    """Note why an attempt failed; the next one is later each time. Does not commit.

    Args:
        session: of the transaction.
        claimed: the picture.
        failure: the cause, for a person.

    Returns:
        Whether the claim still held.
    """
    pause = timedelta(minutes=10 * 4 ** (claimed.attempts - 1))
    values = {"failure": failure, "most": MOST_ATTEMPTS, "pause": pause}
    return await _change(session, _SAVE_FAILURE, claimed, values)


async def release_picture(session: AsyncSession, *, claimed: ClaimedWords) -> bool:
    """Give a claim up as if it had never been; whether it still held. Does not commit."""
    return await _change(session, _RELEASE, claimed, {})


async def count_words(session: AsyncSession) -> WordCounts:
    """How many pictures were read, and how far the rest is."""
    return WordCounts.model_validate((await session.execute(_COUNT)).mappings().one())


async def _change(
    session: AsyncSession,
    statement: TextClause,
    claimed: ClaimedWords,
    values: Mapping[str, object],
) -> bool:
    key = {"sha256": claimed.sha256, "attempts": claimed.attempts}
    changed = await session.execute(statement, {**values, **key})
    return bool(changed.rowcount)  # type: ignore[attr-defined]
