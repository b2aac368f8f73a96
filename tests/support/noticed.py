"""Watches whose looks and events are as a test wants them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Coverage, EventKind, Fetch, FetchStatus, Watch
from adspark.watches.definition import definition_of
from tests.support.factories import ADVERTISER_ID
from tests.support.library import ad

_EVENT = text("""
    INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash, occurred_at)
    VALUES (:watch_id, :ad, :kind, coalesce(
        :content_hash, (SELECT content_hash FROM creative WHERE ad_creative_id = :ad), ''), :at)
""")
_PICTURE = text("""
    INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path,
        thumbnail_path, source_url, first_seen_at)
    VALUES (:ad, coalesce(:content_hash, (SELECT content_hash FROM creative
        WHERE ad_creative_id = :ad)), 'stored', :thumbnail, :thumbnail, :thumbnail, 'x', :at)
""")


def ago(**span: float) -> datetime:
    """The moment so long ago."""
    return datetime.now(UTC) - timedelta(**span)


async def add_watch(database: Database, **changes: Any) -> int:  # noqa: ANN401
    """A watch that was looked at completely, again and again; returns its number."""
    fields: dict[str, Any] = {
        "user_id": 1,
        "name": "shoes",
        "advertiser_ids": [ADVERTISER_ID],
        "coverage": Coverage.COMPLETE,
        "checked_at": ago(minutes=5),
        "complete_at": ago(minutes=6),
        "baseline_at": ago(days=30),
        "due_at": ago(minutes=-55),
    }
    watch = Watch(**fields | changes)
    async with database.session() as session:
        session.add(watch)
        await session.commit()
        await session.refresh(watch)
    return watch.id


async def add_looks(database: Database, watch_id: int, billed: Iterable[int]) -> None:
    """Looks at a watch's present search that were completed just now, each with its searches."""
    async with database.session() as session:
        query = definition_of(await session.get_one(Watch, watch_id)).query
        session.add_all(
            Fetch(
                query=query.model_dump(mode="json"),
                query_hash=query.hash,
                watch_id=watch_id,
                status=FetchStatus.COMPLETED,
                searches_billed=number,
            )
            for number in billed
        )
        await session.commit()


async def add_event(
    database: Database,
    watch_id: int,
    kind: EventKind,
    number: int,
    *,
    content_hash: str | None = None,
    at: datetime | None = None,
) -> None:
    """Something that the watch noticed of an ad, by default an hour ago of its present version."""
    values = {
        "watch_id": watch_id,
        "ad": ad(number),
        "kind": kind.value,
        "content_hash": content_hash,
        "at": at or ago(hours=1),
    }
    async with database.session() as session:
        await session.execute(_EVENT, values)
        await session.commit()


async def add_picture(
    database: Database,
    number: int,
    thumbnail: str,
    *,
    content_hash: str | None = None,
    at: datetime,
) -> None:
    """A kept picture of an ad's version, by default the present one."""
    values = {"ad": ad(number), "thumbnail": thumbnail, "content_hash": content_hash, "at": at}
    async with database.session() as session:
        await session.execute(_PICTURE, values)
        await session.commit()
