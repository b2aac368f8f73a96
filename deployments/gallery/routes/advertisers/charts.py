"""The geometry of charts: figures into places of a drawing, which the templates write as SVG.

A drawing is 400 wide; where it is shown larger or smaller, its texts keep their size by the style
sheet.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from adspark.insight.figures import PeriodRow
from adspark.insight.survival import Survival

LEFT, RIGHT, TOP, BOTTOM = 40, 392, 10, 152  # the edges of what is plotted

_LEAST_WEEKS = 8  # of the axis of time, so that a week is never as wide as the chart
_TICKS = 4  # steps of the value's axis at most
_MOST_LABELS = 5  # of the axis of time
_STEPS = (1, 2, 5)
_MOST_ROWS = 40  # of the table of a curve


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: where it is, and what it says."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A bar, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class Chart:
    """A drawing with its axes: a line, bars, or a curve with marks; and its figures as a table.

    Attributes:
        x_ticks: along the bottom.
        y_ticks: along the left.
        line: points of a line as SVG has them; empty: there is none.
        area: the same closed along the bottom.
        bars: from left to right.
        marks: places of marks on the line.
        rows: cells of the table, as text.
    """

    x_ticks: list[Tick]
    y_ticks: list[Tick]
    line: str = ""
    area: str = ""
    bars: tuple[Bar, ...] = ()
    marks: tuple[tuple[float, float], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class TimeScale:
    """What the charts of a page have in common: the first and last week, and the greatest values.

    Attributes:
        first: Monday of the first week.
        last: of the last one.
        running: the most ads that ran.
        launched: the most that were launched in a week.
        days: the longest that an ad has lasted.
    """

    first: date
    last: date
    running: int
    launched: int
    days: int

    def x(self, day: date) -> float:
        """Where a week begins."""
        weeks = (self.last - self.first).days // 7 + 1
        return LEFT + (RIGHT - LEFT) * ((day - self.first).days / 7) / weeks

    @property
    def week(self) -> float:
        """How wide a week is."""
        return (RIGHT - LEFT) / ((self.last - self.first).days // 7 + 1)


def common_scale(
    timelines: Iterable[Sequence[PeriodRow]], curves: Iterable[Survival], *, today: date
) -> TimeScale:
    """A scale that all these figures fit in; weeks before the first one fill what is left of it.

    Args:
        timelines: of weeks, in any order.
        curves: of the same advertisers.
        today: the last day where nothing is known.
    """
    weeks = [row for timeline in timelines for row in timeline]
    days = [curve.steps[-1].days_running for curve in curves if curve.steps]
    last = max((row.begins for row in weeks), default=today)
    widest = last - timedelta(weeks=_LEAST_WEEKS - 1)
    return TimeScale(
        first=min([widest, *(row.begins for row in weeks)]),
        last=last,
        running=max((row.running for row in weeks), default=0),
        launched=max((row.launched for row in weeks), default=0),
        days=max(days, default=1),
    )


def draw_running(timeline: Sequence[PeriodRow], scale: TimeScale) -> Chart:
    """Ads running at the end of each week, as a line over an area; of one week as wide as that."""
    weeks = sorted(timeline, key=lambda row: row.begins)
    most, y_ticks = _value_axis(scale.running)
    points = [(scale.x(row.begins) + scale.week / 2, _y(row.running, most)) for row in weeks]
    if len(points) == 1:
        ((middle, height),) = points
        points = [(middle - scale.week / 2, height), (middle + scale.week / 2, height)]
    return Chart(
        _time_axis(scale),
        y_ticks,
        line=_path(points),
        area=_path([(points[0][0], BOTTOM), *points, (points[-1][0], BOTTOM)]) if points else "",
        rows=tuple((row.begins.isoformat(), f"{row.running:,}") for row in reversed(weeks)),
    )


def draw_launches(timeline: Sequence[PeriodRow], scale: TimeScale) -> Chart:
    """Ads first shown in each week, as bars."""
    weeks = sorted(timeline, key=lambda row: row.begins)
    most, y_ticks = _value_axis(scale.launched)
    gap = min(scale.week * 0.15, 2)
    bars = tuple(
        Bar(
            x=_round(scale.x(row.begins) + gap / 2),
            y=_y(row.launched, most),
            width=_round(scale.week - gap),
            height=_round(BOTTOM - _y(row.launched, most)),
            label=f"{row.begins.isoformat()}: {row.launched:,}",
        )
        for row in weeks
        if row.launched
    )
    rows = tuple((row.begins.isoformat(), f"{row.launched:,}") for row in reversed(weeks))
    return Chart(_time_axis(scale), y_ticks, bars=bars, rows=rows)


def draw_survival(curve: Survival, scale: TimeScale) -> Chart:
    """The estimated share of ads that last longer than so many days; marks where ads still run."""
    most, x_ticks = _days_axis(scale.days)

    def x(days: int) -> float:
        return _round(LEFT + (RIGHT - LEFT) * days / most)

    points, marks, share = [(x(0), _y(1, 1))], [], 1.0
    for step in curve.steps:
        at = x(step.days_running)
        points += [(at, _y(share, 1)), (at, _y(step.survival, 1))]
        share = step.survival
        if step.still_running:
            marks.append((at, _y(share, 1)))
    shares = [Tick(_y(part / 4, 1), f"{part * 25}%") for part in range(5)]
    return Chart(
        x_ticks, shares, line=_path(points), marks=tuple(marks), rows=_survival_rows(curve)
    )


def _survival_rows(curve: Survival) -> tuple[tuple[str, ...], ...]:
    """The steps of a curve, several in a row where there are many."""
    together = math.ceil(len(curve.steps) / _MOST_ROWS) or 1
    groups = [curve.steps[at : at + together] for at in range(0, len(curve.steps), together)]
    return tuple(
        (
            f"{group[0].days_running:,}"
            + (f"–{group[-1].days_running:,}" if len(group) > 1 else ""),
            f"{group[0].at_risk:,}",
            f"{sum(one.ended for one in group):,}",
            f"{sum(one.still_running for one in group):,}",
            f"{group[-1].survival:.0%}",
        )
        for group in groups
    )


def _value_axis(greatest: int) -> tuple[int, list[Tick]]:
    """Where the axis of whole numbers ends, and its ticks."""
    step = _whole_step(greatest, _TICKS)
    most = max(step, math.ceil(greatest / step) * step)
    return most, [Tick(_y(value, most), f"{value:,}") for value in range(0, most + 1, step)]


def _days_axis(greatest: int) -> tuple[int, list[Tick]]:
    step = _whole_step(greatest, _MOST_LABELS)
    return greatest, [
        Tick(_round(LEFT + (RIGHT - LEFT) * value / greatest), f"{value:,}")
        for value in range(0, greatest + 1, step)
    ]


def _whole_step(greatest: int, most: int) -> int:
    """The least of 1, 2, 5, 10, 20, … that reaches the greatest in so many steps."""
    unit = 1
    while True:
        for step in _STEPS:
            if step * unit * most >= greatest:
                return step * unit
        unit *= 10


def _time_axis(scale: TimeScale) -> list[Tick]:
    """The first of months, or of years where there are many; no more than have room."""
    months = [
        date(year, month, 1)
        for year in range(scale.first.year, scale.last.year + 1)
        for month in range(1, 13)
        if scale.first <= date(year, month, 1) <= scale.last
    ]
    kept = next(
        (found for is_kept in _MONTHS if len(found := [*filter(is_kept, months)]) <= _MOST_LABELS),
        months[-_MOST_LABELS:],
    )
    shown = kept or [scale.first]
    return [Tick(_round(scale.x(day)), f"{day:%Y-%m}" if kept else str(day)) for day in shown]


_MONTHS: tuple[Callable[[date], bool], ...] = (
    lambda _: True,
    lambda day: day.month % 3 == 1,
    lambda day: day.month % 6 == 1,
    lambda day: day.month == 1,
    lambda day: day.month == 1 and day.year % 2 == 0,
    lambda day: day.month == 1 and day.year % 5 == 0,
)


def _y(value: float, most: float) -> float:
    return _round(BOTTOM - (BOTTOM - TOP) * value / most)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_round(x):g},{_round(y):g}" for x, y in points)


def _round(value: float) -> float:
    return round(value, 1)
