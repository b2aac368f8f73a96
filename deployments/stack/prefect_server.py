"""Prefect's server of the local stack, `python -m deployments.stack.prefect_server --port 4200`.

It has no password, so it stands behind the guard against web pages of other origins; otherwise it
is what `prefect server start` runs.
"""

import argparse

import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings

from adspark.net.request_guard import RequestGuard
from adspark.settings import get_settings


def main() -> None:
    """Serve API and UI until the process is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m deployments.stack.prefect_server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4200)
    arguments = parser.parse_args()
    server = get_current_settings().server
    uvicorn.run(
        RequestGuard(create_app(final=True), allowed_hosts=get_settings().allowed_hosts),
        host=arguments.host,
        port=arguments.port,
        timeout_keep_alive=server.api.keepalive_timeout,
        ws_ping_interval=server.api.websocket_ping_interval,
        ws_ping_timeout=server.api.websocket_ping_timeout,
        log_level=server.logging_level.lower(),
    )


if __name__ == "__main__":
    main()
