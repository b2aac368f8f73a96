"""How long an advertiser's ads last: Kaplan-Meier, with ads that still run as censored.

An ad that still runs has not ended, so it counts among those at risk up to its last day and not
among the ended; to leave it out, or to take it for ended, would make ads seem shorter than they
are. That an ad lasts is no proof that it works.
"""

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_READ = text("""
    SELECT days AS days_running, at_risk, ended, still_running, survival FROM insight_survival
    WHERE advertiser_id = :id ORDER BY 1
""")
_HALF = 0.5


class SurvivalStep(BaseModel):
    """What happened after so many days."""

    days_running: int = Field(description="From an ad's first day to its last, both included.")
    at_risk: int = Field(description="Ads that lasted at least so long.")
    ended: int = Field(description="Of them, after exactly so many days.")
    still_running: int = Field(description="Of them, seen for exactly so many days till now.")
    survival: float = Field(description="The estimated share of ads that last longer, 0 to 1.")


class Survival(BaseModel):
    """The curve of an advertiser's ads."""

    ads: int
    still_running: int
    median_days_running: int | None = Field(
        description="After which half of the ads have ended; None: fewer have."
    )
    steps: list[SurvivalStep]

    def after(self, days: int) -> float | None:
        """The share that lasts longer than so many days; None: no ad was seen for so long."""
        if not self.steps or self.steps[-1].days_running < days:
            return None
        return next((one.survival for one in reversed(self.steps) if one.days_running <= days), 1.0)


async def read_survival(session: AsyncSession, *, advertiser_id: str) -> Survival:
    """The curve of an advertiser's ads; without steps where no day of an ad is known."""
    rows = (await session.execute(_READ, {"id": advertiser_id})).mappings()
    steps = [SurvivalStep.model_validate(row) for row in rows]
    return Survival(
        ads=steps[0].at_risk if steps else 0,
        still_running=sum(one.still_running for one in steps),
        median_days_running=next(
            (one.days_running for one in steps if one.survival <= _HALF), None
        ),
        steps=steps,
    )
