"""What a command says where its list is empty: that none is there, or that none was meant."""

from collections.abc import Mapping

from rich.markup import escape

from adspark.text.counts import plural
from adspark.text.terminal import plain
from deployments.terminal.output import print_line


def print_none(noun: str, *, asked: Mapping[str, object], make: str, every: str) -> None:
    """Say why a list is empty, and how to go on.

    Args:
        noun: one of what is listed, such as `watch`.
        asked: what was given to the options that choose among them, by their names; None: nothing.
        make: how one is made, as `make one with: adspark watch create`.
        every: the command that lists all.
    """
    if given := describe_asked(asked):
        print_line(f"No {noun} matches {escape(given)}; all of them: {every}")
    else:
        print_line(f"There are no {plural(noun)}; {make}")


def describe_asked(asked: Mapping[str, object]) -> str:
    """The options that were given, as they are written; empty: none was."""
    given = {name: value for name, value in asked.items() if value not in (None, [])}
    return ", ".join(f"--{name} {plain(_written(value))}" for name, value in given.items())


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
