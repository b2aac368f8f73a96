"""All commands of `adspark`, as they are found by walking its groups."""

from collections.abc import Iterator
from typing import Any

import typer

from deployments.cli.commands import COMMANDS


def leaf_commands() -> dict[str, Any]:
    """Every command that has none below it, under its name, such as `watch list`."""
    found: dict[str, Any] = {}
    for one in COMMANDS:
        found |= _walk(one.name, typer.main.get_command(one.typer()))
    return found


def options_of(command: Any) -> set[str]:  # noqa: ANN401  (Typer's own)
    """As they are typed."""
    return {name for parameter in command.params for name in parameter.opts}


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for inner, one in below.items():
        yield from _walk(f"{name} {inner}", one)
