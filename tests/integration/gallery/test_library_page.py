"""The library's page: what it shows of stored ads, by the words and filters of its address."""

import html
import re
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.library.filters.written import PARAMETERS
from adspark.library.search.statements import MOST_COUNTED
from tests.support.exporting import csv_rows
from tests.support.factories import creative
from tests.support.gallery import GalleryClient
from tests.support.library import ad, add_texts, buy_words


def shown(page: str) -> list[str]:
    """The ads of a page, in order."""
    return re.findall(r'data-ad="(CR\d{20})"', page)


async def test_it_shows_all_ads_the_newest_first(pages: GalleryClient) -> None:
    answer = await pages.get("/library")

    assert answer.status_code == 200
    assert sorted(shown(answer.text)) == [ad(number) for number in range(1, 6)]
    assert "5 ads · Text 3 · Picture 1 · Video 1" in answer.text


async def test_a_total_that_is_not_exact_is_told_as_such_without_formats(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await add_texts(session, MOST_COUNTED)
        await session.commit()

    page = (await pages.get("/library")).text

    assert '<p class="total">500 ads or more</p>' in page
    assert '<p class="total">1 ad · Video 1</p>' in (await pages.get("/library?format=video")).text


@pytest.mark.parametrize("path", ["/api/v1/ads", "/api/v1/export/ads.csv", "/api/v1/share"])
async def test_programs_name_a_hundred_advertisers_at_most(pages: GalleryClient, path: str) -> None:
    refused = await pages.get(path, params={"advertiser": [str(one) for one in range(101)]})

    assert refused.status_code == 422
    assert refused.json() == {
        "detail": "101 advertisers are named; name at most 100 at once.",
        "field": "advertiser",
    }
    right = await pages.get(path, params={"advertiser": ["New Balance"] * 100})
    assert right.status_code == 200


@pytest.mark.parametrize("name", ["advertiser", "format", "x"])
async def test_a_page_that_refuses_thousands_of_filters_does_not_repeat_them(
    pages: GalleryClient, name: str
) -> None:
    many = [(name, f"{one}x") for one in range(2000)] + [("domain", "kept.example")]
    page = await pages.get(f"/library?{urlencode(many)}")

    assert page.status_code == (200 if name == "x" else 422)
    assert page.text.count('class="tag"') <= 101
    assert 'value="kept.example"' in page.text
    assert max(map(len, re.findall(r'class="tag" href="([^"]*)"', page.text))) < 3000
    if name == "advertiser":
        assert "2,000 advertisers are named; name at most 100 at once." in page.text


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("q=running", {1, 2}),
        ("q=%22running+gear%22", {2}),
        ("advertiser=Caf%C3%A9+Zo%C3%AB", {4}),
        ("format=video", {5}),
        ("platform=YOUTUBE&format=image", {4}),
        ("domain=zoe.example.com", {4}),
        ("size=300x250", {4}),
        ("aspect=landscape&platform=YOUTUBE", {4, 5}),
        ("words=yes", {1, 2, 5}),
        ("words=no", {3, 4}),
        ("region=DE", {4, 5}),
        ("format=&q=&domain=", {1, 2, 3, 4, 5}),
    ],
)
async def test_words_and_filters_are_its_address(
    pages: GalleryClient, query: str, numbers: set[int]
) -> None:
    answer = await pages.get(f"/library?{query}")

    assert set(shown(answer.text)) == {ad(number) for number in numbers}


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("format=film", "format", "is not one of"),
        ("first-from=yesterday", "first-from", "is not a day"),
        ("last-from=2026-08-02&last-to=2026-08-01", "last-to", "lies before last-from"),
        ("least-days=many", "least-days", "is not a number of days"),
        ("least-days=0", "least-days", "must be 1 to"),
        ("size=big", "size", "is not a size"),
        ("size=0x0", "size", "has no area"),
        ("aspect=round", "aspect", "is not one of"),
        ("domain=none", "domain", "is not a domain"),
        ("region=Atlantis", "region", "Atlantis"),
        ("tag=nobody", "tag", "sees no tag"),
        ("running=perhaps", "running", "neither yes nor no"),
        ("advertiser=nobody", "advertiser", "nobody"),
        ("sort=price", "sort", "is not one of"),
        ("after=x", "after", "begin with its first page,"),
        ("board=none", "board", "no board"),
        ("watch=none", "watch", "no watch"),
        ("domain=%00.com", "domain", "NUL"),
        *(
            (f"{name}=a&{name}=b", name, "is given more than once; leave one out.")
            for name in (*sorted(PARAMETERS.keys() - {"advertiser"}), "q", "sort", "after")
        ),
    ],
)
async def test_a_mistake_is_said_beside_its_field_and_the_form_keeps_it(
    pages: GalleryClient, query: str, field: str, words: str
) -> None:
    answer = await pages.get(f"/library?{query}")

    assert answer.status_code == 422
    said = re.search(rf'id="problem-{field}">(.*?)</span>', answer.text)
    assert said
    assert words in said[1]
    assert not shown(answer.text)


