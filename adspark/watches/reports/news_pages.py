"""What is new in all watches together, a page of watches at a time, with the pictures of events."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import EventKind
from adspark.watches.budgets import NEXT_LOOK
from adspark.watches.events import EventCounts
from adspark.watches.reports.looks import OVERDUE_AFTER, WatchLooks

NEWS_KINDS = (EventKind.NEW, EventKind.CHANGED, EventKind.REACTIVATED, EventKind.ENDED)
"""Kinds of events that are news, in the order in which they are shown."""

_ALL_KINDS = ", ".join(f"'{kind}'" for kind in EventKind)
_COUNTS = ", ".join(
    f"count(*) FILTER (WHERE kind = '{kind}')::int AS {kind.value}" for kind in EventKind
)
_SUMS = ", ".join(f"'{kind}', coalesce(sum({kind}), 0)" for kind in EventKind)
_OVERDUE = f"interval '{OVERDUE_AFTER.total_seconds()} seconds'"
_PAGE = text(f"""
    WITH counted AS MATERIALIZED (
        SELECT w.id, w.name, w.user_id, w.is_active, l.next_look, w.checked_at, w.coverage,
            w.problem, w.baseline_at, w.complete_at, w.has_gaps, n.*,
            n.new + n.changed + n.reactivated + n.ended > 0 AS has_news,
            w.is_active AND (w.coverage IS DISTINCT FROM 'complete'
                OR l.next_look IS NULL OR l.next_look < now() - {_OVERDUE}) AS is_incomplete
        FROM watch w CROSS JOIN LATERAL (SELECT {NEXT_LOOK} AS next_look OFFSET 0) AS l
        CROSS JOIN LATERAL (
            SELECT {_COUNTS} FROM creative_event e
            WHERE e.watch_id = w.id AND e.kind IN ({_ALL_KINDS}) AND e.occurred_at >= :since
        ) AS n
        WHERE CAST(:watch_id AS int) IS NULL OR w.id = :watch_id
    )
    SELECT
        (SELECT json_build_object(
            'watches', count(*), 'with_news', count(*) FILTER (WHERE has_news),
            'incomplete', count(*) FILTER (WHERE is_incomplete),
            'paused', count(*) FILTER (WHERE NOT is_active),
            'next_due', min(next_look),
            'counts', json_build_object({_SUMS})
        ) FROM counted) AS totals,
        (SELECT coalesce(json_agg(one), '[]') FROM (
            SELECT *, (SELECT u.name FROM app_user u WHERE u.user_id = counted.user_id) AS user
            FROM counted
            WHERE CASE :shown WHEN 'news' THEN has_news
                WHEN 'incomplete' THEN is_incomplete ELSE true END
            ORDER BY has_news DESC, is_incomplete DESC, lower(name), id
            LIMIT :limit OFFSET :offset
        ) AS one) AS page
""")  # noqa: S608  (put together from constants)
MOST_COUNTED = 1000
"""Ads of a watch and a kind that are counted; there are more where the number is greater."""
_COUNT_ADS = text("""
    SELECT wanted.watch_id, wanted.kind, (
        SELECT CASE WHEN count(*) > :most THEN count(*) ELSE count(DISTINCT c.ad_creative_id) END
        FROM (
            SELECT ad_creative_id FROM creative_event e
            WHERE e.watch_id = wanted.watch_id AND e.kind = wanted.kind
            ORDER BY occurred_at DESC LIMIT :most + 1
        ) AS latest LEFT JOIN creative c USING (ad_creative_id)
    ) AS ads
    FROM unnest(CAST(:watch_ids AS int[]), CAST(:kinds AS text[])) AS wanted (watch_id, kind)
""")
# What a changed ad looked like before is the version that the watch's event before speaks of, else
# the one that was kept last before the new one.
_BEFORE = """
    SELECT v.thumbnail_path FROM picture_version v
    WHERE e.kind = 'changed' AND v.ad_creative_id = e.ad_creative_id
        AND v.content_hash <> e.content_hash
        AND (v.source_url IS NOT NULL OR v.status = 'stored')
    ORDER BY v.content_hash = (
            SELECT p.content_hash FROM creative_event p
            WHERE p.ad_creative_id = e.ad_creative_id AND p.watch_id = e.watch_id AND p.id < e.id
            ORDER BY p.id DESC LIMIT 1
        ) DESC NULLS LAST,
        v.first_seen_at <= e.occurred_at DESC, v.first_seen_at DESC, v.id DESC
    LIMIT 1
