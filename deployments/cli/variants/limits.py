"""What bounds generations on the server in use, and what is said where their pool is paused."""

from contextlib import suppress

from adspark.errors import AdSparkError
from adspark.text.paused_pool import describe_paused
from adspark.variants.batches.forecast import GenerationLimits
from deployments.cli.database import current_settings
from deployments.cli.server import call_server
from deployments.environment.running_stack import find_api_url
from deployments.terminal.output import print_warning


def read_limits() -> GenerationLimits:
    """The limits; those of the settings where no server runs."""
    if find_api_url() is None:
        return GenerationLimits(per_minute=current_settings().generations_per_minute)
    from orchestration.limits.rate_limits import generation_limits  # noqa: PLC0415  (slow)

    return call_server(lambda _: generation_limits())


def warn_of_pause() -> None:
    """Say that nothing of what was started begins, where that is so and the server tells."""
    with suppress(AdSparkError):  # it has begun all the same
        if pool := read_limits().paused_pool:
            print_warning(describe_paused(pool))
