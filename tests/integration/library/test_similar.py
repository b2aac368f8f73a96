"""Ads that look like a stored one or share its words are found, and it is said why."""

import pytest

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.library.ads.similar import MOST_BITS, find_similar
from tests.support.factories import creative
from tests.support.library import ad, buy_words
from tests.support.stored_ads import change


async def similar(database: Database, number: int, limit: int = 9) -> list[tuple[int, str]]:
    """The numbers of the ads that are like one, and why."""
    async with database.session() as session:
        found = await find_similar(session, ad_creative_id=ad(number), limit=limit)
    return [(int(one.ad_creative_id[2:]), one.why) for one in found.ads]


async def test_near_pictures_and_shared_words_are_found_nearest_first(library: Database) -> None:
    hashes = {1: 0, 3: 1, 4: (1 << MOST_BITS) - 1, 5: (1 << MOST_BITS + 1) - 1}
    rows = ", ".join(
        f"('{ad(number)}', 'stored', '{number}', '{bits:064x}')" for number, bits in hashes.items()
    )
    async with library.session() as session:
        await save_creatives(session, rows=[creative(6)])
        await buy_words(
            session, 6, headline="Running shoes", snippet="Light trainers for the trail"
        )
        await session.commit()
    await change(
        library,
        "INSERT INTO picture_version (ad_creative_id, content_hash, status, stored_at, sha256, "
        "path, thumbnail_path, perceptual_hash) SELECT ad_creative_id, content_hash, v.status, "
        "now(), v.sha256, 'p', 't', v.bits FROM creative JOIN (VALUES "
        f"{rows}) AS v (ad_creative_id, status, sha256, bits) USING (ad_creative_id)",
    )
    assert await similar(library, 1) == [
        (3, "picture: 1 of 256 bits differ"),
        (6, "words: 78% shared"),
        (4, "picture: 32 of 256 bits differ"),
    ]
    assert await similar(library, 1, limit=1) == [(3, "picture: 1 of 256 bits differ")]
    assert await similar(library, 6) == [(1, "words: 78% shared")]


async def test_what_cannot_be_compared_is_said(library: Database) -> None:
    async with library.session() as session:
        found = await find_similar(session, ad_creative_id=ad(4), limit=5)
        assert (found.ads, len(found.notes)) == ([], 2)
        with pytest.raises(InvalidQueryError, match="no ad CR9 is stored"):
            await find_similar(session, ad_creative_id="CR9", limit=5)
