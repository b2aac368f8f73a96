"""The form that requests variants, where Prefect is away: checked, confirmed, stored once."""

import re

import httpx
import pytest

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.variants.lists import list_variants
from adspark.variants.store import VariantSummary
from tests.support.factories import creative
from tests.support.gallery import GalleryClient
from tests.support.library import ad

pytestmark = pytest.mark.usefixtures("prefect_away")

FORM = "/variants/new"
KEY = "6f0d6f6c5f0b4b52a1a5c9d6f6b8a001"


async def send(pages: GalleryClient, **fields: object) -> httpx.Response:
    sent = {"key": KEY, "ad": [ad(1)], "prompt": " Red ", "review": "on"} | fields
    return await pages.send_form(FORM, FORM, **sent)


async def requested(database: Database) -> list[VariantSummary]:
    async with database.session() as session:
        return await list_variants(session, limit=100)


async def test_the_form_shows_the_ads_of_its_address_and_what_they_cost(
    pages: GalleryClient,
) -> None:
    one = (await pages.get(f"{FORM}?ad={ad(1)}")).text
    two = (await pages.get(f"{FORM}?ad={ad(1)}&ad={ad(4)}&ad={ad(1)}")).text

    assert "This is 1 generation, which is paid for." in one
    assert "Running shoes" in one
    assert re.findall(r'name="ad" value="(CR\d+)"', two) == [ad(1), ad(4)]
    assert "Each ad is one generation, which is paid for." in two


async def test_one_variant_is_requested_and_its_page_says_how_it_goes_on(
    pages: GalleryClient, database: Database
) -> None:
    answer = await send(pages, workspace="7")

    (made,) = await requested(database)
    assert answer.url.path == f"/variants/{made.id}"
    assert "Prefect does not answer: it begins by itself once Prefect is back" in answer.text
    assert (made.prompt, made.original_ad_id, made.user_id) == ("Red", ad(1), 1)
    assert (made.workspace_id, made.wants_review) == (7, True)


async def test_an_ad_may_be_written_as_its_address(
    pages: GalleryClient, database: Database
) -> None:
    address = f"https://adstransparency.google.com/advertiser/AR1/creative/{ad(4)}?region=US"
    await send(pages, ad=[f" {ad(1).lower()}, {address} "], confirmed="2")

    assert {one.original_ad_id for one in await requested(database)} == {ad(1), ad(4)}


async def test_several_are_requested_once_their_number_is_confirmed(
    pages: GalleryClient, database: Database
) -> None:
    ads = [ad(1), ad(2), ad(4)]
    asked = await send(pages, ad=ads)
    assert "These are 3 generations, each of which is paid for." in asked.text
    assert 'name="confirmed" value="3"' in asked.text
    other = await send(pages, ad=ads, confirmed="2")
    assert "These are 3 generations" in other.text
    assert await requested(database) == []

    for _ in range(2):  # the second is the same form, sent again
        answer = await send(pages, ad=ads, confirmed="3")

    assert answer.url.path == "/variants/batches/1"
    assert "0 of 3" in answer.text
    assert {one.original_ad_id for one in await requested(database)} == set(ads)
    assert len(await requested(database)) == 3


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"prompt": "  "}, "prompt", "is empty"),
        ({"prompt": "x" * 20_001}, "prompt", "at most 20000"),
        ({"ad": []}, "ad", "name an ad"),
        ({"ad": [ad(9)]}, "ad", f"{ad(9)}: not stored, or removed meanwhile"),
        ({"ad": [ad(1), "CR12<b>"]}, "ad", "CR12&lt;b&gt;: not stored"),
        ({"ad": [ad(number) for number in range(1, 102)]}, "ad", "at most 100 at once"),
        ({"workspace": "x"}, "workspace", "is a number"),
        ({"workspace": "0"}, "workspace", "1 or more"),
    ],
)
async def test_a_mistake_is_said_beside_its_field_and_nothing_is_requested(
    pages: GalleryClient, database: Database, fields: dict[str, object], field: str, words: str
) -> None:
    answer = await send(pages, **({"prompt": "Kept <typed>"} | fields))

    assert answer.status_code == 422
    said = re.search(rf'id="problem-{field}">(.*?)</span>', answer.text)
    assert said
    assert words in said[1]
    if "prompt" not in fields:
        assert "Kept &lt;typed&gt;</textarea>" in answer.text
    assert await requested(database) == []


async def test_too_many_selected_ads_stay_selected_and_cost_nothing_yet(
    pages: GalleryClient, database: Database
) -> None:
    ads = [ad(number) for number in range(1, 103)]
    async with database.session() as session:
        await save_creatives(session, rows=[creative(number) for number in range(6, 103)])
        await session.commit()
    asked = await pages.get(FORM, params={"ad": ads})
    sent = await send(pages, ad=ads, prompt="Kept")

    for answer in (asked, sent):
        assert answer.status_code == 422
        assert "102 ads; at most 100 at once." in answer.text
        assert re.findall(r'name="ad" value="(CR\d+)" checked', answer.text) == ads
        assert "1 generation, which" not in answer.text
        assert "Request 1 generation" not in answer.text
        assert answer.text.count('id="problem-ad"') == 1
    assert ">Kept</textarea>" in sent.text
    fewer = await send(pages, ad=ads[:100], prompt="Kept")
    assert "These are 100 generations" in fewer.text
    assert await requested(database) == []


async def test_a_form_without_its_key_is_out_of_date(
    pages: GalleryClient, database: Database
) -> None:
    answer = await send(pages, key="x")

    assert answer.status_code == 403
    assert "This form is out of date." in answer.text
    assert await requested(database) == []


async def test_the_fields_of_another_form_are_left_out_of_its_address(
    pages: GalleryClient,
) -> None:
    answer = await pages.get(f"{FORM}?form_token=secret&back=/&ad={ad(1)}&ad={ad(2)}&tag=")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{FORM}?ad={ad(1)}&ad={ad(2)}"
