"""In which order due watches are checked: weighted fair queueing between their users.

The order that `due.py` has PostgreSQL compute, in Python, where a month is simulated. What counts
of the past are the latest checks alone, ten for each share of the smallest weight: so nobody waits
long for what was used when nobody else wanted it, and a user of whom none of them is comes before
all who have had their share.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

CHECKS_A_SHARE = 10
"""Checks that count, for each share of the smallest weight: more even out checks of unequal cost,
fewer forget sooner."""

LOOK_AHEAD = 8
"""Minutes: a watch that falls due while others are checked is taken along, or it would wait for the
next sweep. Not earlier than it is due: SerpApi would answer from its cache, which has no news."""

_AT_LEAST = 1  # minute that a sweep waits for what falls due

Due = TypeVar("Due", bound=tuple[Any, ...])


class Used(NamedTuple):
    """What the checks that count have used of a user's: billed searches, details included."""

    searches: float = 0.0
    checks: int = 0

    @property
    def a_check(self) -> float:
        """Searches that a check of this user is expected to be billed."""
        return self.searches / self.checks if self.checks else 1.0


def count_in_reach(waits: Iterable[float], per_minute: float) -> int:
    """How many watches are due, or will be while those before them are checked.

    `waits` are the minutes until each is due, in ascending order.
    """
    reached = 0
    for wait in waits:
        if wait > _AT_LEAST + reached / per_minute:
            break
        reached += 1
    return reached


def count_of_checks(weights: Collection[float]) -> int:
    """How many of the latest checks count, with users of these weights who have active watches."""
    return math.ceil(CHECKS_A_SHARE * sum(weights) / min(weights)) if weights else 0


def take_turns(
    due: Mapping[int, Sequence[Due]], weights: Mapping[int, float], used: Mapping[int, Used]
) -> list[Due]:
    """The due watches in the order of a sweep: by what a user will have used with each of them,
    divided by the user's weight (in fair queueing, its virtual finishing time).

    Args:
        due: of each user, tuples that begin with when a watch is due, in ascending order.
        weights: of these users.
        used: by these users lately; nothing, where one is missing.
    """
    turns: list[tuple[float, Due]] = []
    for user, watches in due.items():
        past, weight = used.get(user, Used()), weights[user]
        searches, a_check = past.searches, past.a_check
        turns += [
            ((searches + place * a_check) / weight, one) for place, one in enumerate(watches, 1)
        ]
    turns.sort()
    return [one for _, one in turns]
