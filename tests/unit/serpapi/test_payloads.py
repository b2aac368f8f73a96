"""Rows as SerpApi sends them: real ones all pass, broken ones are told apart."""

import json
import time
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adspark.serpapi.payloads import CreativePayload, parse_rows
from tests.support.factories import creative, creative_row


def test_all_recorded_ads_are_read() -> None:
    recorded = resources.files("adspark.sandbox").joinpath("data/creatives.jsonl").read_text()
    good, rejected = parse_rows([json.loads(line) for line in recorded.splitlines()])
    assert (len(good), rejected) == (320, [])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(None, "row", id="no row at all"),
        pytest.param("text", "row", id="a word in place of a row"),
        pytest.param(creative_row(ad_creative_id=...), "ad_creative_id", id="no id"),
        pytest.param(creative_row(ad_creative_id="CR1"), "ad_creative_id", id="a short id"),
        pytest.param(creative_row(advertiser_id=17), "advertiser_id", id="a number as an id"),
        pytest.param(creative_row(format="hologram"), "format", id="an unknown format"),
        pytest.param(creative_row(format=None), "format", id="no format"),
        pytest.param(creative_row(advertiser_id="AR" + "٣" * 20), "advertiser_id", id="digits"),
    ],
)
def test_a_broken_row_is_rejected_with_its_reason_and_the_rest_is_kept(
    row: Any,  # noqa: ANN401
    reason: str,
) -> None:
    good, rejected = parse_rows([creative_row(1), row, creative_row(2)])
    assert [one.ad_creative_id[-1] for one in good] == ["1", "2"]
    assert [one.payload for one in rejected] == [row]
    assert rejected[0].reason.startswith(reason)


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        ("width", 0, None),
        ("width", -1, None),
        ("width", "100%", None),
        ("width", "380", 380),
        ("width", True, None),
        ("width", [380], None),
        ("width", {"px": 380}, None),
        ("width", 10**30, None),
        ("height", "high", None),
        ("height", 2.5, None),
        ("height", "", None),
        ("image", "", None),
        ("image", "//host/picture.png", None),
        ("image", "javascript:alert(1)", None),
        ("image", ["https://host/picture.png"], None),
        ("image", "https://host/" + "a" * 9000, None),
        ("link", "http://[::1", None),
        pytest.param("width", 10**5000, None, id="a number that Python does not write"),
        ("link", "http://[::1?htmlParentId=1", None),
        ("first_shown", "yesterday", None),
        ("first_shown", "2026-05-28", datetime(2026, 5, 28, tzinfo=UTC)),
        ("first_shown", "20260528", datetime(2026, 5, 28, tzinfo=UTC)),
        ("first_shown", 20260528, datetime(2026, 5, 28, tzinfo=UTC)),
        ("first_shown", "1780000000", datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)),
        ("first_shown", 1780000000.0, datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)),
        ("first_shown", "2026-05-28T22:26:40+02:00", datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)),
        ("first_shown", "2026-13-45", None),
        ("last_shown", 10**12, None),
        ("last_shown", 10**400, None),
        ("last_shown", -1, None),
        ("last_shown", 0, None),
        ("last_shown", True, None),
        ("last_shown", 4_102_444_800, None),  # 2100
        ("last_shown", "2100-01-01", None),
        ("last_shown", "", None),
        ("last_shown", {}, None),
        ("last_shown", float("nan"), None),
        ("advertiser", None, ""),
        ("advertiser", 17, ""),
        ("advertiser", "a\x00b", ""),
        ("advertiser", "\ud800", ""),
        ("advertiser", "😀" * 9000, "😀" * 500),
        ("target_domain", "a" * 9000, "a" * 253),
        ("target_domain", "", None),
        ("target_domain", False, None),
        ("total_days_shown", -1, None),
        ("total_days_shown", 2**40, None),
        ("total_days_shown", "ten", None),
        ("minimum_views_count", 2**63, None),
        ("minimum_views_count", "1,000", None),
        ("minimum_budget_spent", 400, None),
        ("minimum_budget_spent", "x" * 9000, "x" * 100),
        ("details_link", "adstransparency.google.com", None),
    ],
)
def test_a_field_that_cannot_be_read_is_left_out_and_named_and_the_ad_is_kept(
    field: str,
    sent: Any,  # noqa: ANN401
    read: Any,  # noqa: ANN401
) -> None:
    good, rejected = parse_rows([creative_row(1, **{field: sent})])
    assert rejected == []
    (ad,) = good
    assert getattr(ad, field) == read
    is_dropped = read in (None, "")
    notes = ad.dropped_fields or ()
    assert [note.partition(":")[0] for note in notes] == ([field] if is_dropped else [])
    others = creative(1).model_dump(exclude={field, "dropped_fields"})
    assert ad.model_dump(exclude={field, "dropped_fields"}) == others


