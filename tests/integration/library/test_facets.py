"""What each choice of a filter leaves of a search."""

from typing import Any

from sqlalchemy import text

from adspark.db.engine import Database
from adspark.library.filters.definition import AdFilters
from adspark.library.search import facets
from adspark.library.search.facets import count_facets
from tests.support.factories import ADVERTISER_ID
from tests.support.library import CAFE, SHOP
from tests.support.stored_ads import change


async def counted(database: Database, query: str = "", **filters: Any) -> dict[str, dict[str, int]]:  # noqa: ANN401
    async with database.session() as session:
        found = await count_facets(session, query=query, filters=AdFilters(**filters))
    assert all(one.is_exact for one in found.values())
    return {name: {one.value: one.ads for one in facet.choices} for name, facet in found.items()}


async def test_every_filter_has_its_choices_with_the_ads_that_they_leave(library: Database) -> None:
    await change(library, f"UPDATE creative SET last_shown = now() WHERE advertiser_id = '{CAFE}'")
    found = await counted(library)
    assert found["format"] == {"text": 3, "image": 1, "video": 1}
    assert found["platform"] == {"SEARCH": 3, "YOUTUBE": 2}
    assert found["region"] == {"2840": 3, "2276": 2}
    assert found["size"] == {"380x199": 3, "300x250": 1, "1920x1080": 1}
    assert found["running"] == {"no": 4, "yes": 1}
    assert found["advertiser"] == {ADVERTISER_ID: 3, CAFE: 1, SHOP: 1}
    async with library.session() as session:
        named = await count_facets(session)
    assert named["region"].choices[0].label == "United States"
    assert named["advertiser"].choices[1].label == "Café Zoë"
    assert named["size"].choices[0].label == "380 × 199"


async def test_a_chosen_filter_bounds_the_others_and_not_itself(library: Database) -> None:
    found = await counted(library, format="video")
    assert found["format"] == {"text": 3, "image": 1, "video": 1}
    assert found["platform"] == {"YOUTUBE": 1}
    assert found["advertiser"] == {SHOP: 1}
    found = await counted(library, format="video", platform="SEARCH")
    assert (found["format"], found["platform"], found["size"]) == ({"text": 3}, {"YOUTUBE": 1}, {})


async def test_words_bound_them_all(library: Database) -> None:
    assert (await counted(library, "running"))["format"] == {"text": 2}
    assert (await counted(library, '"running shoes"'))["region"] == {"2840": 1}
    assert (await counted(library, "zoe"))["size"] == {"300x250": 1}
    assert set(map(len, (await counted(library, "++")).values())) == {0}


async def test_of_more_ads_than_are_counted_each_count_is_a_least(library: Database) -> None:
    async with library.session() as session:
        await session.execute(
            text(
                "INSERT INTO creative (ad_creative_id, advertiser_id, format) "
                f"SELECT 'CR' || (90000000000000000000 + n), '{ADVERTISER_ID}', 'text' "
                f"FROM generate_series(1, {facets.MOST_FACETED}) AS n"
            )
        )
        found = await count_facets(session)
    assert not found["format"].is_exact
    assert sum(one.ads for one in found["format"].choices) == facets.MOST_FACETED + 1
