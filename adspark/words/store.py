"""The archived pictures that wait to be read, and what is noted of those that are.

A row belongs to a picture, not to an ad: what several ads or versions show is read once.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.picture_queue.queue import ClaimedPicture, PictureQueue

_MOST_ENQUEUED = 100_000  # pictures a run, so that the transaction stays short; newest first
# The copy of an ad is bought: its words are known, better than any reading.
_IS_BOUGHT = """EXISTS (
    SELECT FROM creative_detail d WHERE d.ad_creative_id = v.ad_creative_id
        AND d.answered_at IS NOT NULL
        AND coalesce(d.headline, d.snippet, d.call_to_action) IS NOT NULL
)"""
_SHOWING = "picture_version v WHERE v.sha256 = q.sha256 AND v.status = 'stored'"

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
    DELETE FROM picture_words q WHERE status <> 'read' AND NOT EXISTS (SELECT FROM {_SHOWING})
""")  # noqa: S608  (put together from a constant)


class ClaimedWords(ClaimedPicture):
    """A picture that this run reads, and an ad that shows it; `path` is in the media store."""

    path: str


WORDS = PictureQueue(
    ClaimedWords,
    table="picture_words",
    key=("sha256", "text"),
    seen="seen_at",
    condition=f"EXISTS (SELECT FROM {_SHOWING})",
    columns="kept.path, kept.ad_creative_id",
    joins=f"""
        CROSS JOIN LATERAL (SELECT path, ad_creative_id FROM {_SHOWING} LIMIT 1) AS kept
    """,  # noqa: S608  (put together from a constant)
    done="""
        status = 'read', read_at = now(), lines = :lines, headline = :headline,
        language = :language, script = :script, unread_lines = :unread,
        confidence = :confidence, engine = :engine
    """,
    most_attempts=3,
)
"""The pictures whose words are to be read."""


async def enqueue_pictures(session: AsyncSession) -> int:
    """Enqueue the archived pictures of ads whose copy was not bought; returns how many are new.

    Does not commit.
    """
    await session.execute(_FORGET)
    added = await session.execute(_ENQUEUE, {"most": _MOST_ENQUEUED})
    return int(added.rowcount)  # type: ignore[attr-defined]