async def test_several_advertisers_are_still_those_of_the_next_search(pages: GalleryClient) -> None:
    page = (await pages.get("/library?advertiser=REI&advertiser=Nike")).text
    form = page[: page.index("</form>", page.index('id="search"'))]

    assert re.findall(r'name="advertiser" value="(.*?)"', form) == ["REI", "Nike"]


async def test_what_comes_from_ads_is_text_on_the_page(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await buy_words(
            session, 3, headline="Shoes <script>alert(1)</script>", snippet="a\x1b[31mb\u202e"
        )
        await session.commit()

    page = (await pages.get("/library?q=shoes")).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "\x1b" not in page
    assert "\u202e" not in page


async def test_a_shape_is_chosen_and_another_one_of_the_address_stays_so(
    pages: GalleryClient,
) -> None:
    chosen = (await pages.get("/library?aspect=portrait")).text
    other = (await pages.get("/library?aspect=5:4&format=image")).text

    assert '<option value="portrait" selected>Portrait</option>' in chosen
    assert '<option value="5:4" selected>5:4</option>' in other


async def test_a_view_and_a_selection_are_exported_as_csv(pages: GalleryClient) -> None:
    library = await pages.get("/library?q=shoes&view=list")
    link = re.search(r'href="(/api/v1/export/ads\.csv[^"]*)" download', library.text)
    assert link
    of_view = csv_rows((await pages.get(html.unescape(link[1]))).content)
    shown = re.findall(r'name="ad" value="(CR\d{20})"', library.text)
    assert {row["ad_creative_id"] for row in of_view} == set(shown)

    chosen = await pages.send_form("/selection/export", "/library", ad=[ad(3), ad(1), ad(9)])
    assert "attachment" in chosen.headers["content-disposition"]
    assert {row["ad_creative_id"] for row in csv_rows(chosen.content)} == {ad(1), ad(3)}
    nothing = await pages.send_form("/selection/export", "/library")
    assert nothing.status_code == 422
    assert "Select some ads first." in nothing.text


@pytest.mark.parametrize(
    ("order", "exported"), [("relevance", "?q=shoes"), ("longest", "?q=shoes&amp;sort=longest")]
)
async def test_the_export_of_a_page_has_its_order_where_an_export_has_it(
    pages: GalleryClient, order: str, exported: str
) -> None:
    page = (await pages.get(f"/library?q=shoes&sort={order}")).text
    (link,) = re.findall(r'href="(/api/v1/export/ads\.csv.*?)"', page)
    assert link == f"/api/v1/export/ads.csv{exported}"
    assert (await pages.get(html.unescape(link))).status_code == 200


async def test_a_page_shows_joined_characters_as_they_are_and_nothing_that_hides(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await buy_words(session, 1, headline="می\u200cخ 👨\u200d👩\u200d👧 f\u200bre\u200de\u202e")
        await session.commit()

    for address in ("/library", f"/ads/{ad(1)}"):
        page = (await pages.get(address)).text
        assert "می\u200cخ 👨\u200d👩\u200d👧 free" in page
        assert "\u202e" not in page


async def test_behind_the_last_ad_it_leads_to_the_first_page(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await save_creatives(session, rows=[creative(number) for number in range(1, 62)])
        await session.commit()
    first = (await pages.get("/library")).text
    (following,) = re.findall(r'rel="next" href="(.*?)"', first)
    async with database.session() as session:
        gone = text("DELETE FROM creative WHERE ad_creative_id <> ALL (:first)")
        await session.execute(gone, {"first": shown(first)})
        await session.commit()

    page = (await pages.get(html.unescape(following))).text

    assert "No more ads here." in page
    assert "Nothing is stored yet" not in page
    assert '<a class="button" href="/library">' in page
    assert shown((await pages.get("/library")).text) == shown(first)
