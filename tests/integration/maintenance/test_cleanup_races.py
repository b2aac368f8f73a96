"""Clean-up beside people: what they keep at that moment stays, or they are told that it is gone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.boards import add_ads, create_board, find_board
from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.maintenance.cleanup import CleanupSummary, Retention, clean_up
from adspark.media.store import MediaStore
from adspark.variants.reviews.store import Review, save_review
from tests.support.stored_ads import LET_VARIANTS_AGE, change, ids, stock
from tests.support.variants_at_hand import AD, OTHER, ask, finish

STORED = "SELECT ad_creative_id FROM creative ORDER BY 1"
_GATE = 7  # the advisory lock that the clean-up waits for
# A statement's picture of the database is taken before it first asks for an age.
_WAIT_AT_GATE = f"""
    CREATE FUNCTION make_interval(days int) RETURNS interval LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared({_GATE});
        RETURN pg_catalog.make_interval(days => days);
    END $$
"""


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(str(tmp_path / "media"))


@pytest.fixture
async def gated(database: Database, database_url: str) -> AsyncIterator[Database]:
    """Connections whose clean-up waits at the gate, in the midst of looking for what is old."""
    await change(database, _WAIT_AT_GATE)
    address = f"{database_url}&options=-csearch_path%3Dpublic%2Cpg_catalog"
    async with Database(address) as made:
        yield made


@pytest.fixture
async def board_id(database: Database) -> int:
    """An empty board, beside three old ads."""
    await stock(database)
    async with database.session() as session:
        await create_board(session, user_id=1, name="b")
        board = await find_board(session, user_id=1, name="b")
        await session.commit()
    return board.id


async def until_waiting(session: AsyncSession) -> None:
    """Until somebody waits for a lock."""
    async with asyncio.timeout(60):
        while not await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            await asyncio.sleep(0.01)


async def close_gate(session: AsyncSession) -> None:
    await session.execute(text(f"SELECT pg_advisory_xact_lock({_GATE})"))


async def test_an_ad_that_is_just_being_added_is_left_alone(
    database: Database, media: MediaStore, board_id: int
) -> None:
    async with database.session() as adding:
        await add_ads(adding, board_id=board_id, ids=[AD])
        async with asyncio.timeout(60):
            assert (await clean_up(database, media, Retention())).creatives == 2
        await adding.commit()
    assert (await clean_up(database, media, Retention())).creatives == 0
    assert await ids(database, STORED) == [AD]


async def test_an_ad_that_was_added_after_the_clean_up_had_looked_stays(
    database: Database, gated: Database, media: MediaStore, board_id: int
) -> None:
    async with database.session() as gate:
        await close_gate(gate)
        cleaning = asyncio.create_task(clean_up(gated, media, Retention()))
        await until_waiting(gate)
        async with database.session() as adding:
            await add_ads(adding, board_id=board_id, ids=[AD])
            await adding.commit()
        assert not cleaning.done()
    async with asyncio.timeout(60):
        summary: CleanupSummary = await cleaning
    assert summary.headline == "removed 2 ads"
    assert await ids(database, STORED) == [AD]
    assert await ids(database, "SELECT ad_creative_id FROM board_creative") == [AD]


async def test_an_ad_whose_variant_was_approved_after_the_clean_up_had_looked_stays(
    database: Database, gated: Database, media: MediaStore
) -> None:
    await stock(database)
    async with database.session() as session:
        made = await finish(session, await ask(session, AD))
        await session.commit()
    await change(database, *LET_VARIANTS_AGE)
    async with database.session() as gate:
        await close_gate(gate)
        cleaning = asyncio.create_task(clean_up(gated, media, Retention()))
        await until_waiting(gate)
        async with database.session() as reviewing:
            await save_review(reviewing, variant=made, review=Review(user_id=1, is_approved=True))
            await reviewing.commit()
    async with asyncio.timeout(60):
        assert (await cleaning).headline == "removed 2 ads"
    assert await ids(database, STORED) == [AD]


async def test_details_of_an_ad_that_a_watch_has_met_after_the_clean_up_had_looked_stay(
    database: Database, gated: Database, media: MediaStore
) -> None:
    await change(
        database,
        "INSERT INTO creative_detail (ad_creative_id, asked_at) SELECT id, "
        "now() - interval '500 days' FROM unnest(ARRAY['CR1', 'CR2']) AS id",
        "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
        "VALUES (1, 'w', 'example.com', false, true)",
    )
    async with database.session() as gate:
        await close_gate(gate)
        cleaning = asyncio.create_task(clean_up(gated, media, Retention()))
        await until_waiting(gate)
        await change(
            database,
            "INSERT INTO watch_creative (watch_id, ad_creative_id) SELECT id, 'CR1' FROM watch",
        )
    async with asyncio.timeout(60):
        assert (await cleaning).details == 1
    assert await ids(database, "SELECT ad_creative_id FROM creative_detail") == ["CR1"]


async def test_an_advertiser_that_a_watch_came_to_name_stays(
    database: Database, media: MediaStore
) -> None:
    """What is held cannot change, but what it depends on can: it is looked at again."""
    await change(
        database,
        "INSERT INTO advertiser (advertiser_id, name) VALUES ('AR1', 'one'), ('AR2', 'two')",
        "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN "
        f"PERFORM pg_advisory_xact_lock_shared({_GATE}); RETURN true; END $$",
        "ALTER TABLE advertiser RENAME TO kept_advertiser",
        "CREATE VIEW advertiser AS SELECT * FROM kept_advertiser WHERE gate()",
    )
    async with database.session() as gate:
        await close_gate(gate)
        cleaning = asyncio.create_task(clean_up(database, media, Retention()))
        await until_waiting(gate)
        await change(
            database,
            "INSERT INTO watch (user_id, name, advertiser_ids, political_ads, is_active) "
            "VALUES (1, 'w', ARRAY['AR1'], false, true)",
        )
    async with asyncio.timeout(60):
        assert (await cleaning).advertisers == 1
    assert await ids(database, "SELECT advertiser_id FROM kept_advertiser") == ["AR1"]


async def test_an_ad_whose_variant_is_just_being_approved_stays(
    database: Database, media: MediaStore
) -> None:
    await stock(database)
    async with database.session() as session:
        made = await finish(session, await ask(session, AD))
        await session.commit()
    await change(database, *LET_VARIANTS_AGE)
    async with database.session() as reviewing:
        await save_review(reviewing, variant=made, review=Review(user_id=1, is_approved=True))
        cleaning = asyncio.create_task(clean_up(database, media, Retention()))
        await until_waiting(reviewing)
        await reviewing.commit()
    async with asyncio.timeout(60):
        assert (await cleaning).headline == "removed 2 ads"
    assert await ids(database, STORED) == [AD]


async def test_whoever_adds_an_ad_that_is_just_being_removed_is_told(
    database: Database, board_id: int
) -> None:
    async def add() -> None:
        async with database.session() as session:
            await add_ads(session, board_id=board_id, ids=[AD, OTHER])
            await session.commit()

    async with database.session() as removing:
        await removing.execute(text(f"DELETE FROM creative WHERE ad_creative_id = '{AD}'"))
        adding = asyncio.create_task(add())
        await until_waiting(removing)
        await removing.commit()
    with pytest.raises(InvalidQueryError, match=f"ads: no ad {AD} is stored; fetch its"):
        await adding
    assert await ids(database, "SELECT count(*) FROM board_creative") == [0]
