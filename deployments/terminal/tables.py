"""Tables for people, as wide as the terminal lets them be, and how their cells are written."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from adspark.text.terminal import plain
from deployments.terminal.output import ENDLESS, INDENT, NARROWEST, out

_MINUTES = 120.0  # seconds from which a time is shown in minutes
_CLOCKS_DIFFER = 5  # minutes, of this machine and of the database's
_GAP = 2  # blanks between two columns that stand close


def table(
    title: str,
    rows: Sequence[Mapping[str, object]],
    *,
    wraps: str = "advertiser",
    cuts: str | None = None,
) -> RenderableType:
    """Rows under the headings of the first one; numbers stand right, and a list has several lines.

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
    longest = max(cell_len(_cell(text)) for text in texts)
    if room >= max(cell_len(name), min(NARROWEST, longest)):
        cut = None if cuts is None else (cuts, room)
        return _draw(title, rows, wraps=wraps, cut=cut, is_close=True)
    if name not in rows[0]:
        return bare
    heights = [max(map(_height, row.values()), default=1) for row in others]
    return _interleave(bare, heights, texts, is_cut=cuts is not None)


def _interleave(
    bare: Table, heights: Sequence[int], texts: Sequence[object], *, is_cut: bool
) -> RenderableType:
    """A table whose rows take so many lines each, and below each row its text."""
    lines = [Segments([*line, Segment.line()]) for line in out.render_lines(bare, pad=False)]
    begin = len(lines) - sum(heights)
    parts: list[RenderableType] = [*lines[:begin]]
    for height, text in zip(heights, texts, strict=True):
        parts += lines[begin : begin + height]
        begin += height
        if text is not None:
            below = Text(_cell(text), no_wrap=is_cut, overflow="ellipsis" if is_cut else "fold")
            parts.append(Padding(below, (0, 0, 0, INDENT)))
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
    """A value on one line, whatever its text holds; a list has a line for each of its values."""
    if isinstance(value, list):
        return "\n".join(map(_cell, value))
    return "–" if value is None else plain(str(value)).replace("\n", " ")


def _height(value: object) -> int:
    """The lines of a cell that does not wrap."""
    return max(1, len(value)) if isinstance(value, list) else 1


def _width(made: Table) -> int:
    """How wide it would like to be."""
    return made.__rich_measure__(out, out.options.update(max_width=ENDLESS)).maximum


def moment(then: datetime) -> str:
    """A time of any time zone, in UTC to the minute."""
    return f"{then.astimezone(UTC):%Y-%m-%d %H:%M}"


def day(then: datetime | None) -> str | None:
    """The day of a time (UTC)."""
    return None if then is None else f"{then:%Y-%m-%d}"


def age(then: datetime | None) -> str | None:
    """How long ago, in the largest unit of which it is more than one or two.

    A time that has not come was written while a clock was wrong.
    """
    if then is None:
        return None
    minutes = int((datetime.now(UTC) - then).total_seconds() / 60)
    if minutes < -_CLOCKS_DIFFER:
        return "in the future"
    minutes = max(minutes, 0)
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