"""
_EVENTS = text(f"""
    SELECT e.id, e.watch_id, e.kind, e.occurred_at, e.ad_creative_id,
        coalesce(a.name, l.advertiser_id, '') AS advertiser,
        c.ad_creative_id IS NOT NULL AS is_stored,
        (SELECT v.thumbnail_path FROM picture_version v
         WHERE v.ad_creative_id = e.ad_creative_id AND v.content_hash = e.content_hash
        ) AS picture,
        ({_BEFORE}) AS picture_before
    FROM unnest(CAST(:watch_ids AS int[])) AS i (watch_id)
        CROSS JOIN unnest(CAST(:kinds AS text[])) AS k (kind)
        CROSS JOIN LATERAL (
            SELECT * FROM creative_event o
            WHERE o.watch_id = i.watch_id AND o.kind = k.kind AND o.occurred_at >= :since
            ORDER BY o.occurred_at DESC LIMIT :most
        ) AS e
        LEFT JOIN creative c USING (ad_creative_id)
        LEFT JOIN watch_creative l
            ON l.watch_id = e.watch_id AND l.ad_creative_id = e.ad_creative_id
        LEFT JOIN advertiser a ON a.advertiser_id = coalesce(c.advertiser_id, l.advertiser_id)
    ORDER BY e.occurred_at DESC, e.id DESC
""")  # noqa: S608  (put together from constants)


class Shown(StrEnum):
    """Which watches are shown: all, those with news, or those that were not fully looked at."""

    ALL = "all"
    NEWS = "news"
    INCOMPLETE = "incomplete"


class NewsEvent(BaseModel):
    """Something that a watch noticed, with pictures; paths in the media store.

    `picture` is of the ad's version that was noticed, None as long as it is not kept.
    """

    id: int
    watch_id: int
    kind: EventKind
    occurred_at: datetime
    ad_creative_id: str
    advertiser: str
    is_stored: bool = Field(description="False: the ad was cleaned up since.")
    picture: str | None
    picture_before: str | None = Field(description="Of the version before a change.")


class WatchNews(WatchLooks, EventCounts):
    """A watch, how many events of each kind it has, and how complete its looks were."""

    id: int
    name: str
    user_id: int
    user: str | None = Field(description="Name of the user whose it is.")


class NewsTotals(BaseModel):
    """Figures of all watches: `incomplete` were not fully looked at, or not in time."""

    watches: int
    with_news: int
    incomplete: int
    paused: int
    next_due: datetime | None = Field(description="Of the next look of any; None: there is none.")
    counts: EventCounts


class NewsPage(BaseModel):
    """A page of watches; those with news come first, then those not fully looked at."""

    totals: NewsTotals
    watches: list[WatchNews]


async def read_news_page(
    session: AsyncSession,
    *,
    since: datetime,
    watch_id: int | None = None,
    shown: Shown = Shown.ALL,
    limit: int,
    offset: int = 0,
) -> NewsPage:
    """A page of all users' watches with the number of events since then.

    Args:
        since: events from this moment on.
        watch_id: only this one; the totals are of it, too. None: all.
        shown: which watches.
        limit: watches of a page.
        offset: watches before it.
    """
    values = {
        "since": since,
        "watch_id": watch_id,
        "shown": shown.value,
        "limit": limit,
        "offset": offset,
    }
    found = (await session.execute(_PAGE, values)).one()
    return NewsPage(totals=found.totals, watches=found.page)


async def read_news_events(
    session: AsyncSession,
    *,
    watch_ids: Sequence[int],
    since: datetime,
    most: int,
) -> list[NewsEvent]:
    """The latest events of each kind of some watches, the latest first.

    Args:
        watch_ids: of the watches.
        since: events from this moment on.
        most: events of each kind of each watch.
    """
    values = {
        "watch_ids": list(watch_ids),
        "since": since,
        "most": most,
        "kinds": [kind.value for kind in NEWS_KINDS],
    }
    rows = (await session.execute(_EVENTS, values)).mappings()
    return [NewsEvent.model_validate(row) for row in rows]


async def count_ads_of_events(
    session: AsyncSession, *, which: Collection[tuple[int, EventKind]]
) -> dict[tuple[int, EventKind], int]:
    """How many stored ads have events, ever, of these watches and kinds: those that the library
    finds by both; more than `MOST_COUNTED` where there are so many events."""
    values = {
        "watch_ids": [watch_id for watch_id, _ in which],
        "kinds": [kind.value for _, kind in which],
        "most": MOST_COUNTED,
    }
    rows = await session.execute(_COUNT_ADS, values)
    return {(row.watch_id, EventKind(row.kind)): row.ads for row in rows}
