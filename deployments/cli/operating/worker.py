"""`adspark worker`: serve a pool on this host.

Prefect is imported inside the command: it takes a second.
"""

import asyncio
import socket
from typing import Annotated

import typer

from adspark.errors import ConfigurationError
from adspark.settings import get_settings
from adspark.validation.bounds import RUNS
from deployments.cli.runs.run import prefect_api_url
from deployments.environment.shell import use_private_temporary_folder
from deployments.queue_classes import QUEUE_CLASSES

_POOLS = [one.name for one in QUEUE_CLASSES]


def worker(
    pool: Annotated[str, typer.Argument(help=f"One of {', '.join(_POOLS)}.")],
    name: Annotated[
        str | None, typer.Option(help="Of this worker; else of the pool and this host.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=RUNS.least,
            max=RUNS.most,
            help="Runs at once in this worker; else the pool's slots.",
        ),
    ] = None,
    with_healthcheck: Annotated[
        bool,
        typer.Option(
            "--with-healthcheck",
            envvar="ADSPARK_WORKER_HEALTHCHECK",
            help="Answer /health on PREFECT_WORKER_WEBSERVER_PORT (8080): is it polling?",
        ),
    ] = False,
) -> None:
    """Run what is queued in a pool; SIGTERM or Ctrl-C lets runs end, a second one requeues them.

    How long they are waited for: ADSPARK_DRAIN_TIME.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415  (slow)

    from deployments.worker.serve import serve_pool  # noqa: PLC0415  (slow)

    if pool not in _POOLS:
        raise ConfigurationError(f"There is no pool {pool!r}; there are {', '.join(_POOLS)}.")
    use_private_temporary_folder()
    with temporary_settings({PREFECT_API_URL: prefect_api_url()}):
        asyncio.run(
            serve_pool(
                pool,
                name=name or f"{pool}-{socket.gethostname()}",
                limit=limit,
                patience=get_settings().drain_time,
                has_health=with_healthcheck,
            )
        )
