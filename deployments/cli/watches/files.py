"""`adspark watch import` and `export`: watches as files that people edit."""

import sys
from pathlib import Path
from typing import Annotated

from rich.markup import escape
from typer import Argument, Option

from adspark.errors import InvalidQueryError
from adspark.home.new_file import check_new_file, open_new_file
from adspark.text.counts import counted
from adspark.watches.files.csv_table import encode_table
from adspark.watches.files.importing import import_watches
from adspark.watches.files.watch_file import WatchFormat, format_of, read_watch_file, write_watches
from adspark.watches.store import MergedWatch
from adspark.watches.stored import list_watches
from deployments.cli.database import in_session
from deployments.cli.options import JsonOption
from deployments.cli.watches.documents import (
    BEGINS_ANEW,
    FieldChange,
    ImportedWatch,
    WatchesExported,
    WatchesImported,
)
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
    """Create and change watches as a file has them: all of it or, at a mistake, nothing.

    A field that is not in the file stays as it is; one that is there and empty is emptied.
    """
    written = read_watch_file(file)
    merged, warnings = in_session(
        lambda session: import_watches(session, file=written, is_kept=not dry_run),
        commits=not dry_run,
        acts_for={entry.key[0] for entry in written.entries},
    )
    for one in merged:
        if one.saved.begins_anew:
            warnings.append(f"watch {one.definition.name!r}: {BEGINS_ANEW}")
    done = WatchesImported(
        watches=[_imported(one) for one in merged], warnings=warnings, dry_run=dry_run
    )
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
    if file is None and force:
        raise InvalidQueryError("--force", "replaces a file; name it, or leave this out.")
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
        stream.write(encode_table(written) if form is WatchFormat.CSV else written.encode())
    if as_json:
        print_json(WatchesExported(file=str(file), watches=len(rows), definitions=[]))
    else:
        print_line(f"Wrote {counted(len(rows), 'watch')} to {escape(str(file))}.")


def _imported(one: MergedWatch) -> ImportedWatch:
    """What became of a watch of the file."""
    after = one.definition.model_dump(mode="json")
    before = after if one.before is None else one.before.model_dump(mode="json")
    return ImportedWatch(
        user_id=one.definition.user_id,
        name=one.definition.name,
        outcome=one.saved.outcome,
        changes=[
            FieldChange(field=field, before=before[field], after=after[field])
            for field in after
            if before[field] != after[field]
        ],
        begins_anew=one.saved.begins_anew,
        cost=one.definition.cost,
    )


def _any_of(file: Path) -> tuple[str]:
    """The suffixes that a file may have: its own, since --format may say what it holds."""
    return (file.suffix.lower(),)
