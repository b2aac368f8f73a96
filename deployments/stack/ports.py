"""The ports of the local stack, which nobody else may have."""

from collections.abc import Iterable
from typing import NamedTuple

from adspark.errors import ConfigurationError
from adspark.net.listening import open_listener
from adspark.settings import Settings
from deployments.environment.stack_settings import HOST


class StackPort(NamedTuple):
    """A port, what it is for, and the setting that holds it."""

    port: int
    purpose: str
    setting: str


def check_ports(wanted: Iterable[StackPort]) -> None:
    """Check that ports are free, and that no two are the same.

    Raises:
        ConfigurationError: one is taken, with its holder, or wanted twice, or not for this account;
            names the setting.
    """
    seen: dict[int, StackPort] = {}
    for one in wanted:
        if other := seen.get(one.port):
            raise ConfigurationError(
                f"{one.setting}: port {one.port} is {other.purpose}'s already "
                f"({other.setting}); choose another one for {one.purpose}."
            )
        seen[one.port] = one
        open_listener(HOST, one.port, purpose=one.purpose, setting=one.setting).close()


def stack_ports(settings: Settings, *, with_sandbox: bool = False) -> list[StackPort]:
    """The ports that a stack needs."""
    ports = [
        StackPort(settings.prefect_port, "Prefect's server", "ADSPARK_PREFECT_PORT"),
        StackPort(settings.metrics_port, "metrics", "ADSPARK_METRICS_PORT"),
        StackPort(settings.gallery_port, "the gallery", "ADSPARK_GALLERY_PORT"),
    ]
    if with_sandbox:
        ports.append(StackPort(settings.sandbox_port, "the sandbox", "ADSPARK_SANDBOX_PORT"))
    return ports
