"""The form of a watch: what is wrong stands beside its field, and the cost before it is saved."""

import asyncio
import html
import re
from typing import Any

import httpx
import pytest

from adspark.db.engine import Database
from tests.support.factories import ADVERTISER_ID
from tests.support.gallery import GalleryClient
from tests.support.library import CAFE, SHOP
from tests.support.noticed import add_looks, add_watch
from tests.support.stored_ads import change, ids

NEW = "/watches/new"
NUMBERS = {
    "interval_minutes": "60",
    "max_pages": "5",
    "monthly_budget": "",
    "ended_after_days": "7",
    "details_per_sweep": "0",
}


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def problem(page: str, field: str) -> str:
    """What stands beside a field."""
    found = re.search(rf'id="problem-{field}">(.*?)</span>', page)
    return found[1] if found else ""


async def send(pages: GalleryClient, path: str = NEW, **fields: Any) -> httpx.Response:  # noqa: ANN401
    """Check a form, look at what it costs and save it."""
    fields = NUMBERS | {"name": "shoes", "advertiser_id": [CAFE]} | fields
    if path != NEW and "version" not in fields:
        fields["version"] = hidden((await pages.get(path)).text, "version")
    checked = await pages.send_form(path, page=path, check="yes", **fields)
    if checked.status_code != 200:
        return checked
    shown = {name: hidden(checked.text, name) for name in ("seen", "warned")}
    return await pages.send_form(path, page=path, save="yes", **fields, **shown)


async def test_a_watch_is_created_for_an_advertiser_found_by_name(
    pages: GalleryClient, database: Database
) -> None:
    answer = await send(
        pages, advertiser_id=[], advertiser="café  zoë", region="germany", monthly_budget="50"
    )

    assert re.fullmatch(r"/watches/\d+", answer.url.path)
    assert "The watch is created" in answer.text
    assert "Café Zoë" in answer.text
    (row,) = await ids(database, "SELECT to_jsonb(watch) FROM watch")
    assert (row["name"], row["advertiser_ids"], row["region"]) == ("shoes", [CAFE], "2276")
    assert (row["monthly_budget"], row["interval_minutes"], row["user_id"]) == (50, 60, 1)


async def test_a_watch_with_the_budget_0_is_created_without_the_promise_of_a_look(
    pages: GalleryClient,
) -> None:
    page = " ".join((await send(pages, monthly_budget="0")).text.split())
    assert "The watch is created, but its budget is 0, so that nobody looks." in page
    assert "Nobody has looked yet.</span> Next look: none, its budget is 0." in page


async def test_the_cost_is_shown_before_anything_is_saved(
    pages: GalleryClient, database: Database
) -> None:
    page = (await pages.get(NEW)).text
    assert ">A month costs about 724 searches, 3,600 at most: 720 looks in 30 days.<" in page

    fields = NUMBERS | {"name": "shoes", "advertiser_id": CAFE, "interval_minutes": "1440"}
    unseen = await pages.send_form(NEW, page=NEW, save="yes", seen="724-3600", warned="", **fields)

    assert unseen.status_code == 200
    assert "nothing is saved yet" in unseen.text
    assert "about 34 searches, 150 at most: 30 looks" in unseen.text
    assert await ids(database, "SELECT id FROM watch") == []
    seen = await pages.send_form(NEW, page=NEW, save="yes", seen="34-150", warned="", **fields)
    assert "The watch is created" in seen.text


async def test_a_page_s_script_asks_what_a_month_costs(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, monthly_budget=10)

    async def ask(**given: Any) -> dict[str, Any]:  # noqa: ANN401
        answer = await pages.get("/watches/estimate", params=given)
        told: dict[str, Any] = answer.json()
        return {"status": str(answer.status_code)} | told

    whole = await ask(interval_minutes="60", max_pages="2", details_per_sweep="3")
    assert whole["seen"] == "721-3600"
    bound = await ask(interval_minutes="60", max_pages="2", monthly_budget="700")
    assert "The budget lacks 21" in bound["text"]
    assert (await ask(watch=watch_id, monthly_budget=""))["seen"] == "724-3600"
    nothing = await ask(monthly_budget="0")
    assert nothing["text"] == "The budget is 0, so that it never looks; raise the budget."
    assert (await ask(watch="99999999999"))["status"] == "200"


