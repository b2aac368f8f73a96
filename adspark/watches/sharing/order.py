"""In which order due watches are checked: weighted fair queueing between their users.

The order that `due.py` has PostgreSQL compute, in Python, where a month is simulated. A watch
without a rival is never behind for long: what counts of the past are the latest checks alone, ten
for each share of the smallest weight, so that nobody is made to wait for what was used when nobody
else wanted it, and a user of whom none of them is comes before every user who has had a share.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

CHECKS_A_SHARE = 10
"""Checks that count, for each share of the smallest weight: more even out checks of unequal cost,
fewer forget sooner."""

DEFAULT_WEIGHT = 1


@dataclass
class Used:
    """What the checks that count have used of a user's: billed searches, details included."""

    searches: int = 0
    checks: int = 0

    @property
    def a_check(self) -> float:
        """Searches that a check of this user is expected to be billed."""
        return self.searches / self.checks if self.checks else 1.0


def finish(weight: float, used: Used, place: int) -> float:
    """When a user's due watch has its turn, as virtual time: the smallest is next.

    Args:
        weight: of the user.
        used: by the user lately.
        place: of the watch among the user's due ones, the most overdue first, from 1 on.
    """
    return (used.searches + place * used.a_check) / weight


def count_of_checks(weights: Collection[float]) -> int:
    """How many of the latest checks count, with users of these weights who have active watches."""
    return math.ceil(CHECKS_A_SHARE * sum(weights) / min(weights)) if weights else 0
