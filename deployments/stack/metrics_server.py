"""The server of figures for Prometheus."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adspark.net.listening import open_listener, web_address
from adspark.net.password_guard import PasswordGuard
from adspark.net.request_guard import RequestGuard
from adspark.settings import Settings
from deployments.operations.metrics import MetricsCollector

_MOST_CONNECTIONS = 100  # at once; further ones are answered with 503


@contextmanager
def serving_metrics(
    settings: Settings,
    *,
    api_url: str,
    database_url: str,
    host: str = "127.0.0.1",
    port_setting: str = "ADSPARK_METRICS_PORT",
    password: SecretStr | None = None,
) -> Iterator[str]:
    """Serve `/metrics` on the port of the settings, from a thread of its own; yields the address.

    Args:
        api_url: of Prefect's server.
        database_url: of AdSpark's database.
        host: address to listen on.
        port_setting: what else may hold the port, for who has to change it.
        password: `name:password` that is asked for where others than this machine can ask.

    Raises:
        ConfigurationError: the port is taken, or the host is not this machine's.
    """
    port = settings.metrics_port
    collector = MetricsCollector(settings, api_url=api_url, database_url=database_url)
    listener = open_listener(host, port, purpose="metrics", setting=port_setting)
    is_local = ip_address(listener.getsockname()[0]).is_loopback
    server = _create_server(
        collector,
        allowed_hosts=settings.allowed_hosts,
        password=None if is_local or password is None else password.get_secret_value(),
    )

    def serve() -> None:
        with closing(collector):
            server.run([listener])

    thread = threading.Thread(target=serve, name="metrics")
    thread.start()
    try:
        yield f"{web_address(host, port)}/metrics"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _create_server(
    collector: MetricsCollector, *, allowed_hosts: tuple[str, ...], password: str | None
) -> uvicorn.Server:
    registry = CollectorRegistry()
    registry.register(collector)

    def metrics(_: Request) -> Response:  # in a thread: the collector has an event loop of its own
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app: ASGIApp = Starlette(routes=[Route(path, metrics) for path in ("/metrics", "/")])
    if password is not None:
        app = PasswordGuard(app, password)
    return uvicorn.Server(
        uvicorn.Config(
            RequestGuard(app, allowed_hosts=allowed_hosts),
            access_log=False,
            log_level="warning",
            lifespan="off",
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=1,
        )
    )
