"""A month of sweeps on paper: what is spent, who waits how long, and what starves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adspark.watches.simulation.month import simulate
from adspark.watches.simulation.report import percentile
from adspark.watches.simulation.watches import SearchLimits, WatchGroup


def group(watches: int, *, user: int = 1, weight: int = 1, **fields: object) -> WatchGroup:
    """Watches of a user, every hour."""
    given = {"user_id": user, "weight": weight, "watches": watches, "interval_minutes": 60}
    return WatchGroup.model_validate(given | fields)


def test_with_searches_enough_no_watch_waits_longer_than_for_the_next_sweep() -> None:
    month = simulate([group(50)], SearchLimits())
    (one,) = month.groups
    assert (one.delay_p50, one.waiting, one.starved_from, month.spent_on) == (0, 0, None, None)
    assert one.delay_worst is not None
    assert one.delay_worst < 30
    assert month.wanted - 50 <= month.searches <= month.wanted == 50 * 24 * 30


def test_a_sweep_in_whose_reach_nothing_falls_due_checks_nothing() -> None:
    watches = group(10, interval_minutes=1440)  # of which one falls due minutes after a sweep
    month = simulate([watches], SearchLimits(searches_per_minute=10))
    assert month.wanted - 10 <= month.searches <= month.wanted == 10 * 30


def test_a_plan_that_ends_within_the_month_starves_all_from_that_day_on() -> None:
    month = simulate([group(10), group(10, user=2)], SearchLimits(searches_per_month=4800))
    assert (month.searches, month.spent_on) == (4800, 11)
    assert [one.starved_from for one in month.groups] == [11, 11]
    assert [one.waiting for one in month.groups] == [10, 10]


def test_watches_whose_checks_were_all_cached_spend_nothing_and_are_all_checked() -> None:
    cached = group(20, searches_a_check=0.0)
    month = simulate([cached], SearchLimits(searches_per_minute=1, searches_per_month=10))
    (one,) = month.groups
    assert (month.searches, one.checks >= 20 * 24 * 29, one.waiting) == (0, True, 0)
    (_, paid) = simulate([cached, group(1, user=2)], SearchLimits(searches_per_minute=1)).groups
    assert paid.searches == paid.checks > 600


def test_scarce_searches_go_by_weight_and_a_lone_watch_does_not_wait_for_a_thousand() -> None:
    limits = SearchLimits(searches_per_minute=1)
    shared = simulate([group(500), group(500, user=2, weight=3)], limits)
    assert [one.share for one in shared.users] == pytest.approx([0.25, 0.75], abs=0.01)
    lone = simulate([group(1000), group(1, user=2)], limits).groups[1]
    assert (lone.delay_p50, lone.waiting, lone.checks > 600) == (0, 0, True)


@pytest.mark.parametrize(
    "limits",
    [
        SearchLimits(searches_per_minute=2),
        SearchLimits(searches_per_hour=36),
        SearchLimits(searches_per_month=25_920),
    ],
)
def test_no_limit_is_exceeded(limits: SearchLimits) -> None:
    month = simulate([group(100, searches_a_check=7.0)], limits)
    assert 25_800 < month.searches <= 25_927


@pytest.mark.parametrize(
    ("budget", "cost", "checks", "searches"),
    [
        pytest.param(10, 1.0, 30, 30, id="each watch"),
        pytest.param(10, 4.0, 9, 30, id="a check begins with what is left, and ends with it"),
        pytest.param(1, 4.0, 3, 3, id="the first check, too"),
        pytest.param(3, 0.1, 90, 9, id="none begins with nothing left"),
        pytest.param(0, 1.0, 0, 0, id="no check at all"),
    ],
)
def test_a_budget_bounds_each_watch(budget: int, cost: float, checks: int, searches: int) -> None:
    watches = group(3, monthly_budget=budget, searches_a_check=cost)
    month = simulate([watches], SearchLimits())
    (one,) = month.groups
    assert (one.checks, one.searches, one.waiting) == (checks, searches, 0)
    assert month.searches == month.wanted == searches


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from((1, 2, 5)), st.sampled_from((1.0, 1.5, 4.0))),
        min_size=2,
        max_size=5,
    ),
    st.integers(1, 3),
)
def test_no_user_starves_of_a_rate_alone(kinds: list[tuple[int, int, float]], rate: int) -> None:
    groups = [
        group(watches, user=user, weight=weight, searches_a_check=cost)
        for user, (watches, weight, cost) in enumerate(kinds)
    ]
    month = simulate(groups, SearchLimits(searches_per_minute=rate))
    assert [one.starved_from for one in month.groups] == [None] * len(groups)


def test_a_percentile_is_a_delay_that_occurred() -> None:
    delays = {0: 90, 30: 6, 600: 4}
    assert [percentile(delays, share) for share in (0.5, 0.95, 1.0)] == [0, 30, 600]
    assert percentile({}, 0.5) is None
