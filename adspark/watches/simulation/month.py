"""Simulate a month of sweeps, in the order in which real ones check (`sharing/order.py`).

A check costs what its group says, or what is left of its watch's budget, without which none begins;
it takes no time but the rate limit's, and never fails. One that has begun is paid whole, if need be
from the next sweep's searches, but never beyond the month's. Where all due watches can be checked
in a sweep, their order decides minutes only: there it is that of their due times.
"""

from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from itertools import accumulate, chain
from math import inf

from adspark.watches.definition import SWEEP_MINUTES, count_checks
from adspark.watches.sharing.order import (
    LOOK_AHEAD,
    Used,
    count_in_reach,
    count_of_checks,
    take_turns,
)
from adspark.watches.simulation.report import (
    GroupOutcome,
    SimulationReport,
    UserOutcome,
    percentile,
)
from adspark.watches.simulation.watches import SearchLimits, WatchGroup

DAYS = 30
_DAY = 1440  # minutes
_END = DAYS * _DAY
_HOUR = 60

_Due = tuple[int, int]  # the minute at which a watch is due, and its number


def simulate(groups: Sequence[WatchGroup], limits: SearchLimits) -> SimulationReport:
    """A month of 30 days of sweeps; the groups of a user have one weight."""
    return _Month(groups, limits).run()


