"""Searches: everything wrong is found, named and explained before anything is spent."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adspark.errors import InvalidQueryError
from adspark.models import CreativeFormat, Platform
from adspark.serpapi.client import query_parameters
from adspark.serpapi.search_query import parse_query
from adspark.validation.bounds import MAX_PAGES
from tests.support.factories import ADVERTISER_ID, query

OTHER_ID = "AR17828074650563772417"
FAR_AHEAD = datetime.now(UTC).date() + timedelta(days=3)


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        pytest.param({}, "advertiser_ids", "or text", id="neither advertiser nor text"),
        pytest.param({"text": "  "}, "advertiser_ids", "or text", id="blank text"),
        pytest.param({"advertiser_ids": "AR123"}, "advertiser_ids", "20 digits", id="short id"),
        pytest.param({"advertiser_ids": ["Tesla"]}, "advertiser_ids", "'Tesla'", id="a name"),
        pytest.param({"text": "a.com", "region": "Atlantis"}, "region", "ISO code", id="region"),
        pytest.param({"text": "a.com", "platform": "TV"}, "platform", "YOUTUBE", id="platform"),
        pytest.param(
            {"text": "a.com", "creative_format": "gif"}, "creative_format", "video", id="format"
        ),
        pytest.param({"text": "a.com", "political_ads": True}, "political_ads", "region", id="pol"),
        pytest.param({"text": "a\x1b[31m.com"}, "text", "control character", id="colour"),
        pytest.param({"text": "a.com", "page_size": 0}, "page_size", "1 to 100", id="no ads"),
        pytest.param({"text": "a.com", "page_size": 101}, "page_size", "1 to 100", id="too many"),
        pytest.param(
            {"text": "a.com", "start_date": date(2026, 2, 2), "end_date": date(2026, 1, 1)},
            "end_date", "swap", id="dates the wrong way round",
        ),
        pytest.param({"text": "a.com", "start_date": FAR_AHEAD}, "start_date", "future", id="soon"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named_with_its_remedy(
    given: dict[str, Any], field: str, told: str
) -> None:
    with pytest.raises(InvalidQueryError) as caught:
        parse_query(**given)
    assert caught.value.field == field
    assert told in str(caught.value)


def test_a_fetch_of_no_page_is_refused() -> None:
    with pytest.raises(InvalidQueryError, match="max_pages: must be 1 to 1000"):
        MAX_PAGES.check("max_pages", 0)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(f"{OTHER_ID},{ADVERTISER_ID}", id="with a comma, as in the old guide"),
        pytest.param([ADVERTISER_ID, OTHER_ID], id="as a list"),
        pytest.param([f" {ADVERTISER_ID.lower()} ", OTHER_ID, OTHER_ID], id="untidy and twice"),
    ],
)
def test_the_same_advertisers_are_the_same_search(given: str | list[str]) -> None:
    assert query(advertiser_ids=given).hash == query(advertiser_ids=[OTHER_ID, ADVERTISER_ID]).hash


def test_searches_that_differ_in_anything_are_different() -> None:
    variants = [
        query(), query(region="US"), query(platform="maps"), query(creative_format="text"),
        query(start_date=date(2026, 1, 1)), query(end_date=date(2026, 1, 1)), query(page_size=40),
        query(region="US", political_ads=True), query(text="a.com"), query(advertiser_ids=OTHER_ID),
    ]  # fmt: skip
    assert len({one.hash for one in variants}) == len(variants)


@pytest.mark.parametrize(
    ("written", "searched", "warned"),
    [
        pytest.param("tesla.com", "tesla.com", False, id="a bare domain"),
        pytest.param("https://www.tesla.com/model3?x=1", "tesla.com", True, id="an address"),
        pytest.param("shop.example.co.uk", "example.co.uk", True, id="a subdomain"),
        pytest.param("TESLA.COM", "tesla.com", True, id="capital letters"),
        pytest.param("running shoes", "running shoes", True, id="words"),
        pytest.param("Nike", "Nike", True, id="a brand"),
    ],
)
def test_text_becomes_a_bare_domain_with_a_warning(
    written: str, searched: str, warned: bool
) -> None:
    made, warnings = parse_query(text=written)
    assert made.text == searched
    assert bool(warnings) == warned


def test_choices_are_taken_in_any_case_and_blank_means_all() -> None:
    made = query(platform="youtube", creative_format="VIDEO", region="")
    assert (made.platform, made.creative_format) == (Platform.YOUTUBE, CreativeFormat.VIDEO)
    assert query(platform="", creative_format=None).platform is None


def test_parameters_are_spelled_as_serpapi_wants_them() -> None:
    made = query(
        advertiser_ids=[OTHER_ID, ADVERTISER_ID], text="a.com", region="US", platform="maps",
        creative_format="image", political_ads=True, page_size=40,
        start_date=date(2026, 1, 5), end_date=date(2026, 1, 7),
    )  # fmt: skip
    assert query_parameters(made) == {
        "engine": "google_ads_transparency_center",
        "advertiser_id": f"{ADVERTISER_ID},{OTHER_ID}",
        "text": "a.com",
        "region": "2840",
        "platform": "MAPS",
        "creative_format": "image",
        "political_ads": "true",
        "start_date": "20260105",
        "end_date": "20260107",
        "num": "40",
    }


def test_a_single_day_ends_on_the_day_after() -> None:
    day = date(2026, 2, 28)
    parameters = query_parameters(query(start_date=day, end_date=day))
    assert (parameters["start_date"], parameters["end_date"]) == ("20260228", "20260301")


def test_what_is_not_asked_is_not_sent() -> None:
    assert set(query_parameters(query())) == {"engine", "advertiser_id", "num"}


def test_an_advertiser_is_meant_by_its_page_too() -> None:
    page = "https://adstransparency.google.com/advertiser/AR04323445746671026177?region=US"
    query, _ = parse_query(advertiser_ids=[f"{page},AR01566006373894848513"])
    assert query.advertiser_ids == ("AR01566006373894848513", "AR04323445746671026177")
