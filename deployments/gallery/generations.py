"""What a request for variants, or its end, asks of others: the generator, runs, their limits."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import AdSparkError, InvalidQueryError, ServiceUnavailableError
from adspark.settings import Settings
from adspark.variants.batches.forecast import GenerationLimits
from blocks.generators import check_prompt, open_generator
from deployments.gallery.prefect_server import open_prefect
from deployments.gallery.resources import Gallery
from orchestration.limits.rate_limits import generation_limits
from orchestration.runs.batch_runs import start_batch
from orchestration.runs.variant_runs import start_generations, stop_variants


async def check_generator_takes(settings: Settings, prompts: Iterable[str]) -> bool:
    """Whether Prefect answers, which knows the generator; where that is away, it is asked later.

    Raises:
        InvalidQueryError: the generator does not take a prompt; nothing was requested.
    """
    try:
        async with open_prefect():
            for prompt in prompts:
                await check_prompt(open_generator(settings.generator), prompt)
    except InvalidQueryError:
        raise
    except ServiceUnavailableError:
        return False
    except AdSparkError:
        pass  # the prompt is checked again before it is generated
    return True


async def start_requested(session: AsyncSession, variants: Sequence[int]) -> bool:
    """Start the runs; where Prefect is away, generate-pending-variants does once it is back."""
    return await _has_taken(lambda: start_generations(session, variants))


async def start_requested_batch(session: AsyncSession, batch_id: int) -> bool:
    """The same for the variants of a batch."""
    return await _has_taken(lambda: start_batch(session, batch_id=batch_id))


async def stop(variant_ids: Sequence[int]) -> bool:
    """Stop the generations and runs of variants that were cancelled; whether no generation goes on.

    Where Prefect is away, their runs end before their next attempt.
    """
    try:
        async with open_prefect():
            return not await stop_variants(variant_ids)
    except AdSparkError:
        return False


async def _has_taken(start: Callable[[], Awaitable[object]]) -> bool:
    """Whether Prefect has taken the runs."""
    try:
        async with open_prefect():
            await start()
    except AdSparkError:
        return False
    return True


async def read_limits(gallery: Gallery) -> GenerationLimits:
    """The limits of generations; no connection of the database is held meanwhile."""
    try:
        async with open_prefect():
            return await generation_limits()
    except AdSparkError:  # Prefect is away
        return GenerationLimits(per_minute=gallery.settings.generations_per_minute)
