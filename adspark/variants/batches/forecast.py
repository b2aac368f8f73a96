"""How long a batch takes: as long as its generations take one after the other, or as the rate limit
lets them begin, whichever is longer."""

from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.text.counts import counted
from adspark.text.paused_pool import describe_paused

_MEASURE = text("""
    SELECT count(*) AS cases, CAST(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS float)
        AS seconds
    FROM (
        SELECT extract(epoch FROM completed_at - started_at) AS seconds FROM ad_variant
        WHERE status = 'completed' ORDER BY id DESC LIMIT 50
    ) AS latest
""")
# What waits before a batch that is requested now; a paused one lets it pass.
_AHEAD = text("""
    SELECT count(*) FROM ad_variant v LEFT JOIN variant_batch b ON b.id = v.batch_id
    WHERE v.status IN ('pending', 'processing')
        AND (b.state IS NULL OR b.state <> 'paused' OR v.asked_at IS NOT NULL)
""")


class GenerationLimits(BaseModel):
    """What bounds generations: how many may begin in a minute, and be under way at once."""

    per_minute: int | None = None
    at_once: int | None = 1
    paused_pool: Annotated[
        str | None, Field(description="Their pool, while it is paused: none begins.")
    ] = None


class Durations(BaseModel):
    """The median of the newest 50 completed variants, in seconds from claimed to completed; None
    where there is none."""

    cases: int
    seconds: float | None


class Forecast(BaseModel):
    """When a number of generations will have ended, under the limits."""

    generations: int
    ahead: Annotated[int, Field(description="Open variants that were requested before.")]
    seconds: Annotated[
        float | None, Field(description="None: a limit is 0, or the pool is paused.")
    ]
    is_least: Annotated[bool, Field(description="Nothing was measured; the limits alone.")]
    each: Annotated[float | None, Field(description="Seconds of one: the median measured.")]
    cases: Annotated[int, Field(description="Completed variants that were measured.")]
    limits: GenerationLimits

    @property
    def sentence(self) -> str:
        """The forecast, with what it rests on."""
        if self.limits.paused_pool is not None:
            return describe_paused(self.limits.paused_pool)
        if self.seconds is None:
            return "A limit is 0: nothing of it begins until that is raised."
        bounds = []
        if self.limits.at_once is not None:
            bounds.append(f"{self.limits.at_once} at once")
        if self.limits.per_minute is not None:
            bounds.append(f"{self.limits.per_minute} a minute at most")
        if self.ahead:
            bounds.append(f"behind {counted(self.ahead, 'open variant')}")
        rests = ", ".join(bounds) or "no limits"
        if self.is_least:
            return (
                f"At least {_in_words(self.seconds)} ({rests}); how long one takes is not known, "
                "for none has completed yet."
            )
        return (
            f"About {_in_words(self.seconds)}: {self.each:.0f} s each, the median of "
            f"{counted(self.cases, 'variant')}; {rests}."
        )


async def foresee(
    session: AsyncSession, generations: int, limits: GenerationLimits, *, is_requested: bool = False
) -> Forecast:
    """The forecast of so many generations, by how long variants took of late.

    Args:
        generations: how many.
        limits: that bound them.
        is_requested: whether they are among the open ones already.
    """
    ahead = int(await session.scalar(_AHEAD) or 0)
    return forecast(
        generations,
        ahead=max(0, ahead - generations) if is_requested else ahead,
        durations=Durations(**(await session.execute(_MEASURE)).mappings().one()),
        limits=limits,
    )


def forecast(
    generations: int, *, ahead: int, durations: Durations, limits: GenerationLimits
) -> Forecast:
    """The forecast of so many generations.

    Args:
        generations: of the batch.
        ahead: open variants before it.
        durations: as measured.
        limits: that bound it.
    """
    total = generations + ahead
    bounds: list[float | None] = [0.0 if limits.paused_pool is None else None]
    if limits.per_minute is not None:
        # The first ones begin at once; each further minute lets as many begin.
        waves = (total - 1) // limits.per_minute if limits.per_minute and total else 0
        bounds.append(60.0 * waves if limits.per_minute else None)
    if limits.at_once == 0:
        bounds.append(None)
    elif durations.seconds is not None and total:
        rows = 1 if limits.at_once is None else -(-total // limits.at_once)
        bounds.append(rows * durations.seconds)
    known = [one for one in bounds if one is not None]
    return Forecast(
        generations=generations,
        ahead=ahead,
        seconds=max(known) if len(known) == len(bounds) else None,
        is_least=durations.seconds is None,
        each=durations.seconds,
        cases=durations.cases,
        limits=limits,
    )


def _in_words(seconds: float) -> str:
    """A length of time as people say it."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(1, round(seconds))} s"
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
