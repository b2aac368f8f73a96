"""Whether "none" may be said of days that nobody has looked at yet."""

from datetime import UTC, date, datetime

import pytest

from adspark.library.coverage import ScopeCoverage
from adspark.models import Coverage as LookCoverage
from adspark.watches.reports.looks import WatchLooks
from deployments.mcp.coverage import cover_scope, cover_watches

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


def test_advertisers_that_are_not_named_are_counted() -> None:
    ids = [f"AR{number:020d}" for number in range(30)]
    said = cover_scope(ScopeCoverage(looks=[], uncovered=ids, as_of=None), subjects=ids)
    assert len(said.not_looked_at) == 21
    assert said.not_looked_at[-1] == "Nor were all ads of 10 more advertisers looked for."


def test_of_a_watch_that_began_later_the_time_before_is_said_to_be_unknown() -> None:
    looks = WatchLooks(
        is_active=True,
        next_look=datetime(9999, 1, 1, tzinfo=UTC),
        problem=None,
        checked_at=LOOKED,
        coverage=LookCoverage.COMPLETE,
        baseline_at=LOOKED,
        complete_at=LOOKED,
        has_gaps=False,
    )

    said = cover_watches([(2, "hubspot", looks)], since=datetime(2026, 8, 1, tzinfo=UTC))

    (sentence,) = said.not_looked_at
    assert "was looked at completely, but only since its first look; last completely at" in sentence
    assert sentence.endswith(
        "; first at 2026-08-03 23:59 UTC, and what was before that is not known."
    )
