"""`adspark top`: the console.

Prefect and Textual are imported inside the command: they take a second.
"""

import asyncio

from adspark.db.configured import database_url
from adspark.settings import get_settings
from deployments.cli.current_database import current_settings
from deployments.cli.runs.run import prefect_api_url


def top() -> None:
    """Watch and operate everything: pools, runs, failures; keys are at the foot of the screen."""
    settings = current_settings(get_settings())
    with database_url(settings) as url:
        asyncio.run(_run(url))


async def _run(url: str) -> None:
    from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database  # noqa: PLC0415  (slow)
    from deployments.cli.follow import server  # noqa: PLC0415  (slow)
    from deployments.console.app import Top  # noqa: PLC0415  (slow)
    from deployments.operations.searches_left import SearchesLeft  # noqa: PLC0415  (slow)

    searches = SearchesLeft(current_settings(get_settings()))
    async with (
        server(prefect_api_url()) as client,
        Database(url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database,
    ):
        await Top(client, database, searches).run_async()
