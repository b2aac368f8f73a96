"""The ports of the local stack, which nobody else may have."""

from collections.abc import Mapping

from adspark.net.listening import open_listener
from adspark.settings import Settings
from deployments.environment.stack_settings import HOST


def check_ports(wanted: Mapping[int, tuple[str, str]]) -> None:
    """Check that ports are free.

    Args:
        wanted: by port, what it is for and the setting that holds it.

    Raises:
        ConfigurationError: one is taken, with its holder, or not for this account; names the
            setting.
    """
    for port, (purpose, variable) in wanted.items():
        open_listener(HOST, port, purpose=purpose, setting=variable).close()


def stack_ports(settings: Settings, *, with_sandbox: bool = False) -> dict[int, tuple[str, str]]:
    """The ports that a stack needs, as `check_ports` takes them."""
    ports = {
        settings.prefect_port: ("Prefect's server", "ADSPARK_PREFECT_PORT"),
        settings.metrics_port: ("metrics", "ADSPARK_METRICS_PORT"),
        settings.gallery_port: ("the gallery", "ADSPARK_GALLERY_PORT"),
    }
    if with_sandbox:
        ports[settings.sandbox_port] = ("the sandbox", "ADSPARK_SANDBOX_PORT")
    return ports