@pytest.mark.parametrize(
    ("typed", "cost"),
    [
        ({}, "about 360 searches"),
        ({"name": ""}, "about 360 searches"),
        ({"region": "france"}, "about 724 searches"),
        ({"advertiser": "Lauflade"}, "about 724 searches"),
        ({"advertiser": CAFE}, "about 360 searches"),
        ({"advertiser": SHOP}, "about 724 searches"),
        ({"advertiser_id": [], "text": "example.com"}, "about 724 searches"),
        ({"advertiser_id": []}, "about 724 searches"),
        ({"platform": "SEARCH"}, "about 724 searches"),
        ({"creative_format": "video"}, "about 724 searches"),
        ({"region": "france", "political_ads": "yes"}, "about 724 searches"),
        ({"region": "Atlantis"}, "about 724 searches"),
        ({"interval_minutes": "1440"}, "about 15 searches"),
    ],
)
async def test_the_cost_while_typing_follows_the_search_and_is_what_saving_tells(
    pages: GalleryClient, database: Database, typed: dict[str, Any], cost: str
) -> None:
    watch_id = await add_watch(database, advertiser_ids=[CAFE])
    await add_looks(database, watch_id, [0, 1])
    fields = NUMBERS | {"name": "shoes", "advertiser_id": [CAFE]} | typed
    asked = await pages.get("/watches/estimate", params={"watch": watch_id} | fields)
    assert cost in asked.json()["text"]

    path = f"/watches/{watch_id}/edit"
    version = hidden((await pages.get(path)).text, "version")
    checked = await pages.send_form(path, page=path, check="yes", version=version, **fields)
    assert hidden(checked.text, "seen") == asked.json()["seen"]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("interval_minutes", "2h", "'2h' is not a whole number."),
        ("interval_minutes", "1e3", "'1e3' is not a whole number."),
        ("interval_minutes", "4", "must be 5 to 43200, not 4."),
        ("max_pages", "1_0", "'1_0' is not a whole number."),
        ("ended_after_days", "zz", "'zz' is not a whole number."),
    ],
)
async def test_what_the_form_refuses_costs_nothing_and_is_said_beside_its_field(
    pages: GalleryClient, field: str, typed: str, words: str
) -> None:
    asked = await pages.get("/watches/estimate", params={"max_pages": "2", field: typed})
    assert asked.status_code == 422
    assert asked.json() == {"text": "", "seen": "", "problems": {field: words}}

    looked_for = NUMBERS | {field: typed, "advertiser": "Café Zoë", "find": ""}
    found = await pages.send_form(NEW, page=NEW, **looked_for)
    assert "looks in 30 days" not in found.text

    checked = await send(pages, **{field: typed})
    assert html.unescape(problem(checked.text, field)) == words
    assert "looks in 30 days" not in checked.text
    assert hidden(checked.text, "seen") == ""


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": ""}, "name", "is empty; name the watch"),
        ({"name": "12"}, "name", "would be taken for a number"),
        ({"name": "x" * 101}, "name", "shorten it to 100"),
        ({"name": "a\tb"}, "name", "control character"),
        ({"name": "a\0b"}, "name", "NUL"),
        ({"name": "a\u202eb"}, "name", "holds invisible characters"),
        ({"advertiser_id": []}, "advertiser", "Name an advertiser, or give a domain"),
        ({"advertiser_id": ["AR1"]}, "advertiser", "is not an advertiser id"),
        ({"advertiser": "nobody"}, "advertiser", "in the field Domain instead"),
        ({"advertiser": "Lauflade GmbH"}, "advertiser", "is one of these meant"),
        ({"advertiser_id": [], "text": "not a domain"}, "text", "This is not a domain"),
        ({"advertiser_id": [], "text": "😀.com"}, "text", "This is not a domain"),
        ({"advertiser_id": [], "text": "shop.example.com"}, "text", "write example.com."),
        ({"advertiser_id": [], "text": "https://a:b@example.com:99/x?y"}, "text", "example.com."),
        ({"text": "example.com"}, "text", "not both"),
        ({"region": "Atlantis"}, "region", "Atlantis"),
        ({"platform": "TV"}, "platform", "is not one of"),
        ({"creative_format": "film"}, "creative_format", "is not one of"),
        ({"political_ads": "yes"}, "political_ads", "need a region"),
        ({"interval_minutes": "4"}, "interval_minutes", "must be 5 to 43200"),
        ({"interval_minutes": "hourly"}, "interval_minutes", "is not a whole number"),
        ({"max_pages": "1e2"}, "max_pages", "is not a whole number"),
        ({"max_pages": "-1"}, "max_pages", "must be 1 to 100"),
        ({"monthly_budget": "9999999999999"}, "monthly_budget", "must be 0 to 2147483647, not "),
        ({"max_pages": "9" * 20}, "max_pages", f"must be 1 to 100, not {'9' * 20}."),
        ({"max_pages": "9" * 9000}, "max_pages", "must be 1 to 100, not one of more than 30 dig"),
        ({"monthly_budget": "4000000000"}, "monthly_budget", "must be 0 to"),
        ({"ended_after_days": "400"}, "ended_after_days", "must be 1 to 365"),
        ({"details_per_sweep": "٣"}, "details_per_sweep", "is not a whole number"),
    ],
)
async def test_a_mistake_is_said_beside_its_field_and_nothing_is_saved(
    pages: GalleryClient, database: Database, fields: dict[str, Any], field: str, words: str
) -> None:
    answer = await send(pages, **fields)

    assert answer.status_code == 422
    assert words in problem(answer.text, field)
    assert await ids(database, "SELECT id FROM watch") == []


