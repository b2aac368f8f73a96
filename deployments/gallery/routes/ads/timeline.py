"""When an ad was shown, by country and by watch, as bars on one axis of days."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from adspark.library.ads.parts import AdEvent, AdRegion, AdWatch
from adspark.library.ads.report import AdReport
from adspark.models import EventKind

WIDTH = 1000
"""Of the axis, whatever its width on the screen."""

_LEAST_WIDTH = 6  # of a bar, so that one day is seen


@dataclass(frozen=True)
class Mark:
    """Something that a watch noticed; `x` is its place on the axis."""

    kind: EventKind
    day: date
    x: int = 0


@dataclass(frozen=True)
class Row:
    """A line of the timeline.

    Attributes:
        kind: `all`, `region` or `watch`.
        name: of the country or watch; empty for the ad as a whole.
        first: day that it was first shown or found; None: not known.
        last: day that it was last shown or found.
        days: on which it was shown, where that is known.
        views: how often it was shown, as sent.
        x: where its bar begins; None: it has none.
        width: of its bar.
        marks: what the watch noticed.
    """

    kind: str
    name: str
    first: date | None
    last: date | None
    days: int | None = None
    views: str | None = None
    x: int | None = None
    width: int = 0
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """The rows, and the first and last day of the axis."""

    first: date
    last: date
    rows: list[Row]


def make_timeline(ad: AdReport, today: date) -> Timeline | None:
    """The timeline of an ad; None where no day is known.

    No bar goes on after tomorrow, whatever a service has sent.
    """
    rows = list(_rows(ad))
    latest = today + timedelta(days=1)
    days = [min(day, latest) for row in rows for day in _days(row)]
    if not days:
        return None
    first, last = min(days), max(days)
    return Timeline(first, last, [_placed(row, first, last) for row in rows])


def _rows(ad: AdReport) -> Iterator[Row]:
    yield Row("all", "", _day(ad.first_shown), _day(ad.last_shown), ad.days_shown)
    yield from map(_region, ad.regions)
    for watch in ad.watches:
        yield _watch(watch, [one for one in ad.events if one.watch_id == watch.id])


def _region(region: AdRegion) -> Row:
    return Row(
        "region", region.name, region.first_shown, region.last_shown, views=region.times_shown
    )


def _watch(watch: AdWatch, events: list[AdEvent]) -> Row:
    marks = tuple(Mark(one.kind, _utc(one.occurred_at)) for one in reversed(events))
    last = _day(watch.ended_at or watch.last_matched_at)
    return Row("watch", watch.name, _day(watch.first_matched_at), last, marks=marks)


def _days(row: Row) -> Iterator[date]:
    yield from (day for day in (row.first, row.last) if day)
    yield from (one.day for one in row.marks)


def _placed(row: Row, first: date, last: date) -> Row:
    def place(day: date) -> int:
        span = max((last - first).days, 1)
        return round(WIDTH * min(max((day - first).days / span, 0.0), 1.0))

    marks = tuple(replace(one, x=place(one.day)) for one in row.marks)
    begin, end = row.first or row.last, row.last or row.first
    if begin is None or end is None:
        return replace(row, marks=marks)
    x = min(place(begin), WIDTH - _LEAST_WIDTH)
    return replace(row, marks=marks, x=x, width=max(place(end) - x, _LEAST_WIDTH))


def _day(moment: datetime | None) -> date | None:
    return _utc(moment) if moment else None


def _utc(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
