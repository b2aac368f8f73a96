"""What a simulated month came to."""

from collections.abc import Mapping

from pydantic import BaseModel, Field

from adspark.watches.simulation.watches import SearchLimits, WatchGroup


class GroupOutcome(WatchGroup):
    """What became of a group; delays are minutes from when a watch was due to its check.

    A watch that is due at the month's end counts with the minutes that it has waited so far.
    """

    checks: int
    searches: int
    delay_p50: int | None = Field(description="None: no watch was due.")
    delay_p95: int | None
    delay_worst: int | None
    waiting: int = Field(description="Watches that are due and unchecked at the month's end.")
    starved_from: int | None = Field(
        description="Day (1 to 30) from which on none was checked, though due; None: not starved."
    )


class UserOutcome(BaseModel):
    """What a user has got."""

    user_id: int
    user: str | None
    weight: int
    searches: int
    share: float = Field(description="Of all searches that were made: 0 to 1.")


class SimulationReport(BaseModel):
    """A month of 30 days with a sweep every half hour."""

    limits: SearchLimits
    watches: int
    searches: int = Field(description="That were made.")
    wanted: int = Field(description="That there would have been without limits.")
    spent_on: int | None = Field(description="Day (1 to 30) on which the month's were used up.")
    users: list[UserOutcome]
    groups: list[GroupOutcome]


def percentile(delays: Mapping[int, int], share: float) -> int | None:
    """The delay that this share of the checks, 0 to 1, does not exceed; None where there is none.

    `delays` says how often each occurred.
    """
    rank, seen = share * sum(delays.values()), 0
    for delay in sorted(delays):
        seen += delays[delay]
        if seen >= rank:
            return delay
    return None
