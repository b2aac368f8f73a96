"""How the command speaks: tables and lines for people, one JSON document with `--json`."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from pydantic_core import to_json
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from adspark.text.terminal import SafeConsole, escape_unprintable, plain
from deployments.terminal.documents import Document, ErrorDocument, NoteDocument
from deployments.terminal.speech import speaks_json

_MINUTES = 120.0  # seconds from which a time is shown in minutes
_NARROWEST = 30  # characters of a column with text; in less nobody reads a sentence
_INDENT = 2  # blanks before a text below its row
_GAP = 2  # blanks between two columns that stand close
_ENDLESS = 10_000  # characters of a terminal that holds every row


class _Output(SafeConsole):
    """A terminal is as wide as it is; what is no terminal, as wide as its lines, which programs
    then get whole. COLUMNS bounds both."""

    @property  # type: ignore[misc]
    def size(self) -> ConsoleDimensions:
        """Columns and lines."""
        found = super().size
        if self.is_terminal or self._width is not None or os.environ.get("COLUMNS"):
            return found
        return ConsoleDimensions(_ENDLESS, found.height)


out = _Output(highlight=False)
err = SafeConsole(stderr=True, highlight=False)


def print_line(line: str) -> None:
    """Print a line; on a terminal it goes on at a word, a program gets it whole."""
    print_wrapped(out, line)


def print_wrapped(console: Console, line: str, *, indent: int = 0) -> None:
    """The same on any console.

    Args:
        console: where.
        line: with Rich's markup. A word that is too long for a terminal stays whole, so that an
            address can be copied.
        indent: characters at its beginning below which it goes on.
    """
    if not console.is_terminal:
        console.print(line, soft_wrap=True)
        return
    whole = Text.from_markup(line)
    head, lines = whole[:indent], whole[indent:].split("\n", allow_blank=True)
    room = max(console.width - indent, _NARROWEST)
    for one in lines:
        for part in one.divide(_line_starts(one.plain, room)):
            part.rstrip()
            console.print(Text.assemble(head, part), soft_wrap=True)
            head = Text(" " * indent)


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
    if speaks_json():
        _write(sys.stderr, ErrorDocument(message=message, field=field, exit_code=exit_code))
        return
    print_wrapped(err, f"[bold red]Error:[/] {escape(message)}")


def print_warning(message: str) -> None:
    """One line on standard error about what does not stop the command."""
    if speaks_json():
        _write(sys.stderr, NoteDocument(level="warning", message=message))
        return
    print_wrapped(err, f"[yellow]Warning:[/] {escape(plain(message))}")


def print_note(message: str, *, style: str = "dim") -> None:
    """A line on standard error about what is going on, or what something will cost."""
    if speaks_json():
        _write(sys.stderr, NoteDocument(level="info", message=message))
        return
    print_wrapped(err, f"[{style}]{escape(plain(message))}[/]")


def print_activation() -> None:
    """How to call the command by its name, where the shell does not find it yet."""
    if shutil.which("adspark") is None:
        folder = Path(sys.executable).parent
        with suppress(ValueError):
            folder = folder.relative_to(Path.cwd())
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
                print_wrapped(to, fact, indent=width + _INDENT)


def table(
    title: str,
    rows: Sequence[Mapping[str, object]],
    *,
    wraps: str = "advertiser",
    cuts: str | None = None,
) -> RenderableType:
    """Rows under the headings of the first one; numbers stand right.

    Where the terminal is too narrow, columns stand closer; where that leaves the text of `wraps` or
    `cuts` no room to be read, it stands below its row instead; and where the others have no room
    either, each cell has a line of its own.

    Args:
        wraps: the only column whose text may take several lines.
        cuts: a column in its place whose text is cut off at the end of its line, where another
            command shows all of it.
    """
    made = _draw(title, rows, wraps=wraps, is_close=False)
    if _width(made) <= out.width:
        return made
    name = cuts or wraps
    others = [{head: cell for head, cell in row.items() if head != name} for row in rows]
    bare = _draw(title, others, is_close=True)
    if _width(bare) > out.width:
        return _stack(title, rows)
    room = out.width - _width(bare) - _GAP
    texts = [row.get(name) for row in rows]
    if room >= min(_NARROWEST, max(cell_len(_cell(text)) for text in texts)):
        cut = None if cuts is None else (cuts, room)
        return _draw(title, rows, wraps=wraps, cut=cut, is_close=True)
    return bare if name not in rows[0] else _interleave(bare, texts, is_cut=cuts is not None)


def _interleave(bare: Table, texts: Sequence[object], *, is_cut: bool) -> RenderableType:
    """A table whose rows take a line each, and below each row its text."""
    lines = out.render_lines(bare, pad=False)
    heads = len(lines) - len(texts)
    parts: list[RenderableType] = [Segments([*line, Segment.line()]) for line in lines[:heads]]
    for line, text in zip(lines[heads:], texts, strict=True):
        parts.append(Segments([*line, Segment.line()]))
        if text is not None:
            below = Text(_cell(text), no_wrap=is_cut, overflow="ellipsis" if is_cut else "fold")
            parts.append(Padding(below, (0, 0, 0, _INDENT)))
    return Group(*parts)


def _stack(title: str, rows: Sequence[Mapping[str, object]]) -> RenderableType:
    """A row below the other, and a line or more for each of its cells; nothing is cut."""
    width = max(cell_len(heading) for heading in rows[0])
    parts: list[RenderableType] = [Text(title, style="bold", overflow="fold")]
    for row in rows:
        made = Table(box=None, show_header=False, pad_edge=False, padding=(0, _GAP, 0, 0))
        made.add_column(no_wrap=True, min_width=min(width, out.width // 2))
        made.add_column(overflow="fold")
        for heading, cell in row.items():
            made.add_row(escape(heading), escape(_cell(cell)))
        parts += [made, Text("")]
    return Group(*parts[:-1])


def empty_table(title: str | None = None) -> Table:
    """A table in the style of all of them, without columns."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    made.padding, made.pad_edge, made.show_edge = (0, 2, 0, 0), False, False
    return made


