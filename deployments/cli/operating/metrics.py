"""`adspark metrics`: figures for Prometheus, where no local stack serves them."""

import threading
from contextlib import suppress
from typing import Annotated

from typer import Option

from adspark.db.configured import database_url
from adspark.validation.bounds import PORT
from deployments.cli.database import current_settings
from deployments.cli.operating.documents import MetricsServed
from deployments.cli.ranges import ranged
from deployments.cli.server import prefect_api_url
from deployments.environment.termination import raise_at_termination
from deployments.terminal.output import print_json, print_line


def metrics(
    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, ranged(PORT, help="Default: ADSPARK_METRICS_PORT.")] = None,
    as_json: Annotated[
        bool, Option("--json", help="One line of JSON once they are served.")
    ] = False,
) -> None:
    """Serve figures for Prometheus until Ctrl-C; `adspark up` serves them too.

    On another address than this machine's own they ask for the name and password of Prefect's API.
    """
    from prefect.settings import get_current_settings  # noqa: PLC0415  (slow)

    from deployments.stack.metrics_server import serving_metrics  # noqa: PLC0415  (slow)

    settings = current_settings()
    if port is not None:
        settings = settings.model_copy(update={"metrics_port": port})
    with (
        suppress(KeyboardInterrupt),
        raise_at_termination(KeyboardInterrupt),
        database_url(settings) as url,
        serving_metrics(
            settings,
            api_url=prefect_api_url(),
            database_url=url,
            host=host,
            port_setting="--port or ADSPARK_METRICS_PORT" if port is None else "--port",
            password=get_current_settings().api.auth_string,
        ) as where,
    ):
        if as_json:
            print_json(MetricsServed(url=where))
        else:
            print_line(f"Metrics: {where} · Ctrl-C ends it.")
        threading.Event().wait()
