"""Show what changes: a live table on a terminal, elsewhere a line for each change."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from rich.console import RenderableType
from rich.live import Live

from deployments.terminal.output import out, print_line

_View = TypeVar("_View")


@contextmanager
def live_view(
    draw: Callable[[_View], RenderableType],
    describe: Callable[[_View], Mapping[str, str]],
    stamp: Callable[[_View], str] = lambda _: "",
) -> Iterator[Callable[[_View], None]]:
    """What is to be called with each new view.

    Args:
        draw: a view as a table.
        describe: a line for each thing in it, by name.
        stamp: what stands before each line and is no change.
    """
    printed: dict[str, str] = {}

    def print_changes(view: _View) -> None:
        for name, line in describe(view).items():
            if printed.get(name) != line:
                printed[name] = line
                print_line(f"{stamp(view)}{line}")

    if out.is_terminal:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda view: live.update(draw(view), refresh=True)
    else:
        yield print_changes
