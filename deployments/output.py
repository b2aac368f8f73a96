"""How the command speaks: tables and lines for people, one JSON document with `--json`."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from textwrap import shorten

from pydantic import BaseModel, JsonValue
from rich import box
from rich.markup import escape
from rich.table import Table

from adspark.fetching import FetchSummary
from deployments.terminal import SafeConsole, escape_unprintable

_NAME_WIDTH = 22  # characters of an advertiser's name, so that a row fits on a line

out = SafeConsole(highlight=False)
err = SafeConsole(stderr=True, highlight=False)


def print_error(message: str) -> None:
    """One line on standard error."""
    err.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True)


def print_warning(message: str) -> None:
    """One line on standard error about what does not stop the command."""
    err.print(f"[yellow]Warning:[/] {escape(message)}", soft_wrap=True)


def print_json(document: BaseModel | dict[str, JsonValue]) -> None:
    """One line of JSON on standard output, for programs."""
    text = document.model_dump_json() if isinstance(document, BaseModel) else json.dumps(document)
    sys.stdout.write(f"{escape_unprintable(text)}\n")


def table(title: str, rows: Sequence[Mapping[str, object]], *, wraps: str = "advertiser") -> Table:
    """Rows under the headings of the first one; numbers stand right, only `wraps` may be broken."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for heading in rows[0] if rows else ():
        number = all(isinstance(row[heading], int | float | None) for row in rows)
        made.add_column(heading, justify="right" if number else "left", no_wrap=heading != wraps)
    for row in rows:
        made.add_row(*("–" if cell is None else escape(str(cell)) for cell in row.values()))
    return made


def moment(then: datetime) -> str:
    """A time (UTC) to the minute."""
    return then.strftime("%Y-%m-%d %H:%M")


def age(then: datetime | None) -> str | None:
    """How long ago, in the largest unit of which it is more than one or two."""
    if then is None:
        return None
    minutes = int((datetime.now(UTC) - then).total_seconds() // 60)
    if minutes < 2 * 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 2 * 24 else f"{hours // 24} d"


def print_summary(summary: FetchSummary) -> None:
    """What a fetch did, for a person."""
    for warning in summary.warnings:
        out.print(f"[yellow]Warning:[/] {escape(warning)}", soft_wrap=True)
    if summary.new_creatives:
        shown = ("creative", "advertiser", "format", "size", "last shown", "days")
        cells = [creative.cells() for creative in summary.new_creatives]
        for row in cells:
            row["advertiser"] = shorten(str(row["advertiser"]), _NAME_WIDTH, placeholder="…")
        out.print(table("New creatives", [{name: row[name] for name in shown} for row in cells]))
    if (left := summary.new - len(summary.new_creatives)) > 0:
        out.print(f"… and {left} more new ones")
    found = f"[bold]{escape(summary.query.describe())}[/]: {escape(summary.headline)}"
    out.print(found, soft_wrap=True)