class _Month:
    """The watches by number, and the due times of each user's, in ascending order."""

    def __init__(self, groups: Sequence[WatchGroup], limits: SearchLimits) -> None:
        self._groups, self._limits = groups, limits
        self._group_of = [g for g, one in enumerate(groups) for _ in range(one.watches)]
        self._user_of = [groups[g].user_id for g in self._group_of]
        self._interval_of = [groups[g].interval_minutes for g in self._group_of]
        self._left_of = [_bound(groups[g].monthly_budget) for g in self._group_of]
        self._cost_of = [
            min(groups[g].searches_a_check, left)
            for g, left in zip(self._group_of, self._left_of, strict=True)
        ]
        self._left = inf  # of the month's searches
        costs = (cost for cost, left in zip(self._cost_of, self._left_of, strict=True) if left)
        self._cheapest = min(costs, default=1.0)
        self._weights = {one.user_id: one.weight for one in groups}
        self._due: dict[int, list[_Due]] = defaultdict(list)
        first = chain.from_iterable(one.first_due for one in groups)
        for number, due in enumerate(first):
            if self._left_of[number]:
                self._due[self._user_of[number]].append((due, number))
        for waiting in self._due.values():
            waiting.sort()
        most = count_of_checks(list(self._weights.values()))
        self._lately: deque[tuple[int, float]] = deque(maxlen=most)
        self._delays: Counter[tuple[int, int]] = Counter()  # of group and delay
        self._searches = [0.0] * len(groups)
        self._last_check = [-1] * len(groups)

    def run(self) -> SimulationReport:
        """All sweeps of the month, or those until its searches are used up."""
        self._left = _bound(self._limits.searches_per_month)
        hourly = _bound(self._limits.searches_per_hour)
        minutely = _bound(self._limits.searches_per_minute)
        hour = sweep = 0.0  # what is left in them; below 0, what was begun beyond that
        spent_on = None
        for now in range(0, _END, SWEEP_MINUTES):
            if now % _HOUR == 0:
                hour = hourly + min(0.0, hour)
            sweep = minutely * self._limits.sweep_minutes + min(0.0, sweep)
            spent = self._sweep(now, min(self._left, hour, sweep), minutely)
            self._left, hour, sweep = self._left - spent, hour - spent, sweep - spent
            if self._left < self._cheapest:
                spent_on = now // _DAY + 1
                break
        return self._report(spent_on)

    def _sweep(self, now: int, searches: float, minutely: float) -> float:
        """Check what is due with so many searches; returns those that were made."""
        if searches < 1:
            return 0.0
        latest = (now + LOOK_AHEAD, len(self._group_of))
        is_bounded = searches < inf and self._cheapest > 0  # what was always cached costs nothing
        most = int(searches / self._cheapest) + 2 if is_bounded else None  # of a user
        due = {
            user: waiting[: bisect_right(waiting, latest)][:most]
            for user, waiting in self._due.items()
        }
        checked = sorted(chain.from_iterable(due.values()))
        reached = count_in_reach((due - now for due, _ in checked), minutely)
        if reached < len(checked):  # the others fall due once the sweep has ended
            checked = checked[:reached]
            if not checked:
                return 0.0
            due = {user: own[: bisect_right(own, checked[-1])] for user, own in due.items()}
        if sum(self._cost_of[number] for _, number in checked) > searches:
            checked = self._choose(due, searches)
        self._lately.extend(
            (self._user_of[number], self._cost_of[number])
            for _, number in checked[-(self._lately.maxlen or 1) :]
        )
        made = list(accumulate((self._cost_of[number] for _, number in checked), initial=0.0))
        self._note(checked, [now + int(before / minutely) for before in made])
        return made[-1]

    def _choose(self, due: dict[int, list[_Due]], searches: float) -> list[_Due]:
        """Those that are checked where the searches are too few for all, in their order."""
        costs: dict[int, list[float]] = defaultdict(list)
        for user, cost in self._lately:
            costs[user].append(cost)
        used = {user: Used(sum(own), len(own)) for user, own in costs.items()}
        chosen = []
        left = self._left
        for one in take_turns(due, self._weights, used):
            cost = self._cost_of[one[1]]
            if searches < 1 or left < cost:
                break
            searches, left = searches - cost, left - cost
            chosen.append(one)
        return chosen

    def _note(self, checked: Sequence[_Due], begun: Sequence[int]) -> None:
        """Let the checked watches be due again after their intervals, or in the next month."""
        users, groups, intervals = self._user_of, self._group_of, self._interval_of
        again: dict[int, list[_Due]] = defaultdict(list)
        late: list[tuple[int, int]] = []
        for (due, number), start in zip(checked, begun, strict=False):
            at = max(start, due)
            group = groups[number]
            late.append((group, at - due))
            self._last_check[group] = at
            self._searches[group] += self._cost_of[number]
            if self._left_of[number] == inf or self._pay(number):
                again[users[number]].append((due_after(due, at, intervals[number]), number))
        self._delays.update(late)
        for user, count in Counter(users[number] for _, number in checked).items():
            waiting = self._due[user]
            waiting[:count] = []
            waiting += again[user]
            waiting.sort()

    def _pay(self, number: int) -> float:
        """Pay a check from the watch's budget; returns what is left, where the next one stops."""
        left = self._left_of[number] = round(self._left_of[number] - self._cost_of[number], 3)
        self._cost_of[number] = min(self._cost_of[number], left)
        return left

    def _report(self, spent_on: int | None) -> SimulationReport:
        overdue: list[list[int]] = [[] for _ in self._groups]
        for waiting in self._due.values():
            for due, number in waiting:
                if due < _END:
                    overdue[self._group_of[number]].append(due)
        groups = [self._outcome(g, one, overdue[g]) for g, one in enumerate(self._groups)]
        by_user: dict[int, int] = defaultdict(int)
        for outcome in groups:
            by_user[outcome.user_id] += outcome.searches
        total = sum(by_user.values())
        names = {one.user_id: one.user for one in self._groups}
        return SimulationReport(
            limits=self._limits,
            watches=len(self._group_of),
            searches=total,
            wanted=round(sum(map(_wanted, self._groups))),
            spent_on=spent_on,
            users=[
                UserOutcome(
                    user_id=user,
                    user=names[user],
                    weight=self._weights[user],
                    searches=searches,
                    share=searches / total if total else 0.0,
                )
                for user, searches in by_user.items()
            ],
            groups=groups,
        )

    def _outcome(self, g: int, group: WatchGroup, overdue: Sequence[int]) -> GroupOutcome:
        delays = Counter({late: n for (of, late), n in self._delays.items() if of == g})
        checks = delays.total()
        delays.update(_END - due for due in overdue)
        oldest = min(overdue, default=_END)
        idle_since = max(self._last_check[g], oldest)
        return GroupOutcome(
            **dict(group),
            checks=checks,
            searches=round(self._searches[g]),
            delay_p50=percentile(delays, 0.5),
            delay_p95=percentile(delays, 0.95),
            delay_worst=max(delays, default=None),
            waiting=len(overdue),
            starved_from=idle_since // _DAY + 1 if idle_since <= _END - _DAY else None,
        )


def due_after(due: int, checked: int, interval: int) -> int:
    """The minute at which a watch is due again, as the database has it (`watches/events.py`).

    Args:
        due: the minute at which it was due.
        checked: the minute at which it was checked.
        interval: minutes between two checks.
    """
    return checked + max(interval - min(checked - due, SWEEP_MINUTES), min(interval, _HOUR))


def _wanted(group: WatchGroup) -> float:
    """The searches of a month of a group that waits for nothing."""
    budget = _bound(group.monthly_budget)
    checks = (count_checks(_END - due, group.interval_minutes) for due in group.first_due)
    return sum(min(budget, number * group.searches_a_check) for number in checks)


def _bound(most: int | None) -> float:
    return inf if most is None else most
