"""Twenty questions on the recorded ads; of five the right answer is that it is not known."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adspark.db.engine import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from tests.support.assistant import open_assistant, read_text, serving
from tests.support.recorded_library import (
    ARCTERYX,
    LAUNCHED,
    NEW_BALANCE,
    VARIANT_OF,
    WITH_COPY,
    fill_recorded,
    recorded,
)
from tests.support.watching import Place

Found = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Question:
    """A question, the call that answers it, and the right answer.

    Attributes:
        words: of a person.
        tool: that is called.
        arguments: of the call.
        read: the answer, out of what was found.
        right: the right one.
        is_known: whether the answer is complete; else it is known only in part, or not at all.
        because: words of why it is not known.
    """

    words: str
    tool: str
    arguments: dict[str, Any]
    read: Found
    right: object
    is_known: bool = True
    because: str = ""


def total(found: dict[str, Any]) -> object:
    return found["page"]["total"]


def ids(found: dict[str, Any]) -> object:
    return [one["ad_creative_id"] for one in found["page"]["ads"]]


def news(found: dict[str, Any]) -> object:
    return [(one["kind"], one["ad_creative_id"]) for one in found["page"]["news"]]


def text_of(marked: dict[str, str]) -> str:
    (words,) = marked.values()
    return words


BALANCE = {"advertiser": ["New Balance Athletic Shoe, Inc."]}
VIDEOS = len(recorded(advertiser_id=NEW_BALANCE, format="video"))
QUESTIONS = [
    Question("How many ads has New Balance?", "search_ads", BALANCE, total, 41),
    Question("How many are videos?", "search_ads", {**BALANCE, "format": "video"}, total, VIDEOS),
    Question(
        "Has it a banner of 970 × 250?", "search_ads", {**BALANCE, "size": "970x250"}, total,
        len(recorded(advertiser_id=NEW_BALANCE, width=970, height=250)),
    ),
    Question(
        "And a mobile banner?", "search_ads", {**BALANCE, "size": "320x50"}, ids, [LAUNCHED]
    ),
    Question(
        "What is new at New Balance?", "list_news", {"watch": "New Balance"}, news,
        [("new", LAUNCHED)],
    ),
    Question("What is new at hubspot?", "list_news", {"watch": "hubspot"}, news, []),
    Question("How many lead to hubspot.com?", "search_ads", {"domain": "hubspot.com"}, total, 3),
    Question(
        "How many did the watch of On in the US find?", "search_ads",
        {"watch": "On in the US"}, total, 40,
    ),
    Question(
        "And by the country itself?", "search_ads",
        {"advertiser": ["On AG"], "region": "US"}, total, 40,
    ),
    Question(
        "How many ads has ARC’TERYX, which was fetched by hand?", "show_advertiser",
        {"advertiser": ARCTERYX}, lambda found: found["advertiser"]["ads"],
        len(recorded(advertiser_id=ARCTERYX)),
    ),
    Question(
        "Who of the two has more ads?", "compare_advertisers",
        {"advertisers": [NEW_BALANCE, ARCTERYX]},
        lambda found: [one["ads"] for one in found["advertisers"]], [41, 24],
    ),
    Question(
        "How many ads did New Balance launch today?", "show_timeline",
        {"advertiser": NEW_BALANCE, "period": "day", "limit": 1},
        lambda found: found["periods"][0]["launched"], 1,
    ),
    Question(
        "In which countries was the campus ad shown?", "show_ad", {"ad": WITH_COPY},
        lambda found: {"2276", "2246"} <= {one["region"] for one in found["ad"]["regions"]}, True,
        is_known=False, because="No watch follows it",
    ),
    Question(
        "What do people say of the variant?", "show_variants", {"variant": 1},
        lambda found: [
            (one["is_approved"], one["rating"], text_of(one["comment"]))
            for one in found["variant"]["reviews"]
        ],
        [(True, 4, "Well done")],
    ),
    Question(
        "Of which ad is it?", "show_variants", {},
        lambda found: [one["original_ad_id"] for one in found["page"]["variants"]], [VARIANT_OF],
    ),
]  # fmt: skip
NOT_KNOWN = [
    Question(
        "Does On advertise in Germany?", "search_ads",
        {"advertiser": ["On AG"], "region": "DE"}, total, 0,
        is_known=False, because="it searches in United States only",
    ),
    Question(
        "What is new at Patagonia?", "list_news", {"watch": "Patagonia", "since": "week"}, news, [],
        is_known=False, because="(Patagonia) was never looked at",
    ),
    Question(
        "Did lululemon launch anything in the last day?", "list_news", {"watch": "lululemon"}, news,
        [], is_known=False, because="(lululemon) could not be looked at the last time",
    ),
    Question(
        "What does the new ad say?", "show_ad", {"ad": LAUNCHED},
        lambda found: (found["ad"]["headline"], found["ad"]["snippet"]), (None, None),
        is_known=False, because="Its words are not known",
    ),
    Question(
        "How many searches are left in the account?", "show_budget", {},
        lambda found: found["budget"]["searches_left"], None,
        is_known=False, because="The SerpApi account was not asked",
    ),
]  # fmt: skip


async def test_twenty_questions_get_the_right_answers(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    wrong = []
    assert (len(QUESTIONS), len(NOT_KNOWN)) == (15, 5)
    with serve(SandboxSettings(cached_for=0)) as url:
        await fill_recorded(Place(database, url))
    async with open_assistant(serving(database_url, tmp_path)) as client:
        for one in (*QUESTIONS, *NOT_KNOWN):
            answer = await client.call_tool(one.tool, one.arguments)
            assert not answer.is_error, (one.words, read_text(answer))
            document = answer.structured_content
            told = (
                one.read(document["found"]),
                document["coverage"]["is_complete"],
                one.because in " ".join(document["coverage"]["not_looked_at"]),
            )
            if told != (one.right, one.is_known, True):
                wrong.append((one.words, told, document["coverage"]))
        nobody = await client.call_tool("search_ads", {"advertiser": ["Nike"], "format": "video"})
    assert wrong == []
    assert nobody.is_error
    assert read_text(nobody).startswith("advertiser: none of 'Nike' is stored")
    assert "so nothing is known of its ads" in read_text(nobody)
