"""The events of a watch with their ads as they were and are, page by page."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.models import EventKind
from adspark.validation.bounds import ID, Range
from adspark.words.copy_statements import HEADLINE, SNIPPET, SOURCE, join_copy

LIMIT = Range(1, 1000)

_LONGEST_CURSOR = 100  # characters
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**62
EVENT_COLUMNS = f"""
    e.id AS event_id, e.watch_id, e.kind, e.occurred_at, e.ad_creative_id,
    c.ad_creative_id IS NULL AS is_removed,
    coalesce(c.advertiser_id, l.advertiser_id) AS advertiser_id, a.name AS advertiser, c.format,
    nullif(c.width, 0) AS width, nullif(c.height, 0) AS height, c.target_domain AS domain,
    c.first_shown, coalesce(c.last_shown, l.last_shown) AS last_shown,
    c.total_days_shown AS days_shown, {HEADLINE} AS headline, {SNIPPET} AS snippet,
    {SOURCE} AS words_source, v.thumbnail_path AS thumbnail, CASE WHEN e.kind = 'changed' THEN (
        SELECT b.thumbnail_path FROM picture_version b
        WHERE b.ad_creative_id = e.ad_creative_id AND b.first_seen_at < v.first_seen_at
        ORDER BY b.first_seen_at DESC, b.id DESC LIMIT 1
    ) END AS thumbnail_before
"""  # noqa: S608  (put together from constants)
"""What an event `e` is shown with; the tables are those below."""

EVENT_TABLES = f"""
    LEFT JOIN creative c ON c.ad_creative_id = e.ad_creative_id
    LEFT JOIN watch_creative l ON l.watch_id = e.watch_id AND l.ad_creative_id = e.ad_creative_id
    LEFT JOIN advertiser a ON a.advertiser_id = coalesce(c.advertiser_id, l.advertiser_id)
    LEFT JOIN picture_version v ON v.ad_creative_id = e.ad_creative_id
        AND v.content_hash = e.content_hash
    {join_copy("e.ad_creative_id")}
"""
_READ = text(f"""
    SELECT {EVENT_COLUMNS}
    FROM (
        SELECT * FROM creative_event n
        WHERE n.watch_id = :watch_id AND n.kind <> 'baseline'
            AND (CAST(:kind AS text) IS NULL OR n.kind = :kind)
            AND n.occurred_at >= :since AND n.occurred_at < :until
            AND (CAST(:after_at AS timestamptz) IS NULL
                OR n.occurred_at <= :after_at AND (n.occurred_at, n.id) < (:after_at, :after_id))
        ORDER BY n.occurred_at DESC, n.id DESC LIMIT :room
    ) AS e {EVENT_TABLES}
    ORDER BY e.occurred_at DESC, e.id DESC
""")  # noqa: S608  (put together from constants)


class WatchEvent(BaseModel):
    """An event with its ad; of one that was cleaned up, what the watch remembers."""

    event_id: int
    watch_id: int
    kind: EventKind
    occurred_at: datetime
    ad_creative_id: str
    is_removed: bool = Field(description="The ad is not stored any more.")
    advertiser_id: str | None
    advertiser: str | None
    format: str | None
    width: int | None
    height: int | None
    domain: str | None
    first_shown: datetime | None
    last_shown: datetime | None
    days_shown: int | None
    headline: str | None
    snippet: str | None
    words_source: str | None = Field(description="`bought` or `read`.")
    thumbnail: str | None = Field(description="Of the version that it was then; WebP.")
    thumbnail_before: str | None = Field(description="Where it changed: of the version before.")


class EventPage(BaseModel):
    """A page of events, the latest first."""

    events: list[WatchEvent]
    next: str | None = Field(description="Where the next page begins; None: this was the last.")


async def read_watch_events(
    session: AsyncSession,
    *,
    watch_id: int,
    since: datetime,
    until: datetime,
    kind: EventKind | None = None,
    limit: int = 60,
    after: str | None = None,
) -> EventPage:
    """What a watch noticed from one time until before another; the baseline is no news.

    Args:
        session: of the database.
        watch_id: the watch; of one that there is not, there are no events.
        since: from then on.
        until: and before then.
        kind: of this kind alone.
        limit: events of a page.
        after: `next` of the page before.

    Raises:
        InvalidQueryError: the number, the limit or the place cannot be used; names the field.
    """
    ID.check("watch_id", watch_id)
    LIMIT.check("limit", limit)
    moment, last = (None, None) if after is None else _decode(after)
    values = {
        "watch_id": watch_id,
        "since": since,
        "until": until,
        "kind": None if kind is None else kind.value,
        "room": limit + 1,
        "after_at": moment,
        "after_id": last,
    }
    rows = (await session.execute(_READ, values)).mappings().all()
    events = [WatchEvent.model_validate(row) for row in rows[:limit]]
    return EventPage(events=events, next=_encode(events[-1]) if len(rows) > limit else None)


def _encode(event: WatchEvent) -> str:
    since_epoch = event.occurred_at - _EPOCH
    document = json.dumps([since_epoch // timedelta(microseconds=1), event.event_id])
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def _decode(written: str) -> tuple[datetime, int]:
    try:
        encoded = written[:_LONGEST_CURSOR]
        moment, event_id = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        if encoded == written and type(event_id) is int and 0 < event_id < _LARGEST:
            return _EPOCH + timedelta(microseconds=int(moment)), event_id
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        pass
    raise InvalidQueryError("after", "is not where a page ended; take `next` of that page.")
