"""The terminal: whatever is printed loses the characters that a terminal would obey or hide."""

import re
from collections.abc import Iterable

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from adspark.text.shortened import shorten
from adspark.text.visible import CONTROLS, FLAG, HIDDEN, blank_controls, drop_hidden

_OBEYED = re.compile(f"[{CONTROLS}\u2028\u2029]")
# The same, and what hides or turns other text; of that also joiners and isolates. What it finds in
# a flag is the flag, which stays.
_UNPRINTABLE = re.compile(f"({FLAG})|[{CONTROLS}{HIDDEN}\u200c\u200d\u2028\u2029\u2068\u2069]")


def plain(text: str) -> str:
    """`text` as it reads, on as many lines, without what a terminal would obey or hide.

    Joiners stay where they join, as in emoji and in Persian words.
    """
    return drop_hidden(blank_controls("\n".join(text.splitlines())))


def fit(text: str, columns: int) -> str:
    """`text` on one line of a terminal, cut where it takes more columns than these."""
    return shorten(plain(text), columns, cell_len)


def escape_unprintable(document: str) -> str:
    """A JSON document in which such characters are written as escapes: the same to a program."""
    return _UNPRINTABLE.sub(lambda found: found[1] or _escape(found[0]), document)


class SafeConsole(Console):
    """A console through which nothing unprintable passes, whoever made it.

    Rich's own control sequences (colours, cursor, links) are made after this and still work.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of a renderable, cleaned."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(drop_hidden(_OBEYED.sub("", segment.text)), segment.style)


def _escape(character: str) -> str:
    code = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{code[i : i + 2].hex()}" for i in range(0, len(code), 2))