def _draw(
    title: str,
    rows: Sequence[Mapping[str, object]],
    *,
    wraps: str | None = None,
    cut: tuple[str, int] | None = None,
    is_close: bool,
) -> Table:
    """The table as Rich has it; `cut` is a column, and the characters that it may have."""
    made = empty_table(title)
    if is_close:
        made.padding = (0, 1, 0, 0)
    for heading in rows[0] if rows else ():
        number = all(isinstance(row[heading], int | float | None) for row in rows)
        made.add_column(
            heading,
            justify="right" if number else "left",
            no_wrap=heading != wraps,
            overflow="fold" if heading == wraps else "ellipsis",
            max_width=cut[1] if cut and heading == cut[0] else None,
        )
    for row in rows:
        made.add_row(*(escape(_cell(cell)) for cell in row.values()))
    return made


def _cell(value: object) -> str:
    return "–" if value is None else str(value)


def _width(made: Table) -> int:
    """How wide it would like to be."""
    return made.__rich_measure__(out, out.options.update(max_width=_ENDLESS)).maximum


def moment(then: datetime) -> str:
    """A time (UTC) to the minute."""
    return then.strftime("%Y-%m-%d %H:%M")


def age(then: datetime | None) -> str | None:
    """How long ago, in the largest unit of which it is more than one or two."""
    if then is None:
        return None
    minutes = int((datetime.now(UTC) - then).total_seconds() // 60)
    if minutes < 2 * 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 2 * 24 else f"{hours // 24} d"


def seconds_or_minutes(seconds: float) -> str:
    """A short time, in minutes from two of them on."""
    return f"{seconds:.0f} s" if seconds < _MINUTES else f"{seconds / 60:.0f} min"


def late_runs(number: int, oldest: float | None) -> str:
    """How many runs are late, and in parentheses for how many seconds the oldest is."""
    return str(number) if oldest is None else f"{number} ({seconds_or_minutes(oldest)})"
