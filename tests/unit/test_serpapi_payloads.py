"""Rows as SerpApi sends them: real ones all pass, broken ones are told apart."""

import json
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest

from adspark.serpapi_payloads import parse_rows
from tests.factories import creative, creative_row


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
        pytest.param(creative_row(width=-1), "width", id="a side below nothing"),
        pytest.param(creative_row(height="high"), "height", id="a side in words"),
        pytest.param(creative_row(first_shown="yesterday"), "first_shown", id="a time in words"),
        pytest.param(creative_row(last_shown=10**12), "last_shown", id="milliseconds"),
        pytest.param(creative_row(last_shown=True), "last_shown", id="a truth as a time"),
        pytest.param(creative_row(image="javascript:alert(1)"), "image", id="not an address"),
        pytest.param(creative_row(advertiser="a\x00b"), "advertiser", id="NUL"),
        pytest.param(creative_row(advertiser="\ud800"), "advertiser", id="half a character"),
        pytest.param(creative_row(total_days_shown=2**40), "total_days_shown", id="too many days"),
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
