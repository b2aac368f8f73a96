"""Tables of what was measured, and the console that shows them."""

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table


def make_console() -> Console:
    """As wide as the terminal, or wide enough for tables where there is none."""
    return Console(width=None if sys.stdout.isatty() else 110)


def make_table(title: str, names: Iterable[str], figures: Iterable[str]) -> Table:
    """A table with columns of names, then of figures."""
    table = Table(*names, title=title, title_justify="left")
    for heading in figures:
        table.add_column(heading, justify="right")
    return table
