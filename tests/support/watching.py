"""What tests of watches share: a place with a database and a sandbox, and words for acts."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Watch
from adspark.serpapi.client import DEFAULT_TIMEOUT, Gate, SerpApiClient, no_gate
from adspark.watches.admission import SweepGate
from adspark.watches.check import Checker, WatchSummary
from adspark.watches.sharing.due import read_due
from adspark.watches.sweep import Sweep
from adspark.watches.sweep_store import SweepSummary
from tests.support import asking
from tests.support.factories import ADVERTISER_ID
from tests.support.stand_in import StandIn

KEY = SecretStr("sandbox-key")
BLOCKED = """
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
"""A row for each connection that waits for another one's transaction."""


class Died(BaseException):
    """The process is gone; nothing in it may tidy up."""


@dataclass
class Place:
    """Where a test watches: its database and its sandbox."""

    database: Database
    url: str
    transport: httpx.AsyncBaseTransport | None = None
    timeout: float = DEFAULT_TIMEOUT

    async def add(self, **changes: Any) -> int:  # noqa: ANN401
        """Store a watch; returns its id."""
        fields: dict[str, Any] = {
            "user_id": 1,
            "name": "a watch",
            "advertiser_ids": [ADVERTISER_ID],
        } | changes
        watch = Watch(**fields)
        async with self.database.session() as session:
            session.add(watch)
            await session.commit()
            await session.refresh(watch)
        return watch.id

    @asynccontextmanager
    async def checker(self, flow_run_id: UUID | None = None) -> AsyncIterator[Checker]:
        """What a process checks with."""
        async with (
            SerpApiClient(
                KEY, base_url=self.url, transport=self.transport, timeout=self.timeout
            ) as client,
            self.database.locks() as locks,
        ):
            yield Checker(self.database, client, locks, flow_run_id)

    async def check(self, watch_id: int, before_search: Gate = no_gate) -> WatchSummary:
        """Check one watch."""
        async with self.checker() as checker:
            return await checker.check(watch_id, before_search=before_search)

    async def sweep(self, gate: SweepGate | None = None, **options: Any) -> SweepSummary:  # noqa: ANN401
        """Check all that are due."""
        async with self.checker() as checker:
            async with self.database.session() as session:
                due = await read_due(session)
            return await Sweep(checker, gate or SweepGate(), **options).run(due)

    async def make_due(self) -> None:
        """An interval passes."""
        await self.change("UPDATE watch SET due_at = now() - interval '1 second'")

    async def events(self, watch_id: int | None = None, *, baseline: bool = False) -> Counter[Any]:
        """How often each (kind, creative) happened, of one watch or of each: (watch, …)."""
        rows = await self.rows("SELECT watch_id, kind, ad_creative_id FROM creative_event")
        wanted = [row for row in rows if baseline or row.kind != "baseline"]
        if watch_id is not None:
            return Counter(tuple(row)[1:] for row in wanted if row.watch_id == watch_id)
        return Counter(tuple(row) for row in wanted)

    async def watch(self, watch_id: int) -> Any:  # noqa: ANN401
        """The watch's row."""
        (row,) = await self.rows(f"SELECT * FROM watch WHERE id = {watch_id}")
        return row

    async def rows(self, statement: str) -> list[Any]:
        """The rows of a query."""
        async with self.database.session() as session:
            return list(await session.execute(text(statement)))

    async def change(self, statement: str) -> None:
        """Carry out a statement."""
        async with self.database.session() as session:
            await session.execute(text(statement))
            await session.commit()

    def ads(self, advertiser_id: str = ADVERTISER_ID) -> list[dict[str, Any]]:
        """The advertiser's ads as the sandbox tells them now; costs a search."""
        parameters = {
            "engine": "google_ads_transparency_center",
            "advertiser_id": advertiser_id,
            "api_key": KEY.get_secret_value(),
            "num": "99",  # another search than a watch's, so that it is not answered from the cache
            "no_cache": "true",
        }
        body = asking.get(f"{self.url}/search.json", params=parameters).json()
        rows: list[dict[str, Any]] = body["ad_creatives"]
        return rows

    def change_ads(self, *changes: dict[str, Any]) -> None:
        """Let the Transparency Center's ads be others: all changes at once, instead of earlier."""
        asking.put(f"{self.url}/sandbox/changes", json=list(changes)).raise_for_status()

    def switch_on(self, *faults: dict[str, Any]) -> None:
        """Let the sandbox misbehave."""
        asking.put(f"{self.url}/sandbox/faults", json=list(faults)).raise_for_status()

    @property
    def stats(self) -> dict[str, int]:
        """The sandbox's counters."""
        counters: dict[str, int] = asking.get(f"{self.url}/sandbox/stats").json()
        return counters


@dataclass
class StandInPlace(Place):
    """A place whose answers come from a stand-in of SerpApi, as the test lays them out."""

    service: StandIn = field(default_factory=StandIn)

    @asynccontextmanager
    async def checker(self, flow_run_id: UUID | None = None) -> AsyncIterator[Checker]:
        async with self.service.client() as client, self.database.locks() as locks:
            yield Checker(self.database, client, locks, flow_run_id)
