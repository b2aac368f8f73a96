"""Rows of any kind: no value of any field keeps a page from being stored, or another ad from it."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from adspark.creatives.fetch import fetch_query
from adspark.db.engine import Database
from adspark.serpapi.payloads import CreativePayload
from tests.support.factories import creative_row, query
from tests.support.stand_in import StandIn

# Halves of characters too, which JSON can write and no text of a database can hold.
WORDS = (
    st.text(st.characters(exclude_categories=()))
    | st.sampled_from(
        ["", "100%", "380", "//host/x", "https://host/x", "2026-08-12", "NaN", "\x00"]
    )
    | st.integers(30_000, 30_001).map("x".__mul__)
)
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 0, 2**31, 2**63, 10**30, 4_102_444_800, 1_786_000_000])
    | st.floats()
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
REQUIRED = {"advertiser_id", "ad_creative_id", "format"}
OPTIONAL = sorted(set(CreativePayload.model_fields) - REQUIRED)
ROWS = st.lists(st.dictionaries(st.sampled_from(OPTIONAL), ODD), min_size=1, max_size=8)


def test_any_value_in_any_optional_field_keeps_the_ad(database_url: str) -> None:
    async def store(rows: list[dict[str, Any]]) -> tuple[int, int]:
        service = StandIn(rows)
        async with Database(database_url) as database, service.client() as client:
            async with database.session() as session:
                await session.execute(text('TRUNCATE creative, advertiser, "fetch" CASCADE'))
                await session.commit()
            summary = await fetch_query(database, client, query())
            async with database.session() as session:
                stored = await session.scalar(text("SELECT count(*) FROM creative"))
        return summary.rejected, int(stored or 0)

    @given(ROWS)
    def check(odd: list[dict[str, Any]]) -> None:
        rows = [creative_row(number) | fields for number, fields in enumerate(odd)]
        assert asyncio.run(store(rows)) == (0, len(rows))

    check()


def test_any_row_at_all_keeps_the_others(database_url: str) -> None:
    async def store(rows: list[Any]) -> tuple[int, int]:
        service = StandIn(rows)
        async with Database(database_url) as database, service.client() as client:
            async with database.session() as session:
                await session.execute(text('TRUNCATE creative, advertiser, "fetch" CASCADE'))
                await session.commit()
            summary = await fetch_query(database, client, query())
            async with database.session() as session:
                rejected = await session.scalar(text("SELECT count(*) FROM rejected_row"))
        return summary.new, int(rejected or 0)

    @given(st.lists(ODD, min_size=1, max_size=5))
    def check(odd: list[Any]) -> None:
        assert asyncio.run(store([creative_row(1), *odd, creative_row(2)])) == (2, len(odd))

    check()
