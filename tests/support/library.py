"""A small library: ads of three advertisers, of some of which the copy was bought."""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.boards import add_ads, find_or_create_board
from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.library.filters.definition import AdFilters
from adspark.library.search.page import search_ads
from adspark.serpapi.details_payloads import VariationPayload
from tests.support.factories import creative

CAFE = f"AR{7:020d}"
SHOP = f"AR{8:020d}"
DAY = 86_400
START = 1_780_000_000  # 2026-05-28


def ad(number: int) -> str:
    """The id of an ad."""
    return f"CR{number:020d}"


_DETAILS = text("""
    INSERT INTO creative_detail AS d (ad_creative_id, answered_at, searches_billed, headline,
        snippet, call_to_action, landing_url, variations)
    VALUES (:ad, now(), 1, :headline, :snippet, :call_to_action, :link, CAST(:variations AS jsonb))
    ON CONFLICT (ad_creative_id) DO UPDATE SET headline = excluded.headline,
        snippet = excluded.snippet, call_to_action = excluded.call_to_action,
        landing_url = excluded.landing_url, variations = excluded.variations
""")


async def buy_words(session: AsyncSession, number: int, **variation: Any) -> None:  # noqa: ANN401
    """Details of an ad as they are stored after their search."""
    payload = VariationPayload(**variation)
    first = payload.model_dump(include={"headline", "snippet", "call_to_action", "link"})
    variations = json.dumps([payload.model_dump(exclude_defaults=True)])
    await session.execute(_DETAILS, {"ad": ad(number), "variations": variations, **first})


async def add_texts(session: AsyncSession, number: int) -> None:
    """So many text ads more, of which no words are known."""
    await save_creatives(session, rows=[creative(1000 + one) for one in range(number)])


async def fill_library(database: Database) -> None:
    """Five ads; the copy of 1, 2 and 5 is known."""
    shown = [(START, START + 9 * DAY), (START + DAY, START + 40 * DAY), (START + 2 * DAY, ...)]
    first = [
        creative(number, first_shown=begin, last_shown=end, total_days_shown=number * 10)
        for number, (begin, end) in enumerate(shown, 1)
    ]
    cafe = {"advertiser_id": CAFE, "advertiser": "Café Zoë", "format": "image"}
    shop = {"advertiser_id": SHOP, "advertiser": "Laufladen GmbH", "format": "video"}
    async with database.session() as session:
        await save_creatives(session, rows=first, region="2840", platform="SEARCH")
        more = [
            creative(4, **cafe, target_domain="zoe.example.com", width=300, height=250),
            creative(5, **shop, target_domain="laufladen.example", width=1920, height=1080),
        ]
        await save_creatives(session, rows=more, region="2276", platform="YOUTUBE")
        await buy_words(
            session, 1, headline="Running shoes", snippet="Light Men/Women trainers for the trail",
            link="https://www.newbalance.com/trail-running?id=1",
        )  # fmt: skip
        await buy_words(
            session, 2, headline="Summer sale", snippet="Half price on running gear",
            sitelink_texts=["Gift cards"],
        )  # fmt: skip
        await buy_words(session, 5, headline="ÉCOLE de course", snippet="Жёлтые кроссовки")
        await session.commit()


async def make_board(database: Database, *numbers: int) -> None:
    """A board of the first user, `Ideas`, with these ads: the first board where there is none."""
    async with database.session() as session:
        board, _ = await find_or_create_board(session, user_id=1, name="Ideas")
        await add_ads(session, board_id=board.id, ids=[ad(one) for one in numbers])
        await session.commit()


async def found(database: Database, query: str = "", **filters: Any) -> set[int]:  # noqa: ANN401
    """The numbers of the ads that a search finds, corrected words left out."""
    async with database.session() as session:
        page = await search_ads(session, query=query, filters=AdFilters(**filters))
    assert page.total == len(page.ads)
    return set() if page.searched_instead else {int(one.ad_creative_id[2:]) for one in page.ads}
