"""The image of the containers that runs are, where they are containers."""

from importlib.metadata import version

from adspark.errors import ConfigurationError
from adspark.settings import Settings


def run_image(settings: Settings) -> str:
    """The image of the runs' containers.

    Raises:
        ConfigurationError: it is not said of which image they are.
    """
    if settings.run_image is None:
        raise ConfigurationError(
            "ADSPARK_RUN_IMAGE: runs are to be containers (ADSPARK_POOL_TYPE=docker); name their "
            f"image, as adspark:{version('adspark')}."
        )
    return settings.run_image
