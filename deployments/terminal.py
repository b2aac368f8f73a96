"""The terminal: whatever is printed loses the characters that a terminal would obey or hide."""

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# Control characters: C0 but for the line's end, DEL, C1. A terminal would obey them.
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
# And what hides or turns other text: marks of the direction of writing, characters of no width,
# separators of lines, tags; and halves of surrogate pairs, which cannot be encoded.
_UNPRINTABLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def plain(text: str) -> str:
    """`text` as it reads, on as many lines, without what a terminal would obey or hide."""
    return _UNPRINTABLE.sub("", _CONTROLS.sub(" ", "\n".join(text.splitlines())))


def escape_unprintable(document: str) -> str:
    """A JSON document in which such characters are written as escapes: the same to a program."""
    return _UNPRINTABLE.sub(lambda found: _escape(found[0]), document)


class SafeConsole(Console):
    """A console through which nothing unprintable passes, whoever made it.

    Rich's own control sequences (colours, cursor, links) are made after this and still work.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of a renderable, cleaned."""
        for segment in super().render(renderable, options):
            if segment.control or not _UNPRINTABLE.search(segment.text):
                yield segment
            else:
                yield Segment(_UNPRINTABLE.sub("", segment.text), segment.style)


def _escape(character: str) -> str:
    code = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{code[i : i + 2].hex()}" for i in range(0, len(code), 2))
