"""The ports of the local stack, which nobody else may have."""

import socket
from collections.abc import Mapping
from contextlib import suppress

import psutil

from adspark.errors import ConfigurationError
from adspark.settings import Settings
from deployments.environment.stack_settings import HOST


def check_ports(wanted: Mapping[int, tuple[str, str]]) -> None:
    """Check that ports are free.

    Args:
        wanted: by port, what it is for and the setting that holds it.

    Raises:
        ConfigurationError: one is taken; with its holder and the setting.
    """
    for port, (purpose, variable) in wanted.items():
        if holder := _read_holder(port):
            raise ConfigurationError(
                f"Port {port} for {purpose} is taken by {holder}; stop that, or set {variable}."
            )


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


def _read_holder(port: int) -> str | None:
    """Who has a local port: "python (pid 12)", "another program" where the system hides it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind((HOST, port))
            return None
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or connection.laddr[1:2] != (port,):
                continue
            if connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "another program"
