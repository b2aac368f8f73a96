"""Remove what is old, in small steps that block nobody: ads, advertisers, the ledger, pictures.

Every step is a transaction of its own over a batch of rows, forward by key; rows that somebody is
just writing to are left for the next time. An ad stays while a variant of it is being made, as long
as it is on a board, and for good once a variant is approved. An ad that is gone is forgotten by the
watches that have seen it.

A step holds its rows, then looks at them again, for a statement does not see what was committed
since it began: an ad that came onto a board in that moment stays as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.bounds import DAYS, Range
from adspark.database import Database
from adspark.media import MediaStore

BATCH = 1000  # rows a step; their locks are held for well under a second
LEAST_DAYS = {"fetches": 62}  # budgets and forecasts need two months of the ledger
_UNUSED_FOR = timedelta(days=1)  # before a picture goes; a variant's is kept before its row is


@dataclass(frozen=True)
class _Kind:
    """The statements of one kind of rows: hold a batch, remove what is still old of it, count."""

    hold: TextClause
    remove: TextClause
    count: TextClause
    first: object  # a key before all others
    hold_too: TextClause | None = None


def _kind(table: str, key: str, is_old: str, name: str, first: object = "") -> _Kind:
    """Rows of a table that go when `is_old` holds; `name` is that of their count."""
    hold = (
        f"SELECT {key} FROM {table} WHERE {key} > :after AND {is_old} "  # noqa: S608  (constants)
        "ORDER BY 1 LIMIT :batch FOR UPDATE SKIP LOCKED"
    )
    gone = f"DELETE FROM {table} WHERE {key} = ANY (:keys) AND {is_old} RETURNING 1"  # noqa: S608
    remove = f"WITH gone AS ({gone}) SELECT count(*) AS {name} FROM gone"  # noqa: S608
    count = f"SELECT count(*) AS {name} FROM {table} WHERE {is_old}"  # noqa: S608
    return _Kind(text(hold), text(remove), text(count), first)


# What an ad needs to go; `c` is the creative.
_IS_OLD = """
    coalesce(c.last_shown, c.created_at) < now() - make_interval(days => :days)
    AND NOT EXISTS (SELECT FROM board_creative b WHERE b.ad_creative_id = c.ad_creative_id)
    AND NOT EXISTS (
        SELECT FROM ad_variant v WHERE v.original_ad_id = c.ad_creative_id AND (
            v.status IN ('pending', 'processing')
            OR EXISTS (SELECT FROM variant_feedback f WHERE f.variant_id = v.id AND f.is_approved)
        )
    )
"""
_CREATIVES = replace(
    _kind("creative c", "ad_creative_id", _IS_OLD, "creatives"),
    # Nobody approves a variant that is held.
    hold_too=text("SELECT id FROM ad_variant WHERE original_ad_id = ANY (:keys) FOR UPDATE"),
    remove=text(f"""
        WITH old AS (
            SELECT ad_creative_id AS key FROM creative c
            WHERE ad_creative_id = ANY (:keys) AND {_IS_OLD}
        ), variants AS (
            DELETE FROM ad_variant WHERE original_ad_id IN (SELECT key FROM old) RETURNING 1
        ), creatives AS (
            DELETE FROM creative WHERE ad_creative_id IN (SELECT key FROM old) RETURNING 1
        )
        SELECT (SELECT count(*) FROM creatives) AS creatives,
            (SELECT count(*) FROM variants) AS variants
    """),  # noqa: S608  (put together from a constant)
    count=text(f"""
        SELECT count(*) AS creatives, (
            SELECT count(*) FROM ad_variant o JOIN creative c ON c.ad_creative_id = o.original_ad_id
            WHERE {_IS_OLD}
        ) AS variants
        FROM creative c WHERE {_IS_OLD}
    """),  # noqa: S608  (put together from a constant)
)
# One that a watch names stays: its name is what the watch is shown by.
_HAS_NOTHING = """
    NOT EXISTS (SELECT FROM creative c WHERE c.advertiser_id = a.advertiser_id)
    AND NOT EXISTS (SELECT FROM watch w WHERE a.advertiser_id = ANY (w.advertiser_ids))
"""
_ADVERTISERS = _kind("advertiser a", "advertiser_id", _HAS_NOTHING, "advertisers")
_IS_PAST = "{} < now() - make_interval(days => :days)"
_DATED = {
    "fetches": _kind('"fetch"', "id", _IS_PAST.format("started_at"), "fetches", UUID(int=0)),
    "rejected_rows": _kind("rejected_row", "id", _IS_PAST.format("created_at"), "rejected_rows", 0),
    "messages": _kind("message", "id", _IS_PAST.format("delivered_at"), "messages", 0),
}
_PICTURES = text("""
    SELECT original_path FROM ad_variant WHERE original_path IS NOT NULL
    UNION SELECT image_path FROM ad_variant WHERE image_path IS NOT NULL
