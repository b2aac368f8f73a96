"""The list of advertisers, the profile of one, and the comparison of several."""

import asyncio
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.watches.store import save_watch
from tests.support.days import noon
from tests.support.factories import ADVERTISER_ID, creative, watch_definition
from tests.support.gallery import GalleryClient
from tests.support.library import CAFE, SHOP, ad, buy_words

NAMELESS = f"AR{99:020d}"


@pytest.fixture
async def runs(pages: GalleryClient, database: Database, today: date) -> GalleryClient:
    """The pages, with four more ads of Café Zoë: two have ended, two still run."""
    spans = {11: (100, 91), 12: (100, 71), 13: (60, 1), 14: (20, 0)}
    rows = [
        creative(
            number,
            advertiser_id=CAFE,
            advertiser="Café Zoë",
            format="image",
            first_shown=noon(today - timedelta(first)),
            last_shown=noon(today - timedelta(last)),
            total_days_shown=first - last + 1,
        )
        for number, (first, last) in spans.items()
    ]
    async with database.session() as session:
        await save_creatives(session, rows=rows, region="2276", platform="YOUTUBE")
        await session.commit()
    return pages


def table_of(page: str, title: str) -> list[list[str]]:
    """The figures of a chart, as they stand in its table."""
    (figure,) = [one for one in page.split("<figure")[1:] if f"<figcaption>{title}" in one]
    body = figure.split("<tbody>")[1].split("</tbody>")[0]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body.split("</tr>")[:-1]]


async def test_the_list_shows_ads_running_and_the_last_day(
    runs: GalleryClient, today: date
) -> None:
    page = (await runs.get("/advertisers")).text

    rows = re.findall(
        r'<tr><td class="pick"><input.*?href="/advertisers/(AR\d{20})".*?</tr>', page, re.DOTALL
    )
    assert rows == [CAFE, ADVERTISER_ID, SHOP]
    cafe = page.split(f'href="/advertisers/{CAFE}"')[1].split("</tr>")[0]
    assert re.findall(r"<td class=.figure.[^>]*>(\d+)</td>", cafe) == ["5", "2"]
    assert str(today) in cafe
    assert "3 advertisers" in page


async def test_advertisers_are_found_by_name_or_domain_and_sorted(
    runs: GalleryClient,
) -> None:
    for query, shown in [
        ("q=zoe", [CAFE]),
        ("q=laufladen.example", [SHOP]),
        (f"q={SHOP}", [SHOP]),
        ("q=lauflden", [SHOP]),
        ("sort=name", [CAFE, SHOP, ADVERTISER_ID]),
        ("sort=running", [CAFE, SHOP, ADVERTISER_ID]),
    ]:
        answer = await runs.get(f"/advertisers?{query}")

        assert answer.status_code == 200
        assert re.findall(r'<a href="/advertisers/(AR\d{20})"', answer.text) == shown


async def test_a_mistake_in_the_list_is_said_beside_its_field(
    pages: GalleryClient,
) -> None:
    for query, field in [
        ("sort=price", "sort"),
        ("after=x", "after"),
        ("after=WyJhZHMiLCB0cnVlLCAiQVIiXQ", "after"),  # `true` for a number
        ("q=%00", "q"),
    ]:
        answer = await pages.get(f"/advertisers?{query}")

        assert answer.status_code == 422
        assert f'id="problem-{field}"' in answer.text


async def test_nobody_of_a_name_is_said_and_leads_on(pages: GalleryClient) -> None:
    answer = await pages.get("/advertisers?q=qqqqqq")

    assert answer.status_code == 200
    assert "No stored advertiser matches." in answer.text
    assert 'href="/advertisers"' in answer.text


