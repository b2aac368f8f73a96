"""Whether "none" may be said of days that nobody has looked at yet."""

from datetime import UTC, date, datetime

import pytest

from adspark.library.coverage import ScopeCoverage
from deployments.mcp.coverage import cover_scope

LOOKED = datetime(2026, 8, 3, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "is_known"),
    [
        (None, True),
        (date(2026, 8, 3), True),
        (date(2026, 8, 4), False),
        (date(9999, 12, 31), False),
    ],
)
def test_what_is_asked_for_from_a_day_on_is_known_only_where_somebody_has_looked_since(
    since: date | None, *, is_known: bool
) -> None:
    found = ScopeCoverage(looks=[], uncovered=[], as_of=LOOKED)

    said = cover_scope(found, subjects=["AR1"], since=since)

    assert said.is_complete is is_known
    assert said.not_looked_at == ([] if is_known else [f"Nobody has looked on {since} or later."])
