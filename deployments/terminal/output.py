"""How the command speaks: lines for people, one JSON document with `--json`."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pydantic_core import to_json
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.markup import escape
from rich.text import Text

from adspark.installation import current_folder
from adspark.text.terminal import SafeConsole, escape_unprintable, plain
from deployments.terminal.documents import Document, ErrorDocument, NoteDocument
from deployments.terminal.speech import speaks_json

NARROWEST = 30  # characters of a column with text; in less nobody reads a sentence
INDENT = 2  # blanks before a text below its row, and before a line that goes on
ENDLESS = 10_000  # characters of a terminal that holds every row


class _Output(SafeConsole):
    """A terminal is as wide as it is; what is no terminal, as wide as its lines, which programs
    then get whole. COLUMNS bounds both."""

    @property  # type: ignore[misc]
    def size(self) -> ConsoleDimensions:
        """Columns and lines."""
        found = super().size
        if self.is_terminal or self._width is not None or os.environ.get("COLUMNS"):
            return found
        return ConsoleDimensions(ENDLESS, found.height)


if not os.environ.get("COLUMNS", "").strip("0"):  # no terminal has no column
    os.environ.pop("COLUMNS", None)
out = _Output(highlight=False)
err = SafeConsole(stderr=True, highlight=False)


def print_line(line: str) -> None:
    """Print a line; on a terminal it goes on at a word, a program gets it whole."""
    print_wrapped(out, line)


def print_wrapped(console: Console, line: str, *, indent: int | None = None) -> None:
    """The same on any console.

    Args:
        console: where.
        line: with Rich's markup. A word that is too long for a terminal stays whole, so that an
            address can be copied.
        indent: characters at its beginning below which it goes on; None: a bit further right than
            it begins.
    """
    if not console.is_terminal:
        console.print(line, soft_wrap=True)
        return
    for whole in Text.from_markup(line).split("\n", allow_blank=True):
        for part in _divide(whole, console.width, indent):
            console.print(part, soft_wrap=True)


def _divide(whole: Text, width: int, indent: int | None) -> Iterator[Text]:
    """The lines of a terminal that a line takes."""
    if whole.cell_len <= width:
        yield whole
        return
    start = len(whole.plain) - len(whole.plain.lstrip()) if indent is None else indent
    below = start + INDENT if indent is None else indent
    head, rest = whole[:start], whole[start:]
    for part in rest.divide(_line_starts(rest.plain, max(width - below, NARROWEST))):
        part.rstrip()
        yield Text.assemble(head, part)
        head = Text(" " * below)


def _line_starts(text: str, room: int) -> list[int]:
    """Where lines but the first begin, so that each has as many whole words as there is room."""
    starts, used = [], 0
    for word in re.finditer(r"\s*\S+", text):
        width = cell_len(word[0])
        if used and used + width > room:
            starts.append(word.end() - len(word[0].lstrip()))
            used, width = 0, cell_len(word[0].lstrip())
        used += width
    return starts


def print_error(message: str, *, field: str | None = None, exit_code: int = 1) -> None:
    """One line on standard error about what ends the command.

    Args:
        message: what went wrong.
        field: the option or argument that is wrong.
        exit_code: of the command.
    """
    document = ErrorDocument(message=message, field=field, exit_code=exit_code)
    _tell(f"[bold red]Error:[/] {escape(message)}", document)


def print_warning(message: str) -> None:
    """One line on standard error about what does not stop the command."""
    document = NoteDocument(level="warning", message=message)
    _tell(f"[yellow]Warning:[/] {escape(plain(message))}", document)


def print_note(message: str, *, style: str = "dim") -> None:
    """A line on standard error about what is going on, or what something will cost."""
    document = NoteDocument(level="info", message=message)
    _tell(f"[{style}]{escape(plain(message))}[/]", document)


def _tell(markup: str, document: Document) -> None:
    """On standard error: the document to a program, the markup to a person."""
    if speaks_json():
        _write(sys.stderr, document)
    else:
        print_wrapped(err, markup)


def print_activation() -> None:
    """How to call the command by its name, where the shell does not find it yet."""
    if shutil.which("adspark") is None:
        folder = Path(sys.executable).parent
        with suppress(ValueError):
            folder = folder.relative_to(current_folder())
        shown = shlex.quote(str(folder / "activate"))
        print_line(f"So that the shell finds adspark: source {escape(shown)}")


def print_json(document: Document) -> None:
    """One line of JSON on standard output, for programs: all that `--json` prints goes here."""
    _write(sys.stdout, document)


def _write(stream: TextIO, document: Document) -> None:
    stream.write(f"{escape_unprintable(to_json(document.as_json()).decode())}\n")
    stream.flush()  # a program reads it when it is told


def print_facts(
    facts: Mapping[str, object], *, width: int = 12, console: Console | None = None
) -> None:
    """A line for each fact that has a value, of several lines one below the other.

    Args:
        facts: by what they are.
        width: characters for that.
        console: None is standard output.
    """
    to = console or out
    for what, value in facts.items():
        if value not in (None, "", {}):
            for place, line in enumerate(plain(str(value)).split("\n")):
                head = "" if place else what
                fact = f"  {head:<{width}}{escape(line)}".rstrip()
                print_wrapped(to, fact, indent=width + INDENT)
