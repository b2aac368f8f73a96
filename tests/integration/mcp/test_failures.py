"""Calls that cannot be answered: one line that names the argument and says what to do."""

from pathlib import Path
from typing import Any

import pytest

from adspark.db.engine import Database
from adspark.library.search.statements import MOST_COUNTED
from adspark.variants.budget import set_budget
from tests.support.assistant import ask, ask_in_vain, open_assistant, read_text, serving
from tests.support.library import ad, add_texts, fill_library
from tests.support.noticed import add_watch

CALLS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("search_ad", {}, ("There is no tool 'search_ad' here; did you mean 'search_ads'",)),
    ("search_ads", {"wrds": "x"}, ("wrds: is no argument of this tool", "did you mean 'words'")),
    ("search_ads", {"limit": 0}, ("limit: is less than 1.",)),
    ("search_ads", {"limit": "many"}, ("limit: is not a whole number.",)),
    ("search_ads", {"limit": "1_0"}, ("limit: is not a whole number.",)),
    ("search_ads", {"format": "film"}, ("format: is none of", "'image'")),
    ("search_ads", {"first_from": "soon"}, ("first_from: 'soon' is not a day; write it as",)),
    ("search_ads", {"region": "Atlantis"}, ("region: 'Atlantis' is not a region. Give an ISO",)),
    ("search_ads", {"domain": "x"}, ("domain: 'x' is not a domain; write it as",)),
    ("search_ads", {"words": "!!", "after": "x"}, ("after: ", "`next`")),
    ("search_ads", {"sort": "relevance"}, ("sort: relevance takes words",)),
    ("search_ads", {"watch": "shoe"}, ("watch: ", "did you mean 'shoes'?")),
    ("search_ads", {"board": "none"}, ("board: ",)),
    ("search_ads", {"tag": "a\0"}, ("tag: ",)),
    ("search_ads", {"advertiser": ["a\0"]}, ("advertiser: holds a NUL",)),
    ("show_ad", {}, ("ad: is missing. Ids of stored ads: search_ads.",)),
    ("show_ad", {"ad": "CR1"}, ("ad: no ad CR1 is stored; an ad id is CR and 20 digits",)),
    ("show_ad", {"ad": ad(99)}, ("ad: no ad", "is stored.", "search_ads")),
    ("show_advertiser", {"advertiser": "Cafe Zoo"}, ("did you mean 'Café Zoë'?",)),
    ("show_advertiser", {"advertiser": "Nike"}, ("'Nike' is stored", "nothing is known of its")),
    ("show_advertiser", {"advertiser": " "}, ("advertiser: is empty",)),
    ("compare_advertisers", {"advertisers": ["Nike"]}, ("advertisers: has fewer than 2 items.",)),
    (
        "compare_advertisers",
        {"advertisers": ["Café Zoë", "Café Zoë"]},
        ("advertisers: ", "is named already; name others."),
    ),
    (
        "compare_advertisers",
        {"advertisers": ["Café Zoë", "Nike"]},
        ("advertisers: none of 'Nike'",),
    ),
    (
        "compare_advertisers",
        {"names": ["New Balance", "On AG"]},
        (
            "names: is no argument of this tool; it has advertisers.",
            "advertisers: is missing. Those that are stored: show_advertiser without advertiser.",
        ),
    ),
    (
        "compare_advertisers",
        {"advertiser": ["New Balance", "On AG"]},
        ("advertiser: is no argument of this tool;", "did you mean 'advertisers'?"),
    ),
    ("show_timeline", {"advertiser": "On AG", "first": 0}, ("first: '0' is not a day; write",)),
    ("show_timeline", {"period": "week"}, ("advertiser: is missing. Those that are stored",)),
    ("show_timeline", {"advertiser": "Café Zoë", "period": "hour"}, ("period: is none of",)),
    (
        "show_timeline",
        {"advertiser": "Café Zoë", "first": "2026-02-01", "last": "2026-01-01"},
        ("last: 2026-01-01 lies before first, 2026-02-01; swap them.",),
    ),
    ("list_news", {"watch": "9"}, ("watch: There is no watch '9'", "list_watches")),
    (
        "list_news",
        {"since": "last tuesday"},
        ("since: 'last tuesday' is no time; write day, week, month, 2026-08-31 or",),
    ),
    ("list_news", {"since": "2026-08-31T8pm"}, ("since: '2026-08-31T8pm' is no time",)),
    ("list_news", {"since": "9999-12-31T08:00"}, ("since: 9999-12-31 is to come; name today",)),
    (
        "show_timeline",
        {"advertiser": "Café Zoë", "first": "9999-12-31"},
        ("first: 9999-12-31 is to come; name today",),
    ),
    ("list_news", {"since": "2026-02-30"}, ("since: the calendar has no 2026-02-30",)),
    ("list_watches", {"state": "asleep"}, ("state: is none of",)),
    ("list_watches", {"watch": "a\0"}, ("watch: holds a NUL",)),
    ("show_variants", {"ad": ""}, ("ad: no ad", "an ad id is CR and 20 digits")),
    ("show_variants", {"variant": 99}, ("variant: There is no variant 99.", "show_variants")),
    ("show_variants", {"variant": 0}, ("variant: is less than 1.",)),
    (
        "show_variants",
        {"variant": 1, "status": "failed"},
        ("status: does not go with the number of a variant; leave it out.",),
    ),
    (
        "spend",
        {"act": "look_now", "watch": "rest", "prompt": "x"},
        ("prompt: does not go with look_now; leave it out.",),
    ),
    ("spend", {}, ("act: is missing",)),
    ("spend", {"act": "look_now"}, ("watch: name the watch to look at.",)),
    ("spend", {"act": "look_now", "watch": "rest"}, ("watch: watch 2 is paused; resume it",)),
    ("spend", {"act": "look_now", "watch": "spent"}, ("watch: the month's budget of watch 3",)),
    ("spend", {"act": "look_up_details"}, ("ads: name the ads",)),
    ("spend", {"act": "look_up_details", "ads": [ad(99)]}, ("ads: no ad",)),
    ("spend", {"act": "request_variants", "ads": [ad(1)]}, ("prompt: is empty",)),
    ("spend", {"act": "request_variants", "ads": [ad(99)], "prompt": "x"}, ("ads: no ad",)),
    (
        "spend",
        {"act": "request_variants", "ads": [ad(1)], "prompt": "\u200b"},
        ("prompt: is empty",),
    ),
    (
        "spend",
        {"act": "request_variants", "ads": [ad(1)], "prompt": "x"},
        ("User 1 has a budget of 0 generations",),
    ),
]


