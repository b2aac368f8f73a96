"""`adspark watch import` and `export`: watches as files that people edit."""

import sys
from pathlib import Path
from typing import Annotated

from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.home.new_file import check_new_file, open_new_file
from adspark.text.counts import counted
from adspark.watches.duplicates import find_duplicates
from adspark.watches.files.watch_file import WatchFormat, format_of, read_watch_file, write_watches
from adspark.watches.store import Outcome, SavedWatch, save_watch
from adspark.watches.stored import list_watches
from deployments.cli.database import in_session
from deployments.cli.options import JsonOption
from deployments.cli.watches.documents import ImportedWatch, WatchesExported, WatchesImported
from deployments.cli.watches.options import UserOption
from deployments.cli.watches.tables import print_imported
from deployments.terminal.output import print_json, print_line


def import_file(
    file: Annotated[Path, Argument(help="A .yaml or .csv file, as export writes it.")],
    dry_run: Annotated[
        bool, Option("--dry-run", help="Say what would happen, write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create and change watches as a file has them: all of it or, at a mistake, nothing."""
    definitions, warnings = read_watch_file(file)
    # In one order, so that two imports at once cannot wait for each other.
    definitions.sort(key=lambda one: (one.user_id, one.name))

    async def act(session: AsyncSession) -> tuple[list[SavedWatch], dict[int, list[str]]]:
        saved = [await save_watch(session, definition=one) for one in definitions]
        fresh = [one.id for one in saved if one.outcome is Outcome.CREATED or one.begins_anew]
        tried = [one.id for one in saved if dry_run and one.outcome is Outcome.CREATED]
        return saved, await find_duplicates(session, watch_ids=fresh, tried_ids=tried)

    saved, alike = in_session(act, commits=not dry_run)
    for definition, one in zip(definitions, saved, strict=True):
        warnings += [f"watch {definition.name!r}: {warning}" for warning in alike.get(one.id, [])]
    listed = [
        ImportedWatch(user_id=definition.user_id, name=definition.name, outcome=one.outcome)
        for definition, one in zip(definitions, saved, strict=True)
    ]
    done = WatchesImported(watches=listed, warnings=warnings, dry_run=dry_run)
    print_json(done) if as_json else print_imported(done, file)


def export_file(
    file: Annotated[Path | None, Argument(help="Default: standard output.")] = None,
    form: Annotated[
        WatchFormat | None, Option("--format", help="Default: as the file is called, yaml.")
    ] = None,
    user: UserOption = None,
    force: Annotated[bool, Option("--force", help="Replace a file of this name.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the watches' definitions, for import."""
    if form is None:
        form = format_of(file) if file else WatchFormat.YAML
    if file is not None:
        check_new_file(file, _any_of(file), replaces=force)
    rows = in_session(lambda session: list_watches(session, user_id=user))
    definitions = [row.definition for row in rows]
    written = write_watches(definitions, form=form)
    if file is None and as_json:
        print_json(WatchesExported(file=None, watches=len(rows), definitions=definitions))
        return
    if file is None:
        sys.stdout.write(written)
        return
    with open_new_file(file, _any_of(file), replaces=force) as stream:
        stream.write(written.encode())
    if as_json:
        print_json(WatchesExported(file=str(file), watches=len(rows), definitions=[]))
    else:
        print_line(f"Wrote {counted(len(rows), 'watch')} to {escape(str(file))}.")


def _any_of(file: Path) -> tuple[str]:
    """The suffixes that a file may have: its own, since --format may say what it holds."""
    return (file.suffix.lower(),)