async def test_of_a_form_with_only_a_name_the_one_field_that_lacks_is_marked(
    pages: GalleryClient,
) -> None:
    page = (await pages.send_form(NEW, page=NEW, save="yes", name="shoes", **NUMBERS)).text

    assert re.findall('id="problem-([a-z_]+)"', page) == ["advertiser"]
    assert re.findall('role="alert">(.*?)</p>', page) == [
        "Correct the marked fields; nothing is saved yet."
    ]


async def test_a_domain_that_a_command_has_stored_with_advertisers_can_stay(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, advertiser_ids=[CAFE], text="two words")

    answer = await send(pages, f"/watches/{watch_id}/edit", text="two words", max_pages="3")

    assert answer.url.path == f"/watches/{watch_id}"
    assert await ids(database, "SELECT text FROM watch WHERE max_pages = 3") == ["two words"]


async def test_a_form_that_is_sent_twice_creates_one_watch_and_leads_to_it(
    pages: GalleryClient, database: Database
) -> None:
    await pages.get(NEW)
    fields = NUMBERS | {"name": "shoes", "advertiser_id": CAFE, "warned": "", "seen": "724-3600"}

    answers = await asyncio.gather(
        *(pages.send_form(NEW, page=NEW, save="yes", **fields) for _ in range(3))
    )

    (made,) = await ids(database, "SELECT id FROM watch")
    assert [one.url.path for one in answers] == [f"/watches/{made}"] * 3


async def test_all_mistakes_are_said_at_once_and_the_form_keeps_what_was_typed(
    pages: GalleryClient,
) -> None:
    typed = {"name": "", "region": "Atlantis", "max_pages": "<b>many", "platform": "TV"}

    page = (await send(pages, **typed)).text

    assert all(problem(page, field) for field in typed)
    assert 'value="Atlantis"' in page
    assert 'value="&lt;b&gt;many"' in page
    assert f'value="{CAFE}" checked' in page
    assert not problem(page, "interval_minutes")


async def test_advertisers_are_added_one_by_one(pages: GalleryClient) -> None:
    fields = NUMBERS | {"name": "", "advertiser_id": CAFE, "advertiser": "laufladen.example"}

    page = (await pages.send_form(NEW, page=NEW, find="", **fields)).text

    assert f'value="{CAFE}" checked' in page
    assert f'value="{SHOP}" checked' in page
    assert "Laufladen GmbH" in page
    assert not problem(page, "name")  # of which nothing was asked yet


async def test_of_several_of_one_name_the_one_that_is_meant_is_chosen(
    pages: GalleryClient, database: Database
) -> None:
    other = f"AR{9:020d}"
    await change(
        database,
        f"INSERT INTO advertiser (advertiser_id, name) VALUES ('{other}', 'Café Zoë')",
    )

    answer = await pages.send_form(NEW, page=NEW, find="", advertiser="Café Zoë", **NUMBERS)

    assert answer.status_code == 422
    assert "Several advertisers are" in problem(answer.text, "advertiser")
    for one in (CAFE, other):
        assert f'name="advertiser_id" value="{one}">' in answer.text
    assert "checked" not in answer.text.split("One of these?")[1].split("</fieldset>")[0]


