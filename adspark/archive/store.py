"""The statements by which pictures are archived: enqueue, claim, save what became of them.

A claim holds as long as nobody has claimed the picture after it: each claim counts an attempt, and
a write names the attempt that it belongs to. The one run that there may be knows what it works on.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

MOST_ATTEMPTS = 5
"""After which a picture is given up."""

_MOST_ENQUEUED = 100_000  # versions a run, so that the transaction stays short; newest first
_REPLACED = "It was replaced before it was archived, and its address is not known."
_DIED = "The run that worked on it died each time."

# A creative's first version was seen when the creative was; a later one is seen now.
_ENQUEUE = text("""
    INSERT INTO picture_version
        (ad_creative_id, content_hash, status, source_url, is_preview, first_seen_at)
    SELECT c.ad_creative_id, c.content_hash, 'pending', coalesce(c.image_url, c.video_link),
        c.image_url IS NULL,
        CASE WHEN EXISTS (
            SELECT FROM picture_version k WHERE k.ad_creative_id = c.ad_creative_id
        ) THEN now() ELSE c.created_at END
    FROM creative c
    WHERE coalesce(c.image_url, c.video_link) IS NOT NULL AND NOT EXISTS (
        SELECT FROM picture_version v
        WHERE v.ad_creative_id = c.ad_creative_id AND v.content_hash = c.content_hash
    )
    ORDER BY c.created_at DESC, c.ad_creative_id LIMIT :most
    ON CONFLICT (ad_creative_id, content_hash) DO NOTHING
""")
# A version that a watch has seen, that is no longer there, and that nobody has enqueued.
_ENQUEUE_REPLACED = text("""
    INSERT INTO picture_version (ad_creative_id, content_hash, status, failure, first_seen_at)
    SELECT e.ad_creative_id, e.content_hash, 'failed', :failure, min(e.occurred_at)
    FROM (
        SELECT DISTINCT watch_id, ad_creative_id FROM creative_event
        WHERE kind = 'changed' AND occurred_at > now() - interval '30 days'
    ) AS changed
    JOIN creative_event e USING (watch_id, ad_creative_id)
    JOIN creative c USING (ad_creative_id)
    WHERE e.content_hash <> '' AND e.content_hash <> c.content_hash AND NOT EXISTS (
        SELECT FROM picture_version v
        WHERE v.ad_creative_id = e.ad_creative_id AND v.content_hash = e.content_hash
    )
    GROUP BY 1, 2
    ON CONFLICT (ad_creative_id, content_hash) DO NOTHING
""")
_GIVE_UP = text("""
    UPDATE picture_version SET status = 'failed', failure = coalesce(failure, :failure)
    WHERE status = 'pending' AND attempts >= :most
""")
_RETRY_FAILED = text("""
    UPDATE picture_version SET status = 'pending', attempts = 0, next_attempt_at = now()
    WHERE status = 'failed' AND source_url IS NOT NULL
""")
_CLAIM = text("""
    WITH next AS (
        SELECT id, ad_creative_id, content_hash FROM picture_version
        WHERE status = 'pending' AND next_attempt_at <= now() AND attempts < :most
            AND id <> ALL (CAST(:under_way AS bigint[]))
            AND (NOT is_preview OR :with_previews)
        ORDER BY first_seen_at DESC, id DESC LIMIT :batch FOR UPDATE SKIP LOCKED
    ), sized AS (
        SELECT next.id, c.width, c.height
        FROM next LEFT JOIN creative c USING (ad_creative_id, content_hash)
    )
    UPDATE picture_version v
    SET attempts = v.attempts + 1
    FROM sized WHERE v.id = sized.id
    RETURNING v.id, v.ad_creative_id, v.source_url, v.is_preview, v.attempts, sized.width,
        sized.height, v.first_seen_at
""")
_IS_MINE = "id = :id AND attempts = :attempts AND status = 'pending'"
_SAVE_STORED = text(f"""
    UPDATE picture_version SET status = 'stored', stored_at = now(), failure = NULL,
        sha256 = :sha256, path = :path, thumbnail_path = :thumbnail_path,
        width = :width, height = :height, perceptual_hash = :perceptual_hash,
        picture_bytes = :picture_bytes, thumbnail_bytes = :thumbnail_bytes
    WHERE {_IS_MINE}
