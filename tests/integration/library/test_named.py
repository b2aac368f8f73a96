"""Whom a name means: every stored advertiser of it, or an error, never some of them unsaid."""

import pytest

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.library.advertisers.named import (
    find_advertisers,
    resolve_advertiser,
    resolve_advertisers,
)
from adspark.library.filters.written import WrittenFilters
from adspark.library.search.page import search_ads
from tests.support.exporting import export
from tests.support.factories import creative
from tests.support.stored_ads import change


@pytest.fixture
async def shops(database: Database) -> Database:
    """Thirty advertisers of one name and one domain, with an ad each."""
    rows = [
        creative(
            number, advertiser_id=f"AR{number:020d}", advertiser="Acme Shoes",
            target_domain="shop.example.com",
        )
        for number in range(1, 31)
    ]  # fmt: skip
    async with database.session() as session:
        await save_creatives(session, rows=rows)
        await session.commit()
    return database


@pytest.mark.parametrize("name", ["Acme Shoes", "acme", "shop.example.com"])
async def test_a_name_means_every_advertiser_that_has_it(shops: Database, name: str) -> None:
    written = WrittenFilters(advertiser=[name])
    async with shops.session() as session:
        page = await search_ads(session, filters=await written.resolve(session), limit=100)
        with pytest.raises(InvalidQueryError, match="30 are called"):
            await resolve_advertiser(session, name=name)
        listed = await find_advertisers(session, name=name)
    assert (len(page.ads), page.total, page.is_total_exact) == (30, 30, True)
    assert (await export(shops, "a.jsonl", filters=written)).ads == 30
    assert len(listed.advertisers) == 20  # a list to look at


async def test_a_name_of_more_than_can_be_read_is_refused(database: Database) -> None:
    await change(
        database,
        "INSERT INTO advertiser (advertiser_id, name) SELECT 'AR' || lpad(n::text, 20, '0'), "
        "'Acme ' || n FROM generate_series(1, 1001) AS n",
    )
    async with database.session() as session:
        with pytest.raises(
            InvalidQueryError, match=r"more than 1,000 are called 'acme'; write more of the name"
        ):
            await resolve_advertisers(session, names=["acme"])
    await change(database, f"DELETE FROM advertiser WHERE advertiser_id = 'AR{1:020d}'")
    async with database.session() as session:
        assert len(await resolve_advertisers(session, names=["acme"])) == 1000
