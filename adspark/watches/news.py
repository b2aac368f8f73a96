"""News: what a watch noticed, as it is shown to a person or sent to a program."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import EventKind

EVENT_WORDS = {
    EventKind.BASELINE: "known from the start",
    EventKind.NEW: "new",
    EventKind.CHANGED: "changed",
    EventKind.REACTIVATED: "returned",
    EventKind.ENDED: "ended",
}
"""How events are called, on the terminal and the pages."""

# Of a creative that was cleaned up, what the watch remembers.
_COLUMNS = """
    e.id AS event_id, e.kind, e.occurred_at, e.watch_id, w.name AS watch, w.user_id,
    e.ad_creative_id, coalesce(c.advertiser_id, l.advertiser_id, '') AS advertiser_id,
    coalesce(a.name, l.advertiser_id, '') AS advertiser, coalesce(c.format, '') AS format,
    c.target_domain, c.image_url, c.video_link, c.details_link, c.first_shown,
    coalesce(c.last_shown, l.last_shown) AS last_shown, c.total_days_shown
"""
_TABLES = """
    creative_event e
    JOIN watch w ON w.id = e.watch_id
    LEFT JOIN creative c USING (ad_creative_id)
    LEFT JOIN watch_creative l ON l.watch_id = e.watch_id AND l.ad_creative_id = e.ad_creative_id
    LEFT JOIN advertiser a ON a.advertiser_id = coalesce(c.advertiser_id, l.advertiser_id)
"""
_READ = text(f"""
    SELECT {_COLUMNS} FROM {_TABLES}
    WHERE e.watch_id = ANY (:watch_ids) AND e.kind <> 'baseline' AND e.occurred_at >= :since
        AND (CAST(:before AS bigint) IS NULL OR e.id < :before)
    ORDER BY e.id DESC LIMIT :limit
""")  # noqa: S608  (put together from constants)
_CLAIM = text(f"""
    SELECT {_COLUMNS} FROM {_TABLES}
    WHERE e.announced_at IS NULL
    ORDER BY e.id LIMIT :limit FOR UPDATE OF e SKIP LOCKED
""")  # noqa: S608  (put together from constants)
_MARK = text("UPDATE creative_event SET announced_at = now() WHERE id = ANY (:event_ids)")


class News(BaseModel):
    """One event with its creative; `format` is empty where the creative was cleaned up."""

    event_id: int
    kind: EventKind
    occurred_at: datetime
    watch_id: int
    watch: str
    user_id: int
    ad_creative_id: str
    advertiser_id: str
    advertiser: str
    format: str
    target_domain: str | None
    image_url: str | None
    video_link: str | None
    details_link: str | None
    first_shown: datetime | None
    last_shown: datetime | None
    total_days_shown: int | None

    def cells(self) -> dict[str, str | int | None]:
        """The event as a row of a table: heading to cell."""
        return {
            "what": EVENT_WORDS[self.kind],
            "advertiser": self.advertiser,
            "format": self.format,
            "domain": self.target_domain,
            "first shown": self.first_shown.date().isoformat() if self.first_shown else None,
            "last shown": self.last_shown.date().isoformat() if self.last_shown else None,
            "days shown": self.total_days_shown,
            "ad": self.ad_creative_id,
        }


async def read_news(
    session: AsyncSession,
    *,
    watch_ids: Collection[int],
    since: datetime,
    limit: int,
    before: int | None = None,
) -> list[News]:
    """What watches noticed since then, the latest first; the baseline is no news.

    Args:
        watch_ids: of the watches.
        since: from this moment on.
        limit: events at most.
        before: only events with a smaller number, as after the last one of a page.
    """
    values = {"watch_ids": list(watch_ids), "since": since, "limit": limit, "before": before}
    rows = await session.execute(_READ, values)
    return [News.model_validate(row) for row in rows.mappings()]


async def claim_unannounced(session: AsyncSession, *, limit: int) -> list[News]:
    """The oldest unannounced news, claimed for this transaction."""
    rows = await session.execute(_CLAIM, {"limit": limit})
    return [News.model_validate(row) for row in rows.mappings()]


async def mark_announced(session: AsyncSession, *, news: Sequence[News]) -> None:
    """Note that they were announced; does not commit."""
    await session.execute(_MARK, {"event_ids": [one.event_id for one in news]})
