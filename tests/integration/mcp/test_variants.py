"""Variants are everybody's, as on the command line and in the gallery."""

from pathlib import Path

from adspark.db.engine import Database
from adspark.variants.requests import VariantRequest, request_variants
from tests.support.assistant import ask, open_assistant, serving
from tests.support.variants_at_hand import AD, stocked


async def test_those_of_other_users_are_shown_too(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with stocked(database) as session:
        wanted = VariantRequest(original_ad_id=AD, prompt="Red", user_id=7)
        await request_variants(session, requests=[wanted])
        await session.commit()

    async with open_assistant(serving(database_url, tmp_path)) as client:
        answer = await ask(client, "show_variants")
        tools = await client.list_tools()

    assert [one["user_id"] for one in answer["found"]["page"]["variants"]] == [7]
    (told,) = [one.description for one in tools.tools if one.name == "show_variants"]
    assert str(told).startswith("Everybody's variants")
