"""Texts that are too long for their place, cut so that as much of them is left as there is room."""

import unicodedata
from collections.abc import Callable
from itertools import accumulate

_END = "…"
_JOINER = "\u200d"
_BEFORE_END = " \n\t,;:–-\u200c"  # what does not stand before it


def shorten(text: str, most: int, measure: Callable[[str], int] = len) -> str:
    """A text on one line, cut as `cut` does.

    Args:
        text: of any length.
        most: as `measure` gives them.
        measure: how much room a text takes: its characters, or its columns on a terminal.
    """
    return cut(" ".join(text.split()), most, measure)


def cut(text: str, most: int, measure: Callable[[str], int] = len) -> str:
    """A text as it is, or its beginning: after a word, or where that would leave less than half of
    the room used, as in Japanese, which has no blanks, within one.

    Args:
        text: of any length.
        most: as `measure` gives them.
        measure: how much room a text takes: its characters, or its columns on a terminal.
    """
    if measure(text) <= most:
        return text
    room = most - len(_END)
    taken = accumulate(map(measure, text))
    end = next((place for place, width in enumerate(taken) if width > room), len(text))
    head = text[: _before_marks(text, end)]
    words = head if text[end : end + 1].isspace() else _without_last_word(head)
    kept = words if measure(words) * 2 >= room else head
    return f"{kept.rstrip(_BEFORE_END) or kept}{_END}"


def _before_marks(text: str, end: int) -> int:
    """Where a text can be cut at the latest without parting a character from its marks, or from
    those that it is joined with."""
    place = end
    while 0 < place < len(text) and _belongs(text[place - 1], text[place]):
        place -= 1
    return place or end


def _belongs(before: str, after: str) -> bool:
    return _JOINER in (before, after) or unicodedata.category(after)[0] == "M"


def _without_last_word(text: str) -> str:
    words = text.rsplit(maxsplit=1)
    return words[0] if len(words) > 1 else ""
