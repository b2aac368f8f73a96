"""Prefect's server behind our guards, `python -m deployments.server.app`; its settings are
Prefect's own."""

import argparse

import uvicorn
from prefect.settings import get_current_settings
from sqlalchemy import make_url
from starlette.types import ASGIApp

from adspark.errors import ConfigurationError
from adspark.net.listening import open_listener
from adspark.net.request_guard import RequestGuard
from adspark.settings import get_settings
from adspark.text.redaction import remember_environment
from deployments.server.api_guard import ApiGuard
from deployments.server.database import wait_for_database
from orchestration.server.prefect_internals import create_server


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, as `prefect server start` does."""
    remember_environment()
    settings = get_current_settings().server
    parser = argparse.ArgumentParser(prog="python -m deployments.server.app")
    parser.add_argument("--host", default=settings.api.host)
    parser.add_argument("--port", type=int, default=settings.api.port)
    parser.add_argument("--no-services", action="store_true", help="only the API and the UI")
    arguments = parser.parse_args()
    try:
        open_listener(
            arguments.host,
            arguments.port,
            purpose="Prefect's server",
            setting="--port or PREFECT_SERVER_API_PORT",
        ).close()  # it starts for seconds, in which nobody shall wait for an answer
    except ConfigurationError as error:
        parser.exit(2, f"Error: {error}\n")
    if address := settings.database.connection_url:
        wait_for_database(make_url(address.get_secret_value()))
    app: ASGIApp = ApiGuard(create_server(has_services=not arguments.no_services))
    if settings.api.auth_string is None:  # without a password, any page in the browser could ask
        app = RequestGuard(app, allowed_hosts=get_settings().allowed_hosts)
    uvicorn.run(
        app,
        host=arguments.host,
        port=arguments.port,
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
        log_level=settings.logging_level.lower(),
    )


if __name__ == "__main__":
    main()
