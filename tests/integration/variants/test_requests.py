"""Requests of a form: made once, however often it is sent."""

import asyncio
from uuid import UUID, uuid4

from sqlalchemy import text

from adspark.db.engine import Database
from adspark.variants.requests import VariantRequest, request_variants
from tests.support.variants_at_hand import AD, OTHER, stocked


async def send(database: Database, key: UUID, *ads: str, prompt: str = "Red") -> list[int]:
    requests = [VariantRequest(original_ad_id=one, prompt=prompt) for one in ads]
    async with database.session() as session:
        made = await request_variants(session, requests=requests, key=key)
        await session.commit()
        return made


async def test_a_form_that_is_sent_twice_requests_once(database: Database) -> None:
    async with stocked(database):
        pass
    key = uuid4()
    first, second = await asyncio.gather(
        send(database, key, AD, OTHER), send(database, key, AD, OTHER)
    )

    assert first == second
    assert len(set(first)) == 2
    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM ad_variant")) == 2


async def test_another_form_or_other_words_are_another_request(database: Database) -> None:
    async with stocked(database):
        pass
    key = uuid4()
    made = [
        await send(database, key, AD),
        await send(database, key, AD, prompt="Blue"),
        await send(database, uuid4(), AD),
        await send(database, key, OTHER, AD),
    ]

    assert made[3][1] == made[0][0]
    assert len({one for ids in made for one in ids}) == 4
