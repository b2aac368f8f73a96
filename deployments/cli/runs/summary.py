"""What a fetch did, shown to a person."""

from rich.markup import escape

from adspark.creatives.fetch import FetchSummary
from adspark.text.terminal import fit
from deployments.terminal.output import out, print_line
from deployments.terminal.tables import table

_NAME_WIDTH = 22  # characters of an advertiser's name, so that a row fits on a line


def print_summary(summary: FetchSummary) -> None:
    """Print its warnings, its new ads and its headline."""
    for warning in summary.warnings:
        print_line(f"[yellow]Warning:[/] {escape(warning)}")
    if summary.new_creatives:
        shown = ("ad", "advertiser", "format", "size", "last shown", "days shown")
        cells = [creative.cells() for creative in summary.new_creatives]
        for row in cells:
            row["advertiser"] = fit(str(row["advertiser"]), _NAME_WIDTH)
        out.print(table("New ads", [{name: row[name] for name in shown} for row in cells]))
    if (left := summary.new - len(summary.new_creatives)) > 0:
        out.print(f"… and {left} more new ones")
    found = f"[bold]{escape(summary.query.describe())}[/]: {escape(summary.headline)}"
    print_line(found)
