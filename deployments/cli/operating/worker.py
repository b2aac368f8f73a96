"""`adspark worker`: serve pools on this host."""

import asyncio
import socket
from contextlib import ExitStack
from typing import Annotated

from typer import Argument, Option

from adspark.settings import get_settings
from adspark.validation.bounds import RUNS
from deployments.cli.ranges import ranged
from deployments.cli.server import prefect_api_url
from deployments.environment.shell import use_private_temporary_folder
from deployments.queue_classes import POOL_NAMES, validate_pools


def worker(
    pools: Annotated[list[str], Argument(help=f"Of {', '.join(POOL_NAMES)}; one or more.")],
    name: Annotated[
        str | None, Option(help="Of the worker in each pool; else of the pool and this host.")
    ] = None,
    limit: Annotated[
        int | None, ranged(RUNS, help="Runs at once in each pool; else the pool's slots.")
    ] = None,
    with_healthcheck: Annotated[
        bool,
        Option(
            "--with-healthcheck",
            envvar="ADSPARK_WORKER_HEALTHCHECK",
            help="Answer /health on PREFECT_WORKER_WEBSERVER_PORT (8080): is it polling?",
        ),
    ] = False,
) -> None:
    """Run what is queued in pools; SIGTERM or Ctrl-C lets runs end, a second one requeues them.

    How long they are waited for: ADSPARK_DRAIN_TIME.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415  (slow)

    import flows  # noqa: PLC0415, F401  (slow; finds the stack, whose settings the runs have then)
    from deployments.operations.worker_names import hold_name  # noqa: PLC0415  (slow)
    from deployments.worker.serve import serve_pools  # noqa: PLC0415  (slow)

    validate_pools(pools)
    use_private_temporary_folder()
    api_url = prefect_api_url()
    names = {pool: name or f"{pool}-{socket.gethostname()}" for pool in pools}
    with temporary_settings({PREFECT_API_URL: api_url}), ExitStack() as held:
        for pool, own_name in names.items():
            held.enter_context(hold_name(own_name, pool, api_url))
        asyncio.run(
            serve_pools(
                names,
                limit=limit,
                patience=get_settings().drain_time,
                has_health=with_healthcheck,
            )
        )
