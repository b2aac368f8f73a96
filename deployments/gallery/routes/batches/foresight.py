"""How long generations take under the limits, as Prefect has them or, without it, the settings."""

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import AdSparkError
from adspark.variants.batches.forecast import (
    Forecast,
    GenerationLimits,
    count_ahead,
    forecast,
    read_durations,
)
from deployments.gallery.prefect_server import open_prefect
from deployments.gallery.resources import Gallery
from orchestration.limits.rate_limits import generation_limits


async def read_limits(gallery: Gallery) -> GenerationLimits:
    """The limits of generations; no connection of the database is held meanwhile."""
    try:
        async with open_prefect():
            return await generation_limits()
    except AdSparkError:  # Prefect is away
        return GenerationLimits(per_minute=gallery.settings.generations_per_minute)


async def foresee(
    session: AsyncSession, generations: int, limits: GenerationLimits, *, is_requested: bool
) -> Forecast:
    """The forecast of so many generations.

    Args:
        session: read only.
        generations: how many.
        limits: that bound them.
        is_requested: whether they are among the open ones already.
    """
    ahead = await count_ahead(session)
    return forecast(
        generations,
        ahead=max(0, ahead - generations) if is_requested else ahead,
        durations=await read_durations(session),
        limits=limits,
    )
