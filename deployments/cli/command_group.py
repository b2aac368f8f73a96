"""The commands of a group, each imported when it is called: `--help` and completion import none."""

import os
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from deployments.cli.completion.words import Asked, find_asked
from deployments.cli.help import Command, Group


@dataclass(frozen=True)
class LazyCommand:
    """A command, or a group of commands.

    Attributes:
        name: as it is typed.
        source: module below `deployments.cli`, and name of its function, or of its group's `Typer`,
            which is called `app`: `package.module:name`.
        panel: under which `--help` shows it.
        help: what `--help` says of it: the first line of a command's own help, all of a group's.
    """

    name: str
    source: str
    panel: str
    help: str

    @property
    def is_group(self) -> bool:
        """Whether it has commands of its own."""
        return self.source.endswith(":app")

    def typer(self) -> typer.Typer:
        """Import it.

        Raises:
            ImportError: there is no such module.
        """
        module, _, name = self.source.partition(":")
        found = getattr(import_module(f"deployments.cli.{module}"), name)
        if self.is_group:
            app = cast("typer.Typer", found)
            app.info.help, app.info.no_args_is_help = self.help, True
        else:
            app = typer.Typer(add_completion=False)
            app.command(self.name)(found)
        for command in app.registered_commands:
            command.cls = Command
        app.info.cls = Group
        return app


@dataclass(frozen=True)
class _Completion:
    """A completion as shells' formats have it."""

    value: str
    help: str | None = None
    type: str = "plain"


class _Names(TyperCommand):
    """Stands for a command while the shell completes a name in its arguments."""

    def __init__(self, asked: Asked) -> None:
        super().__init__("name", add_help_option=False)
        self._asked = asked

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:  # noqa: ANN401
        """The names, in place of the command's own options."""
        from deployments.cli.completion.names import list_names  # noqa: PLC0415  (for names only)

        return [_Completion(name) for name in list_names(self._asked)]


def make_group(commands: tuple[LazyCommand, ...]) -> type[TyperGroup]:
    """The class of a group with these commands (`cls` of a `Typer`)."""
    by_name = {one.name: one for one in commands}

    class LazyGroup(Group):
        """Knows its commands' names and help, and imports the one that is called."""

        def __init__(self, **options: Any) -> None:  # noqa: ANN401  (Typer's own)
            super().__init__(**options)
            for one in commands:
                stub = TyperCommand(one.name, help=one.help, rich_help_panel=one.panel)
                self.commands[one.name] = stub

        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:  # noqa: ANN401
            if ctx.resilient_parsing:  # the shell completes
                if asked := find_asked(os.environ):
                    return "name", _Names(asked), []
            elif args and args[0] not in self.commands and (found := _find_in_groups(args[0])):
                from adspark.validation.near_names import ask_for  # noqa: PLC0415  (for this only)

                ctx.fail(f"No such command {args[0]!r}. {ask_for(found).capitalize()}")
            name, command, rest = super().resolve_command(ctx, args)
            if name in by_name:
                command = typer.main.get_command(by_name[name].typer())
                command.name = name
            return name, command, rest

    def _find_in_groups(name: str) -> list[str]:
        """The commands of this name that groups have, each with its group."""
        groups = {one.name: one.typer() for one in commands if one.is_group}
        return [
            f"{group} {name}"
            for group, app in groups.items()
            if name in typer.main.get_group(app).commands
        ]

    return LazyGroup
