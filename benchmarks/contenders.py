"""The ways to store a page: AdSpark's own, psycopg with SQL by hand, and a row at a time."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID, uuid4

from psycopg import AsyncConnection, Connection
from pydantic import TypeAdapter

from adspark.creatives.ledger import record_page, resume_or_create_fetch
from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.models import Fetch
from adspark.serpapi.payloads import CreativePayload, SearchPage
from adspark.serpapi.search_query import CreativeQuery
from benchmarks import peer_sql
from benchmarks.workload import REGION

# Column of `creative` (and the advertiser's name) -> field of the payload.
_FIELDS = {
    "ad_creative_id": "ad_creative_id",
    "advertiser_id": "advertiser_id",
    "format": "format",
    "image_url": "image",
    "video_link": "link",
    "width": "width",
    "height": "height",
    "target_domain": "target_domain",
    "first_shown": "first_shown",
    "last_shown": "last_shown",
    "total_days_shown": "total_days_shown",
    "details_link": "details_link",
    "views_min": "minimum_views_count",
    "views_max": "maximum_views_count",
    "budget_min": "minimum_budget_spent",
    "budget_max": "maximum_budget_spent",
    "advertiser": "advertiser",
}
_ROWS = TypeAdapter(list[CreativePayload])
_QUERY: dict[str, list[str]] = {"regions": [REGION], "platforms": []}


class Contender(Protocol):
    """A way to store pages."""

    @property
    def name(self) -> str:
        """As the table shows it."""
        ...

    async def open(self, name: str) -> None:
        """Begin a fetch called `name`; not measured."""
        ...

    async def store(self, page: SearchPage) -> None:
        """Store a page and commit; measured."""
        ...


class AdSparkContender:
    """What `fetch_query` does with a page."""

    name = "AdSpark"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fetch = Fetch(query={}, query_hash="")

    async def open(self, name: str) -> None:
        """Open a line in the ledger."""
        query = CreativeQuery(text=name, region=REGION)
        self._fetch = await resume_or_create_fetch(self._database, query=query)

    async def store(self, page: SearchPage) -> None:
        """A session, the rows, the ledger, one commit."""
        async with self._database.session() as session:
            saved = await save_creatives(session, rows=page.rows, region=REGION)
            await record_page(session, fetch=self._fetch, page=page, saved=saved)
            await session.commit()


class HandWrittenContender:
    """The bare driver on a connection of its own: one prepared merge, one UPDATE, one commit.

    Args:
        as_json: send a page as one JSON document, not as an array a column; the fastest known.
    """

    def __init__(self, connection: AsyncConnection, *, as_json: bool = False) -> None:
        self._connection = connection
        self._statement = peer_sql.SAVE_JSON if as_json else peer_sql.SAVE_ARRAYS
        self._write = _json if as_json else _arrays
        self._id: UUID = uuid4()
        self.name = "psycopg by hand, " + ("JSON" if as_json else "arrays")

    async def open(self, name: str) -> None:
        """Open a line in the ledger."""
        self._id = uuid4()
        await self._connection.execute(peer_sql.OPEN_FETCH, {"id": self._id, "name": name})
        await self._connection.commit()

    async def store(self, page: SearchPage) -> None:
        """The rows, the ledger, one commit."""
        values = self._write(page.rows) | _QUERY
        cursor = await self._connection.execute(self._statement, values, prepare=True)
        told = await cursor.fetchall()
        new = sum(inserted for _, inserted in told)
        figures = {
            "id": self._id,
            "search_id": page.searches[0].id,
            "age": page.searches[0].age,
            "token": page.next_page_token,
            "new": new,
            "changed": len(told) - new,
            "unchanged": len(page.rows) - len(told),
            "rejected": len(page.rejected),
        }
        await self._connection.execute(peer_sql.RECORD_PAGE, figures, prepare=True)
        await self._connection.commit()


class RowByRowContender:
    """The same merge a row at a time: two prepared statements each, no SELECT, no ledger.

    On psycopg's plain connection, which spends less on a statement than the async one does.
    """

    def __init__(self, connection: Connection, *, commit_each_row: bool) -> None:
        self._connection = connection
        self._commit_each_row = commit_each_row
        self.name = "row by row, " + ("commit each" if commit_each_row else "one commit")

    async def open(self, name: str) -> None:
        """Nothing: it keeps no ledger."""

    async def store(self, page: SearchPage) -> None:
        """Each row's advertiser, then the row."""
        for row in page.rows:
            values = _row_values(row)
            self._connection.execute(peer_sql.SAVE_ADVERTISER, values, prepare=True)
            self._connection.execute(peer_sql.SAVE_CREATIVE, values, prepare=True)
            if self._commit_each_row:
                self._connection.commit()
        self._connection.commit()


def _arrays(rows: Sequence[CreativePayload]) -> dict[str, Any]:
    return {name: [getattr(row, field) for row in rows] for name, field in _FIELDS.items()}


def _json(rows: Sequence[CreativePayload]) -> dict[str, Any]:
    return {"rows": _ROWS.dump_json(list(rows), exclude_none=True).decode()}


def _row_values(row: CreativePayload) -> dict[str, Any]:
    return {name: getattr(row, field) for name, field in _FIELDS.items()} | _QUERY
