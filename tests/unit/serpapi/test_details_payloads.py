"""Details as SerpApi sends them: days that nobody can know and lists without end are left out."""

from datetime import date
from typing import Any

import pytest

from adspark.serpapi.details_payloads import parse_details


def details(**information: Any) -> Any:  # noqa: ANN401
    """The details in an answer that says so much."""
    return parse_details({"search_information": information})


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (20260812, date(2026, 8, 12)),
        (1_786_000_000, date(2026, 8, 6)),
        ("20260812", date(2026, 8, 12)),
        (21000101, None),
        (4_102_444_800, None),
        (0, None),
        (True, None),
        ("soon", None),
        ([20260812], None),
        (10**30, None),
    ],
)
def test_a_day_of_a_region_is_read_or_left_out(sent: object, read: date | None) -> None:
    (region,) = details(regions=[{"region": "2840", "last_shown": sent}]).regions
    assert region.last_shown == read


def test_a_list_without_end_is_cut() -> None:
    regions = [{"region": str(number)} for number in range(1000, 9999)]
    assert len(details(regions=regions).regions) == 300
