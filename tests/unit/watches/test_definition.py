"""A watch's definition: checked before anything is saved, changed only where something is given."""

from typing import Any

import pytest

from adspark.errors import InvalidQueryError
from adspark.watches.definition import (
    CLEARABLE,
    WatchDefinition,
    WatchFields,
    change_definition,
    parse_watch,
)
from tests.support.factories import ADVERTISER_ID, watch_definition


def test_a_name_that_is_given_now_holds_nothing_invisible() -> None:
    hidden = WatchFields(name="a\u202eb", text="example.com")
    with pytest.raises(InvalidQueryError, match=r"^name: holds invisible characters \('a\\u202eb'"):
        change_definition(None, hidden)
    present, _ = parse_watch(**hidden)  # as one that was stored before
    with pytest.raises(InvalidQueryError, match=r"^name: holds invisible characters"):
        change_definition(present, WatchFields(name="c\u202ed"))
    changed, _ = change_definition(present, WatchFields(max_pages=2))
    assert (changed.name, changed.max_pages) == ("a\u202eb", 2)


def test_a_watch_needs_a_name_and_something_to_search_for() -> None:
    made, warnings = parse_watch(name=" shoes ", text="https://www.example.com/shoes")
    assert made == WatchDefinition(name="shoes", text="example.com")
    assert warnings == ["text: searching for 'example.com', since only a bare domain finds ads."]


def test_words_of_people_become_the_codes_of_the_search() -> None:
    made = watch_definition(region="germany", platform="youtube", creative_format="VIDEO")
    assert made.query.model_dump(exclude_defaults=True) == {
        "advertiser_ids": (ADVERTISER_ID,),
        "region": "2276",
        "platform": "YOUTUBE",
        "creative_format": "video",
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"advertiser_ids": None}, "advertiser_ids: give at least one advertiser id, or text"),
        ({"region": "Germny"}, "region: .*did you mean 'Germany'"),
        ({"political_ads": True}, "political_ads: political ads need a region"),
        ({"name": "  "}, "name: is empty; name the watch"),
        ({"name": "x" * 101}, "name: has 101 characters; shorten it to 100"),
        ({"name": "two\nlines"}, r"name: holds a control character \('\\n'\)"),
        ({"name": "nul\x00"}, r"name: holds a control character \('\\x00'\)"),
        ({"name": "half \ud83d"}, r"name: holds a control character \('\\ud83d'\)"),
        ({"text": "nul\x00.com"}, "text: holds a control character"),
        ({"user_id": 0}, "user_id: must be 1 or more, not 0"),
        ({"interval_minutes": 4}, "interval_minutes: must be 5 to 43200, not 4"),
        ({"interval_minutes": 43_201}, "interval_minutes: must be 5 to 43200"),
        ({"max_pages": 0}, "max_pages: must be 1 to 100, not 0"),
        ({"max_pages": 101}, "max_pages: must be 1 to 100"),
        ({"monthly_budget": -1}, "monthly_budget: must be 0 or more, not -1"),
        ({"monthly_budget": 2**31}, "monthly_budget: must be 0 to 2147483647"),
        ({"ended_after_days": 0}, "ended_after_days: must be 1 to 365"),
        ({"ended_after_days": 366}, "ended_after_days: must be 1 to 365"),
        ({"details_per_sweep": -1}, "details_per_sweep: must be 0 to 100"),
        ({"details_per_sweep": 101}, "details_per_sweep: must be 0 to 100"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_remedy(words: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidQueryError, match=f"^{message}"):
        watch_definition(**words)


def test_the_ends_of_every_range_can_be_used() -> None:
    least = {"max_pages": 1, "monthly_budget": 0, "ended_after_days": 1, "details_per_sweep": 0}
    most = {"max_pages": 100, "ended_after_days": 365, "details_per_sweep": 100, "name": "é" * 100}
    assert watch_definition(interval_minutes=5, **least).monthly_budget == 0
    assert watch_definition(interval_minutes=43_200, **most).max_pages == 100


@pytest.mark.parametrize(("interval", "warned"), [(59, 1), (60, 0)])
def test_looking_more_often_than_the_cache_lasts_is_warned_of(interval: int, warned: int) -> None:
    _, warnings = parse_watch(name="shoes", text="example.com", interval_minutes=interval)
    assert len(warnings) == warned
    assert all("from its cache for an hour" in warning for warning in warnings)


def test_a_budget_below_what_could_be_spent_is_no_reason_to_warn() -> None:
    _, warnings = parse_watch(name="shoes", text="example.com", max_pages=100, monthly_budget=1)
    assert warnings == []


@pytest.mark.parametrize(
    ("words", "cost"),
    [
        ({}, "at most 3,600 searches a month (5 pages × 720 looks), budget none"),
        (
            {"max_pages": 2, "details_per_sweep": 3, "interval_minutes": 1440, "monthly_budget": 9},
            "at most 150 searches a month (2 pages + 3 details × 30 looks), budget 9",
        ),
        ({"monthly_budget": 0}, "never searched, for its budget is 0"),
    ],
)
def test_the_cost_is_told_as_pages_times_checks(words: dict[str, Any], cost: str) -> None:
    assert watch_definition(**words).cost == cost


def test_only_what_is_given_changes() -> None:
    before = watch_definition(region="US", is_active=False, monthly_budget=5)
    nothing: WatchFields = {"name": None, "advertiser_ids": [], "text": "", "max_pages": None}
    after, _ = change_definition(before, {"name": "boots", "monthly_budget": 0, "is_active": True})
    assert change_definition(before, nothing) == (before, [])
    assert after == before.model_copy(
        update={"name": "boots", "monthly_budget": 0, "is_active": True}
    )


@pytest.mark.parametrize("field", CLEARABLE)
def test_a_field_is_emptied_by_naming_it(field: str) -> None:
    before = watch_definition(
        text="example.com",
        region="US",
        platform="SEARCH",
        creative_format="text",
        monthly_budget=5,
    )
    after, _ = change_definition(before, {}, [field])
    assert not getattr(after, field)
    assert after.model_dump(exclude={field}) == before.model_dump(exclude={field})


@pytest.mark.parametrize(
    ("changes", "clear", "message"),
    [
        ({"name": "2"}, [], "name: '2' would be taken for a number"),
        ({}, ["max_pages"], "clear: 'max_pages' is not one of advertiser_ids, text"),
        ({"region": "US"}, ["region"], "clear: region is given as well"),
        ({}, ["advertiser_ids"], "advertiser_ids: give at least one"),
    ],
)
def test_a_change_that_contradicts_itself_is_refused(
    changes: WatchFields, clear: list[str], message: str
) -> None:
    with pytest.raises(InvalidQueryError, match=message):
        change_definition(watch_definition(), changes, clear)


def test_a_change_of_nothing_there_needs_what_a_new_watch_needs() -> None:
    made, _ = change_definition(None, {"name": "shoes", "text": "example.com"}, ["region"])
    assert made == WatchDefinition(name="shoes", text="example.com")
    with pytest.raises(InvalidQueryError, match="name: is empty"):
        change_definition(None, {"text": "example.com"})
    with pytest.raises(InvalidQueryError, match="name: '2' would be taken for a number"):
        change_definition(None, {"name": "2", "text": "example.com"})
    change_definition(watch_definition(name="2"), {"max_pages": 3})  # one that is stored
