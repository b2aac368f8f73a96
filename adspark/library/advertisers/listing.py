"""The stored advertisers as a list, in an order, page by page from where the last one ended."""

from enum import StrEnum
from functools import partial
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.advertisers.stored import AdvertiserRow
from adspark.library.filters.definition import RUNNING_DAYS
from adspark.library.place import LARGEST_KEY, decode_place, encode_place, is_text
from adspark.validation.bounds import Range

LIMIT = Range(1, 1000)


class AdvertiserSort(StrEnum):
    """In which order advertisers are listed."""

    ADS = "ads"
    RUNNING = "running"
    LATEST = "latest"
    NAME = "name"


# The greatest first, but for names.
_KEYS = {
    AdvertiserSort.ADS: "ads",
    AdvertiserSort.RUNNING: "running",
    AdvertiserSort.LATEST: "coalesce(CAST(extract(epoch FROM last_seen_at) * 1000000 AS bigint), "
    f"-{LARGEST_KEY})",
    AdvertiserSort.NAME: "lower(name)",
}
_COUNTED = f"""
    SELECT a.advertiser_id, a.name, coalesce(c.ads, 0) AS ads, coalesce(c.running, 0) AS running,
        a.first_seen_at, a.last_seen_at
    FROM advertiser a LEFT JOIN (
        SELECT advertiser_id, count(*) AS ads, count(*) FILTER (
            WHERE last_shown >= now() - interval '{RUNNING_DAYS} days'
        ) AS running
        FROM creative GROUP BY advertiser_id
    ) AS c USING (advertiser_id)
"""  # noqa: S608  (a constant)
_NAMES = text("""
    SELECT advertiser_id, name FROM advertiser
    ORDER BY last_seen_at DESC NULLS LAST, advertiser_id LIMIT :limit
""")
_TOTAL = text("SELECT count(*) FROM advertiser")


class AdvertiserPage(BaseModel):
    """A page of advertisers."""

    advertisers: list[AdvertiserRow]
    total: int = Field(description="Of all pages.")
    next: str | None = Field(description="Where the next page begins; None: this was the last.")


async def list_advertiser_page(
    session: AsyncSession, *, sort: AdvertiserSort, limit: int, after: str | None = None
) -> AdvertiserPage:
    """A page of all stored advertisers.

    Args:
        sort: the order.
        limit: advertisers of a page.
        after: `next` of the page before.

    Raises:
        InvalidQueryError: the limit or the place cannot be used; names the field.
    """
    LIMIT.check("limit", limit)
    values: dict[str, Any] = {"room": limit + 1}
    if after is not None:
        key, advertiser_id = decode_place(after, sort, partial(_is_key, sort))
        values |= {"key": key, "id": advertiser_id}
    statement = text(_statement(sort, is_first=after is None))
    rows = (await session.execute(statement, values)).mappings().all()
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return AdvertiserPage(
        advertisers=[AdvertiserRow.model_validate(row) for row in shown],
        total=int(await session.scalar(_TOTAL) or 0),
        next=encode_place(sort, last["key"], last["advertiser_id"]) if last else None,
    )


async def list_names(session: AsyncSession, *, limit: int) -> dict[str, str]:
    """Names by the ids of advertisers, of those whose ads were shown last."""
    rows = await session.execute(_NAMES, {"limit": limit})
    return dict(rows.tuples().all())


def _statement(sort: AdvertiserSort, *, is_first: bool) -> str:
    is_name = sort is AdvertiserSort.NAME
    sign, direction = (">", "ASC") if is_name else ("<", "DESC")
    key = f"CAST(:key AS {'text' if is_name else 'bigint'})"
    after = f"(key {sign} {key} OR key = {key} AND advertiser_id > :id)"
    beyond = "true" if is_first else after
    return (
        f"SELECT * FROM (SELECT *, {_KEYS[sort]} AS key FROM ({_COUNTED}) AS counted) AS keyed "  # noqa: S608
        f"WHERE {beyond} ORDER BY key {direction}, advertiser_id LIMIT :room"
    )


def _is_key(sort: AdvertiserSort, key: object) -> bool:
    if sort is AdvertiserSort.NAME:
        return is_text(key)
    return type(key) is int and abs(key) <= LARGEST_KEY  # `true` of JSON is none
