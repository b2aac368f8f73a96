"""What tests of the digest share: a database in which something happened."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from adspark.db.engine import Database
from adspark.media.images import inspect_picture
from adspark.media.store import MediaStore
from adspark.models import Advertiser, Creative, CreativeEvent, EventKind, Watch, WatchCreative
from adspark.notifications.digest import read_digest
from adspark.notifications.digest_text import Digest
from tests.support.factories import ADVERTISER_ID

LOOKED = datetime.fromisoformat("2026-07-28T07:00:00Z")
TOLD = datetime.fromisoformat("2026-07-28T08:00:00Z")
NOW = datetime.fromisoformat("2026-07-29T08:00:00Z")


@dataclass
class Story:
    """Things that happened to watches, written straight into the tables."""

    database: Database

    async def begin(self, advertiser: str = "New Balance") -> None:
        """There is an advertiser."""
        await self._add(Advertiser(advertiser_id=ADVERTISER_ID, name=advertiser))

    async def watch(self, name: str = "shoes", **changes: Any) -> int:  # noqa: ANN401
        """A watch that was looked at completely and is not due yet."""
        fields: dict[str, Any] = {
            "user_id": 1,
            "name": name,
            "advertiser_ids": [ADVERTISER_ID],
            "due_at": NOW,
            "baseline_at": datetime.fromisoformat("2026-07-01T00:00:00Z"),
            "complete_at": LOOKED,
            "checked_at": LOOKED,
            "coverage": "complete",
        } | changes
        watch = Watch(**fields)
        await self._add(watch)
        return watch.id

    async def ad(
        self,
        watch_id: int,
        number: int,
        kind: EventKind | None = EventKind.NEW,
        *,
        is_ended: bool = False,
        **changes: Any,  # noqa: ANN401
    ) -> None:
        """A creative that the watch knows, with an event of that kind that nobody was told."""
        fields: dict[str, Any] = {
            "ad_creative_id": f"CR{number:020d}",
            "advertiser_id": ADVERTISER_ID,
            "format": "image",
            "width": 380,
            "height": 199,
            "target_domain": "newbalance.com",
            "first_shown": datetime.fromisoformat("2026-07-20T23:30:00Z"),
            "last_shown": datetime.fromisoformat("2026-07-27T23:30:00Z"),
            "total_days_shown": number,
            "details_link": f"https://adstransparency.google.com/creative/{number}",
        } | changes
        ad_creative_id = fields["ad_creative_id"]
        await self._add(Creative(**fields))
        ended_at = NOW if is_ended else None
        await self._add(
            WatchCreative(
                watch_id=watch_id,
                ad_creative_id=ad_creative_id,
                content_hash="",
                ended_at=ended_at,
            )
        )
        if kind:
            await self.event(watch_id, number, kind)

    async def event(self, watch_id: int, number: int, kind: EventKind) -> None:
        """Something happened to a creative that is there already."""
        notified_at = TOLD if kind is EventKind.BASELINE else None
        await self._add(
            CreativeEvent(
                watch_id=watch_id,
                ad_creative_id=f"CR{number:020d}",
                kind=kind,
                content_hash="",
                notified_at=notified_at,
            )
        )

    async def picture(self, number: int, media: MediaStore, content: bytes) -> str:
        """The picture of a creative was archived; returns the path of its thumbnail."""
        inspected = await inspect_picture(content)
        path, thumbnail = await media.save_archived(content, inspected)
        await self.change(
            "INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path, "
            "thumbnail_path, picture_bytes, thumbnail_bytes, stored_at) "
            f"SELECT ad_creative_id, content_hash, 'stored', '{inspected.info.sha256}', '{path}', "
            f"'{thumbnail}', 1, 1, now() FROM creative WHERE ad_creative_id = 'CR{number:020d}'"
        )
        return thumbnail

    async def region(
        self, number: int, region: str, since: datetime, first_shown: date | None = None
    ) -> None:
        """A creative was first found to be shown in a country, perhaps with since when it was; a
        digest that was sent since then has seen it."""
        day = f"'{first_shown}'" if first_shown else "NULL"
        await self.change(
            "INSERT INTO creative_region (ad_creative_id, region, first_seen_at, first_shown, "
            f"digested_at) VALUES ('CR{number:020d}', '{region}', '{since.isoformat()}', {day}, "
            f"(SELECT min(digested_at) FROM watch WHERE digested_at >= '{since.isoformat()}'))"
        )

    async def change(self, statement: str) -> None:
        """Carry out a statement."""
        async with self.database.session() as session:
            await session.execute(text(statement))
            await session.commit()

    async def count(self, condition: str) -> int:
        """How many rows there are of "table WHERE …"."""
        async with self.database.session() as session:
            return int(await session.scalar(text(f"SELECT count(*) FROM {condition}")) or 0)

    async def digest(self, now: datetime = NOW) -> Digest:
        """What would be told."""
        async with self.database.session() as session:
            return await read_digest(session, now=now)

    async def _add(self, row: object) -> None:
        async with self.database.session() as session:
            session.add(row)
            await session.commit()