""")
_IS_USED = text(
    "SELECT EXISTS (SELECT FROM ad_variant WHERE original_path = :at OR image_path = :at)"
)


class Retention(BaseModel):
    """For how many days what is kept.

    Attributes:
        days_old: ads, after they were shown last.
        fetches: entries of the ledger, after they were begun.
        rejected_rows: rows that could not be read.
        messages: digests, after they were delivered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    days_old: int = 90
    fetches: int = 400
    rejected_rows: int = 30
    messages: int = 90


class CleanupSummary(BaseModel):
    """What was removed, or would be in a dry run; the result of `cleanup-old-creatives`."""

    dry_run: bool
    creatives: int = 0
    variants: int = 0
    advertisers: int = 0
    fetches: int = 0
    rejected_rows: int = 0
    messages: int = 0
    pictures: int = 0
    picture_bytes: int = 0

    @property
    def headline(self) -> str:
        """What was removed, in one line."""
        counts = self.model_dump(exclude={"dry_run", "picture_bytes"})
        told = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
        size = f" ({self.picture_bytes / 2**20:.1f} MB)" if self.pictures else ""
        verb = "would remove" if self.dry_run else "removed"
        return f"{verb} {', '.join(told)}{size}" if told else f"{verb} nothing"


def check_retention(retention: Retention) -> Retention:
    """Refuse what would remove what is still needed.

    Raises:
        InvalidQueryError: names the field and the least it can be.
    """
    for field, days in retention:
        Range(LEAST_DAYS.get(field, 1), DAYS.most).check(field, days)
    return retention


async def clean_up(
    database: Database,
    media: MediaStore,
    retention: Retention,
    *,
    dry_run: bool = False,
    batch: int = BATCH,
    on_step: Callable[[CleanupSummary], None] = lambda _: None,
) -> CleanupSummary:
    """Remove what is older than it is kept; a second run removes nothing more.

    Args:
        dry_run: count, remove nothing. Advertisers and pictures that become free by what would be
            removed are not foreseen.
        on_step: told what was removed so far, after each step.

    Raises:
        InvalidQueryError: something would be kept too short.
        AdSparkError: the database or the media store does not work.
    """
    check_retention(retention)
    summary = CleanupSummary(dry_run=dry_run)
    work = _Work(database, summary, batch, on_step)
    await work.do(_CREATIVES, days=retention.days_old)
    await work.do(_ADVERTISERS, days=0)
    for field, kind in _DATED.items():
        await work.do(kind, days=getattr(retention, field))
    await _remove_pictures(database, media, summary)
    return summary


class _Work:
    """Steps of one clean-up, and what they have come to."""

    def __init__(
        self,
        database: Database,
        summary: CleanupSummary,
        batch: int,
        on_step: Callable[[CleanupSummary], None],
    ) -> None:
        self._database = database
        self._summary = summary
        self._batch = batch
        self._on_step = on_step

    async def do(self, kind: _Kind, *, days: int) -> None:
        """Remove one kind of rows, or count them."""
        if self._summary.dry_run:
            async with self._database.session() as session:
                await self._take(session, kind.count, {"days": days})
            return
        keys: Sequence[object] = [kind.first]
        while keys:
            values = {"after": keys[-1], "days": days, "batch": self._batch}
            async with self._database.session() as session:
                if keys := (await session.scalars(kind.hold, values)).all():
                    if kind.hold_too is not None:
                        await session.execute(kind.hold_too, {"keys": keys})
                    await self._take(session, kind.remove, {"keys": keys, "days": days})
                await session.commit()
            self._on_step(self._summary)

    async def _take(
        self, session: AsyncSession, statement: TextClause, values: dict[str, object]
    ) -> None:
        """Add up what a statement tells."""
        for name, number in (await session.execute(statement, values)).mappings().one().items():
            setattr(self._summary, name, getattr(self._summary, name) + number)


async def _remove_pictures(database: Database, media: MediaStore, summary: CleanupSummary) -> None:
    """Remove the pictures that no variant has, unless they are new."""
    limit = datetime.now(UTC) - _UNUSED_FOR
    stored = await media.list_pictures()
    async with database.session() as session:
        used = set(await session.scalars(_PICTURES))
        for path in sorted(stored.keys() - used):
            # Asked again, for a variant that is just being made may have come to share it.
            if await media.changed_at(path) > limit or await session.scalar(_IS_USED, {"at": path}):
                continue
            if not summary.dry_run:
                await media.remove(path)
            summary.pictures += 1
            summary.picture_bytes += stored[path]
