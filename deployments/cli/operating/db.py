"""`adspark db`: the database's schema."""

from collections.abc import Sequence
from typing import Annotated

import typer

from adspark.db import migrate
from adspark.db.configured import database_url
from adspark.db.lock_waits import LockHolder
from adspark.db.revisions import find_difference, newest
from adspark.validation.bounds import Range
from deployments.cli.database import current_settings
from deployments.cli.operating.documents import DatabaseDocument
from deployments.cli.options import JsonOption
from deployments.cli.ranges import ranged
from deployments.terminal.output import out, print_json, print_line, print_note, print_warning

WAIT = Range(0, 3600)  # seconds
app = typer.Typer()


@app.command()
def create(as_json: JsonOption = False) -> None:
    """Make the database that ADSPARK_DATABASE_URL names, where it is missing, and migrate it."""
    settings = current_settings()
    if settings.database_url is not None:
        migrate.create(settings.database_url.get_secret_value())
    _upgrade(as_json=as_json)


@app.command()
def upgrade(
    wait: Annotated[
        float, ranged(WAIT, metavar="SECONDS", help="For locks of other sessions.")
    ] = migrate.LOCK_PATIENCE,
    as_json: JsonOption = False,
) -> None:
    """Bring the database to the newest migration: all of it or, where a lock is held, nothing."""
    _upgrade(wait, as_json=as_json)


def _upgrade(wait: float = migrate.LOCK_PATIENCE, *, as_json: bool) -> None:
    printed: set[int] = set()

    def print_holders(holders: Sequence[LockHolder]) -> None:
        for one in holders:
            if one.pid not in printed:
                printed.add(one.pid)
                print_note(f"Waiting for a lock of {one}", style="none")

    with database_url(current_settings(), upgrade=False) as url:
        before = migrate.current(url)
        after = migrate.upgrade(url, patience=wait, on_wait=print_holders)
        missing = migrate.missing_extensions(url)
    if as_json:
        print_json(
            DatabaseDocument(
                revision=after,
                newest=newest(),
                changed=before != after,
                missing_extensions=missing,
            )
        )
        return
    print_line(f"The database is at {after}" + (" already." if before == after else "."))
    for line in missing:
        print_warning(line)


@app.command()
def current(as_json: JsonOption = False) -> None:
    """Show the migration that the database is at."""
    with database_url(current_settings(), upgrade=False) as url:
        at = migrate.current(url)
    if as_json:
        print_json(DatabaseDocument(revision=at, newest=newest()))
    elif difference := find_difference(at):
        what, remedy = difference
        print_line(f"{what[0].upper()}{what[1:]}: {remedy}")
    else:
        out.print(f"{at} (newest)")


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Check that the database can be used: reachable, new enough, migrated, writable."""
    with database_url(current_settings(), upgrade=False) as url:
        at = migrate.check_ready(url)
    if as_json:
        print_json(DatabaseDocument(revision=at, newest=newest()))
    else:
        out.print(f"The database is ready ({at}).")
