"""What is new: events by watch between two times, and how completely it was looked at."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.news.events import EVENT_COLUMNS, EVENT_TABLES, WatchEvent
from adspark.models import Coverage, EventKind
from adspark.validation.bounds import Range

NAMED = Range(0, 100)

_WATCHES = text("""
    SELECT id AS watch_id, name, user_id, is_active, baseline_at, checked_at, complete_at, due_at,
        coverage, problem
    FROM watch WHERE CAST(:ids AS int[]) IS NULL OR id = ANY (CAST(:ids AS int[]))
    ORDER BY lower(name), id
""")
_COUNTS = text("""
    SELECT watch_id, kind, count(*) AS number FROM creative_event
    WHERE watch_id = ANY (:ids) AND occurred_at >= :since AND occurred_at < :until
        AND kind <> 'baseline'
    GROUP BY watch_id, kind
""")
_EVENTS = text(f"""
    SELECT {EVENT_COLUMNS}
    FROM unnest(CAST(:watches AS int[]), CAST(:kinds AS text[])) AS k (watch_id, kind)
        CROSS JOIN LATERAL (
            SELECT * FROM creative_event n
            WHERE n.watch_id = k.watch_id AND n.kind = k.kind
                AND n.occurred_at >= :since AND n.occurred_at < :until
            ORDER BY n.occurred_at DESC, n.id DESC LIMIT :named
        ) AS e {EVENT_TABLES}
    ORDER BY e.watch_id, e.kind, e.occurred_at DESC, e.id DESC
""")  # noqa: S608  (put together from constants)
# An empty list proves nothing, so it covers in part. One that is under way is not counted.
_LOOKS = text("""
    SELECT watch_id, count(*) FILTER (WHERE is_complete) AS complete,
        count(*) FILTER (WHERE status = 'completed' AND NOT is_complete) AS partial,
        count(*) FILTER (WHERE status IN ('failed', 'abandoned')) AS failed,
        max(started_at) FILTER (WHERE status <> 'running') AS last_at,
        max(started_at) FILTER (WHERE is_complete) AS last_complete_at,
        coalesce(sum(searches_billed), 0) AS searches_billed
    FROM (
        SELECT *, status = 'completed' AND stop_reason IN ('end', 'watermark')
            AND rejected_count = 0
            AND new_count + changed_count + unchanged_count > 0 AS is_complete
        FROM "fetch" WHERE watch_id = ANY (:ids) AND started_at >= :since AND started_at < :until
            AND NOT is_dry_run
    ) AS looked GROUP BY watch_id
""")


class Looks(BaseModel):
    """How completely a watch looked between two times.

    A look is complete where it reached what was known before, or the end of the list, and could
    read every ad; partial where it was cut off; failed where nothing came of it.
    """

    complete: int = 0
    partial: int = 0
    failed: int = 0
    last_at: datetime | None = Field(default=None, description="When the last one began.")
    last_complete_at: datetime | None = Field(default=None, description="The last complete one.")
    searches_billed: int = 0

    @property
    def coverage(self) -> Coverage:
        """Whether "nothing new" can be trusted of this time."""
        if self.complete:
            return Coverage.PARTIAL if self.partial or self.failed else Coverage.COMPLETE
        return Coverage.PARTIAL if self.partial else Coverage.NONE


class WatchNews(BaseModel):
    """What a watch noticed between two times, and its state now."""

    watch_id: int
    name: str
    user_id: int
    is_active: bool
    baseline_at: datetime | None = Field(description="None: it has never looked completely.")
    checked_at: datetime | None
    complete_at: datetime | None
    due_at: datetime
    coverage: Coverage | None = Field(description="Of its last look, as is `problem`.")
    problem: str | None
    counts: dict[EventKind, int] = Field(default_factory=dict, description="All of each kind.")
    events: dict[EventKind, list[WatchEvent]] = Field(
        default_factory=dict, description="The latest of each kind."
    )
    looks: Looks = Field(default_factory=Looks)


async def read_news_overview(
    session: AsyncSession,
    *,
    since: datetime,
    until: datetime,
    watch_ids: Sequence[int] | None = None,
    named: int = 12,
) -> list[WatchNews]:
    """What watches noticed from one time until before another, by the watches' names.

    Args:
        session: of the database.
        since: from then on.
        until: and before then.
        watch_ids: of these watches; None: of all.
        named: events of each kind that are listed, at most; all are counted.

    Raises:
        InvalidQueryError: `named` cannot be used.
    """
    NAMED.check("named", named)
    found = await session.execute(_WATCHES, {"ids": None if watch_ids is None else list(watch_ids)})
    watches = {row["watch_id"]: WatchNews.model_validate(row) for row in found.mappings()}
    span = {"ids": list(watches), "since": since, "until": until}
    for row in await session.execute(_COUNTS, span):
        watches[row.watch_id].counts[EventKind(row.kind)] = row.number
    for looked in (await session.execute(_LOOKS, span)).mappings():
        watches[looked["watch_id"]].looks = Looks.model_validate(looked)
    pairs = [(watch.watch_id, kind.value) for watch in watches.values() for kind in watch.counts]
    if pairs and named:
        ids, kinds = zip(*pairs, strict=True)
        values = {"watches": list(ids), "kinds": list(kinds), "named": named}
        for event in (await session.execute(_EVENTS, values | span)).mappings():
            one = WatchEvent.model_validate(event)
            watches[one.watch_id].events.setdefault(one.kind, []).append(one)
    return list(watches.values())
