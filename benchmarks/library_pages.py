"""What the pages on which people look at ads ask of the library, each question by its name."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.insight.figures import Period, read_mix, read_timeline
from adspark.library.ads.report import read_ad
from adspark.library.ads.similar import find_similar
from adspark.library.advertisers.named import read_advertiser
from adspark.library.filters.definition import AdFilters
from adspark.library.search.cursor import Sort
from adspark.library.search.page import search_ads
from benchmarks.library_workload import Workload

Question = Callable[[AsyncSession], Awaitable[object]]

_GRID = 60


def questions(workload: Workload, number: int) -> dict[str, list[Question]]:
    """So many questions of each kind, the same at each run of one size."""
    drawn = list(workload.searches(7 * number))
    filters = list(workload.filters(number))
    words = [drawn[7 * place : 7 * place + 7][place % 7] for place in range(number)]
    ads = [f"CR{workload.chance.randrange(workload.ads):020d}" for _ in range(number)]
    who = [f"AR{workload.chance.randrange(200):020d}" for _ in range(number)]
    return {
        "grid of 60": [_grid(one) for one in filters],
        "its second page": [_second_page(one) for one in filters],
        "grid of 60 by words": [_found(*one) for one in words],
        "an ad": [_ad(one) for one in ads],
        "ads like it": [_similar(one) for one in ads],
        "an advertiser": [_advertiser(one) for one in who],
        "an advertiser's ads": [_grid(AdFilters(advertiser_ids=(one,))) for one in who],
    }


def _grid(filters: AdFilters) -> Question:
    return lambda session: search_ads(session, filters=filters, sort=Sort.NEWEST, limit=_GRID)


def _second_page(filters: AdFilters) -> Question:
    async def ask(session: AsyncSession) -> object:
        first = await search_ads(session, filters=filters, sort=Sort.NEWEST, limit=_GRID)
        return await search_ads(
            session, filters=filters, sort=Sort.NEWEST, limit=_GRID, after=first.next
        )

    return ask


def _found(query: str, filters: AdFilters, sort: Sort | None) -> Question:
    return lambda session: search_ads(session, query=query, filters=filters, sort=sort, limit=_GRID)


def _ad(ad: str) -> Question:
    return lambda session: read_ad(session, ad_creative_id=ad, user_id=1)


def _similar(ad: str) -> Question:
    return lambda session: find_similar(session, ad_creative_id=ad, limit=12)


def _advertiser(advertiser: str) -> Question:
    async def ask(session: AsyncSession) -> object:
        await read_timeline(session, advertiser_id=advertiser, period=Period.WEEK, limit=52)
        await read_mix(session, advertiser_id=advertiser)
        return await read_advertiser(session, name=advertiser)

    return ask