async def test_each_is_told_in_one_line_with_its_argument_and_remedy(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await add_watch(database)
    await add_watch(database, name="rest", is_active=False)
    await add_watch(database, name="spent", monthly_budget=0)
    async with database.session() as session:
        await set_budget(session, user_id=1, monthly=0)
        await session.commit()
    async with open_assistant(serving(database_url, tmp_path, allows_spending=True)) as client:
        answers = [await client.call_tool(tool, arguments) for tool, arguments, _ in CALLS]
    told = list(map(read_text, answers))
    wrong = [
        (call, said)
        for call, said in zip(CALLS, told, strict=True)
        if not all(one in said for one in call[2])
    ]
    assert wrong == []
    assert all(one.is_error for one in answers)
    missing = [one for one in told if "is missing" in one]
    assert [one for one in missing if "looked for it" in one] == []  # nobody knows what was meant
    assert [one for one in told if "nothing is known" in one and "is stored" not in one] == []
    # Whoever asks has no command line.
    assert [one for one in told if "\n" in one or "adspark " in one] == []


@pytest.mark.parametrize("tool", ["search_ads", "list_watches", "show_budget"])
async def test_where_the_database_is_away_each_tool_says_so(tool: str, tmp_path: Path) -> None:
    away = "postgresql://adspark:hunter2@127.0.0.1:1/none"
    async with open_assistant(serving(away, tmp_path)) as client:
        told = await ask_in_vain(client, tool)

    assert told.startswith("The database does not answer, so nothing can be said; try again")
    assert "hunter2" not in told
    assert "127.0.0.1" not in told


async def test_a_list_of_watches_that_holds_none_does_not_say_that_nobody_looks(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with open_assistant(serving(database_url, tmp_path)) as client:
        before = (await ask(client, "list_watches"))["coverage"]
        await add_watch(database)
        none = "All 1 watch; none is what was asked for."
        later = "All 1 watch; 1 of them fit, and page 9 is after the last one."
        for asked, said in (
            ({"watch": "nike"}, none),
            ({"state": "paused"}, none),
            ({"page": 9}, later),
        ):
            told = (await ask(client, "list_watches", **asked))["coverage"]
            assert (told["is_complete"], told["looked_at"]) == (True, [said]), asked

    assert before["not_looked_at"] == ["There is no watch: nobody looks."]


async def test_more_ads_without_words_than_are_counted_are_not_told_as_a_number(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with database.session() as session:
        await add_texts(session, MOST_COUNTED)
        await session.commit()
    async with open_assistant(serving(database_url, tmp_path)) as client:
        before = (await ask(client, "search_ads", words="style"))["coverage"]["not_looked_at"]
        async with database.session() as session:
            await add_texts(session, MOST_COUNTED + 1)
            await session.commit()
        after = (await ask(client, "search_ads", words="style"))["coverage"]["not_looked_at"]

    (told,) = [one for one in before if "cannot be found by words" in one]
    assert told.startswith("500 ads with these filters")
    (told,) = [one for one in after if "cannot be found by words" in one]
    assert told.startswith("500 ads or more with these filters")
