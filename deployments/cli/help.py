"""A command's help, in which no word is cut; and what a command says of a wrong argument.

Help is plain where the terminal has no room for Rich's tables.
"""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from inspect import cleandoc
from io import StringIO
from textwrap import wrap
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from adspark.errors import InvalidQueryError
from adspark.text.sentences import with_full_stop
from adspark.validation.messages import describe_validation_error
from adspark.validation.numbers import read_whole
from deployments.cli.arguments import show
from deployments.cli.typed_names import tell_as_typed

# Rich ends a word that it has cut with an ellipsis, which no help of ours has; a range it folds.
_CUT = re.compile(r"…|<=\d*+(?![\]x])")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_NAMES = 22  # columns at most of names in plain help, with room beside them for the longest word


class Command(TyperCommand):
    """A command whose help is wrapped at the terminal's width, and not where its source is too, and
    which tells mistakes in our words."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  (Typer's own)
        super().__init__(*arguments, **options)
        paragraphs = cleandoc(self.help or "").split("\n\n")
        self.help = "\n\n".join(" ".join(one.split()) for one in paragraphs)
        parameters: list[Any] = self.params
        for one in parameters:
            kind = one.type_descriptor
            if kind.annotation is int and kind.parameter_info.parser is None:
                one.process_value = partial(_process_whole, one, one.process_value)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (Typer's own)
        """Rich's help where it fits, else a plain one."""
        _choose(self, ctx, formatter)
        super().format_help(ctx, formatter)

    def make_parser(self, ctx: Any) -> Any:  # noqa: ANN401  (Typer's own)
        """A parser that takes no switch together with its opposite: it would drop the first."""
        parser = super().make_parser(ctx)
        parser.parse_args = partial(_parse_consistent, ctx, parser.parse_args)  # type: ignore[method-assign]
        return parser

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (Typer's own)
        """Read the arguments; a mistake that pydantic finds for Typer is told in our words."""
        try:
            return super().parse_args(ctx, args)
        except InvalidQueryError as wrong:
            raise tell_as_typed(wrong, self.params) from None
        except Exception as raised:
            error: Any = raised
            if isinstance(error.__cause__, ValidationError) and hasattr(error, "message"):
                error.message = _describe(error.__cause__)
            elif self._may_be_value(error):
                remedy = "Write -- before values of which one begins with a hyphen."
                error.message = f"{with_full_stop(error.message)} {remedy}"
            raise

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  (Typer's own)
        """Carry it out; an error of a field names the option that gives it."""
        try:
            return super().invoke(ctx)
        except InvalidQueryError as wrong:
            raise tell_as_typed(wrong, self.params) from None

    def _may_be_value(self, error: Any) -> bool:  # noqa: ANN401  (Typer's own)
        """Whether what is no option may be meant as a value, such as -5 or the word -kids."""
        is_unknown = hasattr(error, "possibilities") and not error.option_name.startswith("--")
        return is_unknown and any(one.param_type_name == "argument" for one in self.params)


class Group(TyperGroup):
    """A group of commands whose plain help, too, has them under their panels."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (Typer's own)
        """Rich's help where it fits, else a plain one."""
        _choose(self, ctx, formatter)
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (Typer's own)
        """The commands of the plain help."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            rows = panels.setdefault(command.rich_help_panel or "Commands", [])
            rows.append((name, (command.help or "").split("\n\n")[0]))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)


def _parse_consistent(ctx: Any, parse: Any, args: list[str]) -> Any:  # noqa: ANN401  (Typer's own)
    """What `parse` makes of the arguments; refuse a switch that stands beside its opposite."""
    given = set(args)
    parsed = parse(args)
    for one, times in Counter(parsed[2]).items():
        is_contradicted = times > 1 and given & {*one.opts} and given & {*one.secondary_opts}
        if is_contradicted and not ctx.resilient_parsing:
            told = f"it is given with its opposite {one.secondary_opts[0]}; keep one of them."
            raise typer.BadParameter(told, ctx=ctx, param=one)
    return parsed


def _process_whole(parameter: Any, process: Any, ctx: Any, value: Any) -> Any:  # noqa: ANN401
    """Read a whole number; Typer alone would also take 1_0 and 1.0."""
    if isinstance(value, str) and read_whole(value.strip()) is None:
        told = f"{show(value)} is not a whole number."
        raise typer.BadParameter(told, ctx=ctx, param=parameter)
    return process(ctx, value)


def _describe(error: ValidationError) -> str:
    first = error.errors()[0]
    told = f"{describe_validation_error(first)}."
    return told if first["type"] == "value_error" else f"{show(str(first['input']))} {told}"


def _choose(command: Any, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (Typer's own)
    """Have the command show its help plain where Rich would cut it."""
    kind = TyperGroup if isinstance(command, TyperGroup) else TyperCommand
    with redirect_stdout(StringIO()) as shown:
        kind.format_help(command, ctx, ctx.make_formatter())
    if _CUT.search(_COLOURS.sub("", shown.getvalue())):
        from rich.console import Console  # noqa: PLC0415  (what cut it is imported by then)

        command.rich_markup_mode = None
        formatter.width = Console().width
        formatter.write_dl = partial(_write_list, formatter)


def _write_list(formatter: Any, rows: Sequence[tuple[str, str]]) -> None:  # noqa: ANN401
    """Names with their meaning beside them, of which no word is broken, not at a hyphen either."""
    indent = " " * formatter.current_indent
    beside = min(_NAMES, max(len(name) for name, _ in rows)) + 2
    for name, meaning in rows:
        lines = wrap(
            meaning,
            max(formatter.width - len(indent) - beside, _NAMES),
            break_long_words=False,
            break_on_hyphens=False,
        )
        first = [f"{name:{beside}}{lines.pop(0)}"] if lines and len(name) + 2 <= beside else [name]
        formatter.write("".join(f"{indent}{line}\n" for line in first))
        formatter.write("".join(f"{indent}{'':{beside}}{line}\n" for line in lines))