""")  # noqa: S608  (put together from a constant)
_SAVE_FAILURE = text(f"""
    UPDATE picture_version SET failure = :failure,
        status = CASE WHEN attempts < :most THEN 'pending' ELSE 'failed' END,
        next_attempt_at = now() + :pause
    WHERE {_IS_MINE}
""")  # noqa: S608  (put together from a constant)
_RELEASE = text(f"""
    UPDATE picture_version SET attempts = attempts - 1 WHERE {_IS_MINE}
""")  # noqa: S608  (put together from a constant)


class ClaimedPicture(BaseModel):
    """A picture that this run works on; the size is that which the creative is shown in."""

    id: int
    ad_creative_id: str
    source_url: str
    is_preview: bool
    attempts: int
    width: int | None
    height: int | None
    first_seen_at: datetime


class StoredPicture(BaseModel):
    """A picture that is kept in the media store, its size in pixels."""

    sha256: str
    path: str
    thumbnail_path: str
    width: int
    height: int
    perceptual_hash: str
    picture_bytes: int
    thumbnail_bytes: int


async def enqueue_versions(session: AsyncSession) -> None:
    """Make rows for the versions that have none; does not commit."""
    await session.execute(_ENQUEUE, {"most": _MOST_ENQUEUED})
    await session.execute(_ENQUEUE_REPLACED, {"failure": _REPLACED})


async def give_up_deadly(session: AsyncSession) -> None:
    """Give up what has killed its run too often.

    Only for the one run that there may be, before it claims. Does not commit.
    """
    await session.execute(_GIVE_UP, {"most": MOST_ATTEMPTS, "failure": _DIED})


async def retry_failed(session: AsyncSession) -> None:
    """Let pictures that were given up be tried again; does not commit."""
    await session.execute(_RETRY_FAILED)


async def claim_pictures(
    session: AsyncSession,
    *,
    most: int,
    under_way: Collection[int] = (),
    with_previews: bool = True,
) -> list[ClaimedPicture]:
    """The newest pictures that are due, claimed for this run; does not commit.

    Args:
        session: of the transaction.
        most: how many.
        under_way: keys of those that this run has claimed and not ended.
        with_previews: whether those that need a browser are among them.
    """
    values = {
        "most": MOST_ATTEMPTS,
        "batch": most,
        "under_way": list(under_way),
        "with_previews": with_previews,
    }
    rows = (await session.execute(_CLAIM, values)).mappings()
    claimed = [ClaimedPicture.model_validate(row) for row in rows]
    return sorted(claimed, key=lambda one: (one.first_seen_at, one.id), reverse=True)


async def save_stored(
    session: AsyncSession, *, claimed: ClaimedPicture, picture: StoredPicture
) -> bool:
    """Note that a claimed picture is kept; whether the claim still held. Does not commit."""
    values = {"id": claimed.id, "attempts": claimed.attempts, **picture.model_dump()}
    return await _change(session, _SAVE_STORED, values)


async def save_failure(
    session: AsyncSession, *, claimed: ClaimedPicture, failure: str, most_attempts: int
) -> bool:
    """Note why an attempt failed; the next one is later each time. Does not commit.

    Args:
        session: of the transaction.
        claimed: the picture.
        failure: the cause, for a person.
        most_attempts: after how many it is given up.

    Returns:
        Whether the claim still held.
    """
    values = {
        "id": claimed.id,
        "attempts": claimed.attempts,
        "failure": failure,
        "most": most_attempts,
        "pause": timedelta(minutes=10 * 4 ** (claimed.attempts - 1)),
    }
    return await _change(session, _SAVE_FAILURE, values)


async def release_picture(session: AsyncSession, *, claimed: ClaimedPicture) -> bool:
    """Give a claim up as if it had never been; whether it still held. Does not commit."""
    return await _change(session, _RELEASE, {"id": claimed.id, "attempts": claimed.attempts})


async def _change(session: AsyncSession, statement: object, values: dict[str, object]) -> bool:
    changed = await session.execute(statement, values)  # type: ignore[call-overload]
    return bool(changed.rowcount)
