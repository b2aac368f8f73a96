"""Charts of an advertiser: what is drawn can be seen, however little is known."""

from datetime import date, timedelta

from adspark.insight.figures import PeriodRow
from deployments.gallery.routes.advertisers.charts import (
    LEFT,
    RIGHT,
    Bar,
    Chart,
    common_scale,
    draw_launches,
    draw_running,
)

MONDAY = date(2026, 11, 23)


def week(ago: int, *, running: int) -> PeriodRow:
    return PeriodRow(
        begins=MONDAY - timedelta(weeks=ago), launched=running, ended=0, running=running
    )


def places(chart: Chart) -> list[tuple[float, float]]:
    """The points of its line."""
    return [(float(x), float(y)) for x, y in (one.split(",") for one in chart.line.split())]


def test_a_single_week_is_a_line_and_a_bar_of_its_width_at_the_right() -> None:
    weeks = [week(0, running=4)]
    scale = common_scale([weeks], [], today=MONDAY)

    running, launches = draw_running(weeks, scale), draw_launches(weeks, scale)

    (begin, height), (end, same) = places(running)
    assert height == same
    assert 20 < end - begin < (RIGHT - LEFT) / 4
    assert end == RIGHT
    assert len(running.area.split()) == 4
    (bar,) = launches.bars
    assert isinstance(bar, Bar)
    assert 20 < bar.width <= end - begin
    assert running.rows == (("2026-11-23", "4"),)
    assert running.x_ticks


def test_weeks_of_one_among_many_of_another_can_be_seen() -> None:
    one, other = [week(0, running=4)], [week(ago, running=2) for ago in range(260)]
    scale = common_scale([one, other], [], today=MONDAY)

    (begin, _), (end, _) = places(draw_running(one, scale))

    assert end > begin
    assert len(places(draw_running(other, scale))) == 260


def test_many_weeks_fill_the_width() -> None:
    weeks = [week(ago, running=1) for ago in range(52)]

    assert common_scale([weeks], [], today=MONDAY).first == weeks[-1].begins
