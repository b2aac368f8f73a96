"""Questions to a person, on standard error: standard output is the command's result."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from adspark.errors import ConfigurationError
from deployments.terminal.output import err

_ANSWER = len(" [y/N]: ") + 1  # the room of what stands behind a question, and of the answer


def confirm(question: str) -> None:
    """Go on only if a person says yes; raises typer.Abort where they do not, or nobody is there."""
    typer.confirm(wrap_question(question), abort=True, err=True)


def is_interactive() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def need(option: str, what: str) -> None:
    """Raise ConfigurationError where nobody is there to answer; it names the option."""
    if not is_interactive():
        raise ConfigurationError(f"{option} is missing, and nobody is here to ask: {what}")


def wrap_question(question: str, console: Console = err) -> str:
    """A question on as many lines as it takes, each of whole words."""
    if not console.is_terminal:
        return question
    room = max(console.width - _ANSWER, _ANSWER)
    lines = Text(question).wrap(console, room)
    return "\n".join(line.plain.rstrip() for line in lines)
