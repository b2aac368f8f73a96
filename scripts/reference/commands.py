"""The reference of commands: what `--help` says of each, with its options."""

from typing import Any

import typer.main

from deployments.cli.command_group import LazyCommand
from deployments.cli.commands import COMMANDS
from scripts.reference.markdown import code, make_document, make_paragraphs, make_table, sentence

_ABOUT = """
Exit codes: 0, it is done; 1, it failed or was not confirmed, or `status` has found something to
do: the same call may do later; 2, the call or the configuration has to change first; 130, it was
interrupted by Ctrl-C; 143, by SIGTERM. Every command has `--help`.
"""


def make_page() -> str:
    parts: list[str] = []
    for panel in dict.fromkeys(command.panel for command in COMMANDS):
        parts.append(f"## {panel}")
        for command in COMMANDS:
            if command.panel == panel:
                parts += _describe(command)
    return make_document("Commands", _ABOUT, *parts)


def _describe(command: LazyCommand) -> list[str]:
    found: Any = typer.main.get_command(command.typer())
    name = f"adspark {command.name}"
    if not command.is_group:
        return [_of_command(name, found)]
    about = f"### {name}\n\n{make_paragraphs(command.help)}"
    return [about, *(_of_command(f"{name} {key}", one) for key, one in _commands(found))]


def _commands(group: Any) -> list[tuple[str, Any]]:  # noqa: ANN401  (Typer's own)
    context = typer.Context(group)
    return [(name, group.get_command(context, name)) for name in group.list_commands(context)]


def _of_command(name: str, command: Any) -> str:  # noqa: ANN401
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    shown = [one for one in shown if one.name != "help"]
    about = (command.help or "").partition("\f")[0]
    parts = [f"### {name}", make_paragraphs(about)]
    if shown:
        parts.append(make_table(("argument", "default", "meaning"), map(_row, shown)))
    return "\n\n".join(parts)


def _row(parameter: Any) -> tuple[str, str, str]:  # noqa: ANN401
    if parameter.param_type_name == "argument":
        name = code(parameter.metavar or (parameter.name or "").upper())
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        name = ", ".join(map(code, sorted(names, key=lambda one: one.count("-"))))
    default = parameter.default
    is_shown = isinstance(default, str | int | float) and not isinstance(default, bool)
    told = code(str(default)) if is_shown and default != "" else ""
    needed = "needed" if parameter.required else ""
    variable = f" Also by: {code(parameter.envvar)}." if parameter.envvar else ""
    meaning = f"{getattr(parameter, 'help', None) or ''}{variable}"
    return name, needed or told, sentence(meaning)
