"""`adspark db`: the database's schema."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from adspark.db import migrate
from adspark.db.configured import database_url
from adspark.db.lock_waits import LockHolder
from adspark.text.terminal import plain
from adspark.validation.bounds import Range
from deployments.cli.database import current_settings
from deployments.cli.ranges import ranged
from deployments.terminal.output import err, out, print_warning

WAIT = Range(0, 3600)  # seconds
app = typer.Typer(
    help="The database's schema: create, upgrade, current, check.", no_args_is_help=True
)


@app.command()
def create() -> None:
    """Make the database that ADSPARK_DATABASE_URL names, where it is missing, and migrate it."""
    settings = current_settings()
    if settings.database_url is not None:
        migrate.create(settings.database_url.get_secret_value())
    _upgrade()


@app.command()
def upgrade(
    wait: Annotated[
        float, ranged(WAIT, metavar="SECONDS", help="For locks of other sessions.")
    ] = migrate.LOCK_PATIENCE,
) -> None:
    """Bring the database to the newest migration: all of it or, where a lock is held, nothing."""
    _upgrade(wait)


def _upgrade(wait: float = migrate.LOCK_PATIENCE) -> None:
    printed: set[int] = set()

    def print_holders(holders: Sequence[LockHolder]) -> None:
        for one in holders:
            if one.pid not in printed:
                printed.add(one.pid)
                err.print(escape(plain(f"Waiting for a lock of {one}")), soft_wrap=True)

    with database_url(current_settings(), upgrade=False) as url:
        before = migrate.current(url)
        after = migrate.upgrade(url, patience=wait, on_wait=print_holders)
        missing = migrate.missing_extensions(url)
    out.print(f"The database is at {after}" + (" already." if before == after else "."))
    for line in missing:
        print_warning(line)


@app.command()
def current() -> None:
    """Show the migration that the database is at."""
    with database_url(current_settings(), upgrade=False) as url:
        at, newest = migrate.current(url), migrate.newest()
    if at == newest:
        out.print(f"{at} (newest)")
    else:
        out.print(f"{at or 'empty'}; newest is {newest}, reach it with: adspark db upgrade")


@app.command()
def check() -> None:
    """Check that the database can be used: reachable, new enough, migrated, writable."""
    with database_url(current_settings(), upgrade=False) as url:
        at = migrate.check_ready(url)
    out.print(f"The database is ready ({at}).")