async def test_a_taken_name_is_said_beside_it(pages: GalleryClient, database: Database) -> None:
    await add_watch(database, name="shoes", max_pages=9)

    answer = await send(pages)

    assert answer.status_code == 422
    assert "is called &#39;shoes&#39; already" in problem(answer.text, "name")
    assert await ids(database, "SELECT max_pages FROM watch") == [9]


async def test_a_watch_that_another_one_looks_like_is_warned_of_before_it_is_saved(
    pages: GalleryClient, database: Database
) -> None:
    other = await add_watch(database, name="Shoes")
    fields = NUMBERS | {"name": "shoes", "advertiser_id": ADVERTISER_ID}

    asked = await pages.send_form(NEW, page=NEW, save="yes", seen="724-3600", warned="", **fields)

    assert "differs only in case" in asked.text
    assert "every ad would be reported twice" in asked.text
    assert f'href="/watches/{other}"' in asked.text
    assert await ids(database, "SELECT id FROM watch") == [other]
    warned = hidden(asked.text, "warned")
    saved = await pages.send_form(
        NEW, page=NEW, save="yes", seen="724-3600", warned=warned, **fields
    )
    assert "The watch is created" in saved.text


async def test_a_change_keeps_what_the_form_does_not_have_and_empties_what_is_empty(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(
        database, region="2840", monthly_budget=9, is_active=False, advertiser_ids=[CAFE]
    )
    path = f"/watches/{watch_id}/edit"

    answer = await send(pages, path, region="", max_pages="3")

    assert answer.url.path == f"/watches/{watch_id}"
    assert "Its search is another one now" in answer.text
    (row,) = await ids(database, "SELECT to_jsonb(watch) FROM watch")
    assert (row["region"], row["monthly_budget"], row["max_pages"]) == (None, None, 3)
    assert row["is_active"] is False


async def test_a_change_of_nothing_says_so(pages: GalleryClient, database: Database) -> None:
    watch_id = await add_watch(database, advertiser_ids=[CAFE])

    answer = await send(pages, f"/watches/{watch_id}/edit")

    assert "There was nothing to change" in answer.text


async def test_a_change_that_is_sent_twice_is_no_change_by_somebody_else(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, advertiser_ids=[CAFE])
    path = f"/watches/{watch_id}/edit"
    fields = NUMBERS | {"name": "shoes", "advertiser_id": CAFE, "region": "de"}
    fields["version"] = hidden((await pages.get(path)).text, "version")
    checked = (await pages.send_form(path, page=path, check="yes", **fields)).text
    fields |= {name: hidden(checked, name) for name in ("seen", "warned")}

    answers = await asyncio.gather(
        *(pages.send_form(path, page=path, save="yes", **fields) for _ in range(3))
    )

    assert [one.url.path for one in answers] == [f"/watches/{watch_id}"] * 3
    assert await ids(database, "SELECT region FROM watch") == ["2276"]


async def test_the_second_of_two_who_change_a_watch_is_shown_what_the_first_did(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database, advertiser_ids=[CAFE])
    path = f"/watches/{watch_id}/edit"
    version = hidden((await pages.get(path)).text, "version")
    assert "changed" in (await send(pages, path, max_pages="9", region="de")).text

    second = await send(pages, path, max_pages="2", version=version)

    assert second.status_code == 409
    assert "Somebody else has changed this watch meanwhile" in second.text
    cells = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', second.text)
    assert cells == [("Region", "2276", "–"), ("Pages a look, at most", "9", "2")]
    assert 'name="max_pages" value="9"' in second.text
    assert await ids(database, "SELECT max_pages FROM watch") == [9]
    assert hidden(second.text, "version") != version


@pytest.mark.parametrize("version", ["", "yesterday", "2026-01-01T00:00:00+00:00"])
async def test_a_form_without_its_version_changes_nothing(
    pages: GalleryClient, database: Database, version: str
) -> None:
    watch_id = await add_watch(database, advertiser_ids=[CAFE])

    answer = await send(pages, f"/watches/{watch_id}/edit", max_pages="2", version=version)

    assert answer.status_code == 409
    assert await ids(database, "SELECT max_pages FROM watch") == [5]