def test_several_fields_are_left_out_at_once_and_the_value_is_quoted() -> None:
    (ad,), _ = parse_rows([creative_row(width="100%", height=0, last_shown="never")])
    assert ad.dropped_fields is not None
    assert [note.partition(":")[0] for note in ad.dropped_fields] == [
        "width", "height", "last_shown",
    ]  # fmt: skip
    assert '("100%")' in ad.dropped_fields[0]
    assert all(len(note) <= 400 for note in ad.dropped_fields)


def test_no_service_writes_the_notes_itself() -> None:
    (ad,), _ = parse_rows([creative_row(dropped_fields=["a"])])
    assert ad.dropped_fields is None


def test_a_day_ahead_of_utc_is_not_the_future() -> None:
    tomorrow = int(time.time()) + 80_000
    (ad,), _ = parse_rows([creative_row(last_shown=tomorrow)])
    assert ad.last_shown == datetime.fromtimestamp(tomorrow, UTC)


def test_the_format_may_be_written_in_capitals() -> None:
    (ad,), _ = parse_rows([creative_row(format=" TEXT ")])
    assert ad.format == "text"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
OPTIONAL = sorted(set(CreativePayload.model_fields) - {"advertiser_id", "ad_creative_id", "format"})


@given(st.dictionaries(st.sampled_from(OPTIONAL), ODD))
def test_no_value_of_any_optional_field_costs_the_ad(odd: dict[str, Any]) -> None:
    good, rejected = parse_rows([creative_row(1) | odd])
    assert (len(good), rejected) == (1, [])


@given(ODD)
def test_a_rejected_row_has_a_key_that_stays(row: Any) -> None:  # noqa: ANN401
    _, (first,) = parse_rows([row])
    _, (second,) = parse_rows([row])
    assert first.key == second.key


def test_a_rejected_row_is_known_again_when_its_days_have_moved() -> None:
    def key(**changes: Any) -> str:  # noqa: ANN401
        _, (rejected,) = parse_rows([creative_row(1, **changes)])
        return rejected.key

    assert key(format="x") == key(format="x", last_shown=1_786_100_000, width=5)
    assert key(format="x", ad_creative_id=...) == key(
        format="x", ad_creative_id=..., last_shown=1_786_100_000, image="https://else/"
    )
    assert key(format="x") != key(format="x", ad_creative_id="CR1")


def test_a_creative_stands_once_in_a_page() -> None:
    good, rejected = parse_rows([creative_row(1), creative_row(2), creative_row(1)])
    assert (len(good), rejected) == (2, [])


def test_fields_that_nobody_knows_are_passed_over() -> None:
    assert creative(hologram={"depth": 3}) == creative()


def test_times_are_aware_utc() -> None:
    assert creative(first_shown=1_780_000_000).first_shown == datetime(
        2026, 5, 28, 20, 26, 40, tzinfo=UTC
    )


def test_the_nonces_of_a_link_are_left_out_and_nothing_else() -> None:
    link = "https://displayads-formats.example/content.js?creativeId=1&overlay=%3DH4s&sig=ACi_x"
    nonces = "&htmlParentId=fletch-render-{0}&responseCallback=fletchCallback{0}"
    first = creative(image=..., link=link + nonces.format(17))
    second = creative(image=..., link=link + nonces.format(99))
    assert first.link == second.link == link
