"""The timeline of an ad: every bar and mark lies on its axis, whatever days were sent."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adspark.library.ads.report import AdReport
from deployments.gallery.routes.ads.timeline import WIDTH, make_timeline

TODAY = date(2026, 6, 30)
days = st.none() | st.dates(date(1970, 1, 1), date(2999, 1, 1))
moments = st.datetimes(
    datetime(1990, 1, 1),
    datetime(2999, 1, 1),
    timezones=st.just(UTC),
)


def report(**changes: Any) -> AdReport:  # noqa: ANN401
    """An ad of which nothing is known but what a test names."""
    nothing = dict.fromkeys(AdReport.model_fields)
    known = {
        "ad_creative_id": "CR1", "advertiser_id": "AR1", "advertiser": "a", "format": "text",
        "searched_regions": [], "platforms": [], "tags": [], "boards": [], "shared_notes": [],
        "regions": [], "events": [], "watches": [], "variants": [], "pictures": [],
        "stored_at": datetime(2026, 6, 1, tzinfo=UTC),
    }  # fmt: skip
    return AdReport.model_validate(nothing | known | changes)


def region(first: date | None, last: date | None) -> dict[str, object]:
    return {"region": "2840", "first_shown": first, "last_shown": last, "times_shown": None}


@given(st.lists(st.tuples(days, days), max_size=4), st.lists(moments, max_size=3), moments)
def test_everything_lies_on_the_axis(
    regions: list[tuple[date | None, date | None]], events: list[datetime], found: datetime
) -> None:
    watch = {"id": 1, "name": "w", "first_matched_at": found, "last_matched_at": found}
    noticed = [
        {"kind": "new", "occurred_at": one, "watch_id": 1, "watch": "w", "content_hash": "h"}
        for one in events
    ]
    ad = report(
        regions=[region(*one) for one in regions],
        watches=[watch | {"ended_at": None}],
        events=noticed,
    )

    timeline = make_timeline(ad, TODAY)

    assert timeline is not None
    assert timeline.first <= timeline.last <= TODAY + timedelta(days=1)
    for row in timeline.rows:
        assert row.x is None or 0 <= row.x <= row.x + row.width <= WIDTH
        assert row.x is None or row.width > 0
        assert all(0 <= one.x <= WIDTH for one in row.marks)


def test_bars_are_as_long_as_their_days() -> None:
    ad = report(
        first_shown=datetime(2026, 6, 1, tzinfo=UTC),
        last_shown=datetime(2026, 6, 11, tzinfo=UTC),
        days_shown=9,
        regions=[region(date(2026, 6, 6), date(2026, 6, 11)), region(None, None)],
    )

    timeline = make_timeline(ad, TODAY)

    assert timeline is not None
    assert [(row.x, row.width) for row in timeline.rows] == [(0, 1000), (500, 500), (None, 0)]
    assert timeline.rows[0].days == 9


def test_without_any_day_there_is_none() -> None:
    assert make_timeline(report(), TODAY) is None