async def test_a_profile_draws_its_figures_and_holds_them_as_tables(
    runs: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        definition = watch_definition(name="Zoë's <b>ads</b>", advertiser_ids=CAFE)
        watch = await save_watch(session, definition=definition)
        await session.commit()

    answer = await runs.get(f"/advertisers/{CAFE}?weeks=260")
    page = answer.text

    assert answer.status_code == 200
    assert "style=" not in page
    running = table_of(page, "Ads running at the end of each week")
    assert running[0][1] == "2"
    assert max(int(cells[1]) for cells in running) >= 2
    launches = table_of(page, "Ads first shown in each week")
    assert sum(int(cells[1]) for cells in launches) == 5
    lasted = table_of(page, "Share of ads that last longer than so many days")
    assert ["10", "5", "1", "0", "80%"] in lasted
    assert "2 of 5 ads still run; how long they will last is not known." in page
    assert "(it is censored)" in page
    assert "100.0%" in page
    assert "says nothing about money or views" in page
    assert "300 × 250" in page
    assert "Germany" in page
    assert f'href="/library?advertiser={CAFE}"' in page
    assert (
        f'href="/watches/{watch.id}">Zoë&#39;s &lt;b&gt;ads&lt;/b&gt;</a>: not looked yet' in page
    )
    for one in ("running", "launches", "survival"):
        assert f'aria-labelledby="this-{one}-title this-{one}-summary"' in page
        assert f'<desc id="this-{one}-summary">' in page


async def test_the_chart_says_that_nothing_ran_at_the_end_of_the_week_in_which_all_ended(
    pages: GalleryClient, database: Database, today: date
) -> None:
    ended = today - timedelta(today.weekday() + 14 + 3)  # a Friday
    row = creative(
        41,
        advertiser_id=NAMELESS,
        first_shown=noon(ended - timedelta(7)),
        last_shown=noon(ended),
    )
    async with database.session() as session:
        await save_creatives(session, rows=[row], region=None, platform=None)
        await session.commit()

    page = (await pages.get(f"/advertisers/{NAMELESS}")).text
    periods = (await pages.get(f"/api/v1/advertisers/{NAMELESS}/timeline")).json()

    monday = ended - timedelta(ended.weekday())
    running = dict(table_of(page, "Ads running at the end of each week"))
    assert running[str(monday - timedelta(7))] == "1"
    assert running[str(monday)] == "0"
    assert {one["begins"]: str(one["running"]) for one in periods}.items() <= running.items()


async def test_new_ads_are_those_that_programs_are_told(
    pages: GalleryClient, database: Database, today: date
) -> None:
    shown = {"first_shown": noon(today - timedelta(29)), "last_shown": noon(today)}
    async with database.session() as session:
        row = creative(41, advertiser_id=NAMELESS, **shown)
        await save_creatives(session, rows=[row], region=None, platform=None)
        await session.commit()

    page = (await pages.get(f"/advertisers/{NAMELESS}")).text
    told = (await pages.get(f"/api/v1/advertisers/{NAMELESS}")).json()

    assert told["launched"] == 1
    assert "<dt>New in 30 days</dt><dd>1</dd>" in page


async def test_the_longest_running_say_the_days_that_they_are_sorted_by(
    pages: GalleryClient, database: Database, today: date
) -> None:
    rows = [
        creative(
            number,
            advertiser_id=NAMELESS,
            first_shown=noon(today - timedelta(first)),
            last_shown=noon(today - timedelta(last)),
            total_days_shown=shown,
        )
        for number, first, last, shown in [(41, 49, 0, 3), (42, 60, 21, None), (43, 29, 0, 30)]
    ]
    async with database.session() as session:
        await save_creatives(session, rows=rows, region=None, platform=None)
        await session.commit()

    for address in (f"/advertisers/{NAMELESS}", f"/library?advertiser={NAMELESS}&sort=longest"):
        page = (await pages.get(address)).text
        told = re.findall(r"<span>((?:ran|running) for \d+ days)</span>", page)
        assert told == ["running for 50 days", "ran for 40 days", "running for 30 days"]
    newest = (await pages.get(f"/library?advertiser={NAMELESS}&sort=newest")).text
    assert "shown 3 days" in newest
    told = (await pages.get(f"/api/v1/advertisers/{NAMELESS}/longest")).json()
    assert [one["days_running"] for one in told] == [50, 40, 30]


async def test_a_profile_shows_the_library_as_of_a_day(runs: GalleryClient, today: date) -> None:
    def ran(page: str) -> set[str]:
        return set(re.findall(r'href="/ads/(CR\d{20})"', page.split("data-day-shown")[1]))

    day = today - timedelta(days=95)
    page = (await runs.get(f"/advertisers/{CAFE}?day={day}")).text

    assert {ad(11), ad(12)} <= ran(page)
    assert not {ad(13), ad(14)} & ran(page)
    assert f'name="day" value="{day}"' in page
    assert 'type="range"' in page
    assert ran((await runs.get(f"/advertisers/{CAFE}")).text) == {ad(13), ad(14)}
    assert f'2 ads ran on <time datetime="{day}">{day}</time>.</p>' in page
    none = (await runs.get(f"/advertisers/{CAFE}?day=2001-01-01")).text
    assert "No stored ad ran on" in none


async def test_a_mistake_in_a_profile_leaves_the_rest_of_it(
    runs: GalleryClient,
) -> None:
    for query, words in [
        ("day=yesterday", "is not a day"),
        ("day=9999-12-31", "is to come; name today"),
        ("day=%00", "is not a day"),
        ("day=٢٠٢٦-08-01", "is not a day"),
        ("weeks=7", "is not one of"),
    ]:
        answer = await runs.get(f"/advertisers/{CAFE}?{query}")

        assert answer.status_code == 422
        assert words in answer.text
        assert "Ads running at the end of each week" in answer.text


async def test_an_advertiser_who_is_not_stored_is_a_page_that_leads_on(
    pages: GalleryClient,
) -> None:
    for path in (NAMELESS, "AR1", "%00", "zoe", "'; DROP TABLE creative; --"):
        answer = await pages.get(f"/advertisers/{path}")

        assert (path, answer.status_code) == (path, 404)
        assert "No such advertiser is stored" in answer.text
        assert '<a class="button" href="/advertisers">' in answer.text


async def test_an_advertiser_whose_ads_have_no_days_is_shown_too(
    pages: GalleryClient, database: Database
) -> None:
    row = creative(
        31, advertiser_id=NAMELESS, advertiser="<i>\x1b[31mx", first_shown=..., last_shown=...
    )
    async with database.session() as session:
        await save_creatives(session, rows=[row], region=None, platform=None)
        await buy_words(session, 31, headline="<script>alert(1)</script>")
        await session.execute(text("DELETE FROM advertiser_domain"))
        await session.commit()

    answer = await pages.get(f"/advertisers/{NAMELESS}")
    both = await pages.get(f"/compare?advertiser={NAMELESS}&advertiser={CAFE}")

    for page in (answer, both):
        assert page.status_code == 200
        assert "<i>" not in page.text
        assert "\x1b" not in page.text
        assert "No stored ad ran in this time" in page.text
        assert "Of no ad both the first and the last day are known." in page.text
    assert "<script>alert" not in answer.text
    assert "from searches of one region, by watches or fetches, and from bought" in answer.text


async def test_several_are_compared_on_the_same_scales(runs: GalleryClient) -> None:
    page = (
        await runs.get("/compare", params={"advertiser": ["Café Zoë", "New Balance", SHOP]})
    ).text

    sections = page.split('<section aria-labelledby="c')[1:]
    assert len(sections) == 3
    axes = [re.findall(r'<g class="axis">.*?</g>', one, re.DOTALL) for one in sections]
    assert len(axes[0]) == 3
    assert axes[0][:2] == axes[1][:2] == axes[2][:2]
    assert "50.0%" in page or "100.0%" in page
    assert "of the ads of those compared" in page
    assert "style=" not in page


async def test_more_people_than_connections_compare_at_once(pages: GalleryClient) -> None:
    named = {"advertiser": [CAFE, SHOP, ADVERTISER_ID]}

    answers = await asyncio.gather(*(pages.get("/compare", params=named) for _ in range(12)))

    assert [one.status_code for one in answers] == [200] * 12


async def test_who_cannot_be_compared_is_said_beside_the_field(
    pages: GalleryClient,
) -> None:
    for named, place, words in [
        (["Café Zoë"], 1, "At least 2 are compared"),
        (["Café Zoë", "nobody at all"], 1, "is stored"),
        (["Café Zoë", CAFE], 1, "named already"),
        ([CAFE, SHOP, ADVERTISER_ID, CAFE, SHOP], 4, "At most 4 are compared"),
        (["x\0", CAFE], 0, "NUL"),
        ([NAMELESS, CAFE], 0, "is stored"),
    ]:
        answer = await pages.get("/compare", params={"advertiser": named})

        assert answer.status_code == 422
        said = re.search(rf'id="problem-{place}">(.*?)</span>', answer.text)
        assert said
        assert words in said[1]
        assert "<figure" not in answer.text
        assert "select them in the list" in answer.text


async def test_the_form_of_a_comparison_begins_empty(pages: GalleryClient) -> None:
    answer = await pages.get("/compare")

    assert answer.status_code == 200
    assert answer.text.count('name="advertiser"') == 4
    assert "Name two to four advertisers" in answer.text
