"""Ask a person what no option has said; a script is told which option is missing."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import typer
from rich.markup import escape
from rich.text import Text

from adspark.errors import ConfigurationError, InvalidQueryError
from deployments.terminal.output import err, print_error, print_note, print_wrapped
from deployments.terminal.questions import need, wrap_question
from deployments.terminal.speech import speaks_json

_Value = TypeVar("_Value")
_TRIES = 5  # answers that cannot be used, before it is given up


def tell(line: str) -> None:
    """Say a line, with Rich's markup, on standard error: programs read the other."""
    if speaks_json():
        print_note(Text.from_markup(line).plain)
    else:
        print_wrapped(err, line)


def ask(
    question: str,
    *,
    option: str,
    parse: Callable[[str], _Value],
    default: str | None = None,
    is_hidden: bool = False,
) -> _Value:
    """The answer to a question; one that cannot be used is told why, and asked for again.

    Args:
        question: without a colon.
        option: that answers it, as it is typed.
        parse: makes the value; raises InvalidQueryError or ConfigurationError.
        default: the answer of who only presses Enter.
        is_hidden: whether the answer is not shown.

    Raises:
        ConfigurationError: nobody is there to answer, or no answer can be used.
    """
    need(option, question)
    for _ in range(_TRIES):
        given: str = typer.prompt(
            wrap_question(question), default=default or "", show_default=bool(default),
            hide_input=is_hidden, err=True,
        )  # fmt: skip
        if not given.strip():
            print_error("Nothing was typed; type it and press Enter, or leave with Ctrl-C.")
            continue
        try:
            return parse(given.strip())
        except InvalidQueryError as error:
            print_error(str(error).removeprefix(f"{error.field}: "))
        except ConfigurationError as error:
            print_error(str(error))
    raise ConfigurationError(f"{option}: {_TRIES} answers could not be used; nothing was written.")


def confirm(question: str, *, option: str, default: bool) -> bool:
    """Whether the answer is yes.

    Args:
        question: with its question mark.
        option: that says yes, as it is typed.
        default: the answer of who only presses Enter.

    Raises:
        ConfigurationError: nobody is there to answer.
    """
    need(option, question)
    return typer.confirm(wrap_question(question), default=default, err=True)


def choose(question: str, choices: Sequence[str], *, option: str) -> int:
    """The place of the chosen one; the only one is chosen unasked.

    Args:
        question: without a colon.
        choices: a line each.
        option: that answers it, as it is typed.

    Raises:
        ConfigurationError: nobody is there to answer, or no answer can be used.
    """
    if len(choices) == 1:
        return 0
    for place, line in enumerate(choices, 1):
        tell(f"  {place:>2}  {escape(line)}")

    def parse(given: str) -> int:
        if given.isdecimal() and 1 <= int(given) <= len(choices):
            return int(given) - 1
        raise InvalidQueryError("number", f"give a number from 1 to {len(choices)}.")

    return ask(question, option=option, parse=parse, default="1")
