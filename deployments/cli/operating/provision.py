"""`adspark provision`: make a Prefect server match the project, or say what that would change."""

import asyncio
from typing import TYPE_CHECKING, Annotated

from rich.markup import escape
from typer import Option

from adspark.db.configured import database_url
from deployments.cli.database import current_settings
from deployments.cli.options import JsonOption
from deployments.cli.server import open_server
from deployments.terminal.output import out, print_json, print_line
from deployments.terminal.progress import progress

if TYPE_CHECKING:
    from deployments.provisioning.provision import Provisioned


def provision(
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would change.")] = False,
    reset: Annotated[bool, Option("--reset", help="Reset also what was changed by hand.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring pools, limits, blocks, deployments and automations in line with the project.

    Safe to repeat; what was changed by hand stays. `adspark up` does it at each start.
    """
    with progress("Comparing Prefect's server with the project"):
        done = asyncio.run(_provision(dry_run=dry_run, reset=reset))
    if as_json:
        from deployments.cli.operating.server_documents import (  # noqa: PLC0415  (slow)
            ProvisionDocument,
        )

        print_json(ProvisionDocument.of(done))
        return
    verb = "Would change" if dry_run else "Changed"
    for change in done.changes:
        print_line(f"{verb}: {escape(change)}")
    for kept in (*done.kept, *done.added):
        print_line(f"[yellow]Kept:[/] {escape(kept)}")
    if not done.changes:
        out.print("Nothing to change.")
    if done.kept:
        out.print("To reset that too: adspark provision --reset")


async def _provision(*, dry_run: bool, reset: bool) -> "Provisioned":
    from deployments.provisioning import provision as provisioning  # noqa: PLC0415  (slow)

    settings = current_settings()
    with database_url(settings) as url:
        async with open_server():
            return await provisioning.provision(
                settings, database_url=url, dry_run=dry_run, reset=reset
            )
