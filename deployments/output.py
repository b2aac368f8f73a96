"""How the command speaks: tables and lines for people, one JSON document with `--json`."""

import json
import sys
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, JsonValue
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adspark.fetching import FetchSummary

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_error(message: str) -> None:
    """One line on standard error."""
    err.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True)


def print_json(document: BaseModel | dict[str, JsonValue]) -> None:
    """One line of JSON on standard output, for programs."""
    text = document.model_dump_json() if isinstance(document, BaseModel) else json.dumps(document)
    sys.stdout.write(f"{text}\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table whose cells are shown as they are; numbers are set right."""
    made = Table(title=title, title_justify="left", title_style="bold")
    listed = [list(row) for row in rows]
    for index, column in enumerate(columns):
        number = bool(listed) and all(isinstance(row[index], int) for row in listed)
        made.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in listed:
        made.add_row(*("–" if cell is None else escape(str(cell)) for cell in row))
    return made


def print_summary(summary: FetchSummary) -> None:
    """What a fetch did, for a person."""
    for warning in summary.warnings:
        out.print(f"[yellow]Warning:[/] {escape(warning)}")
    if summary.new_creatives:
        columns = ("new creative", "advertiser", "format", "size", "domain", "last shown", "days")
        rows = [
            (
                creative.ad_creative_id,
                creative.advertiser,
                creative.format,
                creative.size,
                creative.target_domain,
                creative.last_shown and creative.last_shown.date(),
                creative.days_shown,
            )
            for creative in summary.new_creatives
        ]
        out.print(table(summary.query.describe(), columns, rows))
    if (left := summary.new - len(summary.new_creatives)) > 0:
        out.print(f"… and {left} more new ones")
    out.print(f"[bold]{escape(summary.query.describe())}[/]: {summary.headline}")
