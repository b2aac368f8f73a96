"""`adspark top`: the console."""

import asyncio
import sys

import typer

from adspark.errors import ConfigurationError
from deployments.cli.database import current_settings, open_database
from deployments.cli.server import open_server


def top() -> None:
    """Watch and operate everything: pools, runs, failures; keys are at the foot of the screen."""
    asyncio.run(_run())


async def _run() -> None:
    from adspark.watches.searches_left import SearchesLeft  # noqa: PLC0415  (slow)
    from deployments.console.app import ConsoleApp  # noqa: PLC0415  (slow)

    async with open_server() as client, open_database() as database:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise ConfigurationError(
                "top needs a terminal for its keys and its screen.",
                command="for files and programs there is: adspark status --json",
            )
        app = ConsoleApp(client, database, SearchesLeft(current_settings()))
        await app.run_async()
    raise typer.Exit(app.return_code or 0)
