"""What a run's container is made of, where runs are containers: image, command and memory."""

from importlib.metadata import version

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from deployments.queue_classes import QUEUE_CLASSES

RUN_COMMAND = "python -m deployments.execution.in_container"
"""The command of a run's container."""

_MEMORY = {one.name: one.memory for one in QUEUE_CLASSES}
_LEAST = min(_MEMORY.values())


def run_image(settings: Settings) -> str:
    """The image of the runs' containers.

    Raises:
        ConfigurationError: it is not said of which image they are.
    """
    if settings.run_image is None:
        raise ConfigurationError(
            f"ADSPARK_RUN_IMAGE: runs are to be containers (ADSPARK_POOL_TYPE="
            f"{settings.pool_type}); name their image, as adspark:{version('adspark')}."
        )
    return settings.run_image


def run_memory(settings: Settings, pool: str) -> int:
    """The megabytes of memory of a run's container in this pool."""
    return settings.run_memory or _MEMORY.get(pool, _LEAST)
