"""Pictures as base64 within a text: bare or as a data: address, on one line or on many."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHARACTERS = 1_000_000
"""Of all texts of one answer that are looked at, pictures aside; nothing else runs meanwhile."""

_MOST = 100  # pictures of one text
_KNOWN = r"iVBORw0KGgo|/9j/|R0lGOD|UklGR|AAAA\wGZ0eXBhdm"  # PNG, JPEG, GIF, WebP, AVIF
_HEADER = r"""[dD][aA][tT][aA]:[^,\s()<>"']{0,200},[ \t]?\r?\n?"""
_BEGINNING = re.compile(
    rf"{_HEADER}(?={_KNOWN})|(?=(?i:data:image/)(?!(?i:svg))){_HEADER}|(?<![\w+/=-])(?={_KNOWN})"
)
_CONTENT = re.compile(r"[A-Za-z0-9+/_%=-]{24,}")
_NEXT_LINE = re.compile(r"[ \t]{0,9}\r?\n[ \t]{0,9}([A-Za-z0-9+/_-]+={0,2})(?![^\s\"'`)])")
_LINE = range(40, 201)  # characters of a line that was wrapped; most have 64 or 76
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")  # as the copy's next line may be


@dataclass(frozen=True)
class Embedded:
    """One picture of a text: from `start` to before `end`."""

    start: int
    end: int


def find_embedded(text: str, most: int = MOST_CHARACTERS) -> Iterator[Embedded]:
    """Where the pictures of a text are, in their order, up to so many other characters."""
    position, left = 0, most
    for _ in range(_MOST):
        if not (begun := _BEGINNING.search(text, position, position + left)):
            return
        left -= begun.start() - position
        position = max(begun.end(), begun.start() + 1)
        if content := _CONTENT.match(text, begun.end()):
            position = _end_of_lines(text, content)
            yield Embedded(begun.start(), position)


def without_embedded(text: str) -> str:
    """A text without these pictures."""
    kept, position = [], 0
    for picture in find_embedded(text):
        kept.append(text[position : picture.start])
        position = picture.end
    return "".join([*kept, text[position:]])


def cut_words(text: str, most: int) -> tuple[str, int]:
    """A text up to where its words, which its pictures are not, exceed `most` characters.

    The number of these characters comes with it.
    """
    words, position = 0, 0
    for picture in find_embedded(text, most):
        if words + picture.start - position > most:
            break
        words += picture.start - position
        position = picture.end
    cut = text[: position + most - words]
    return cut, words + len(cut) - position


def _end_of_lines(text: str, first: re.Match[str]) -> int:
    """Where base64 ends that may go on over lines of one length, of which the last is shorter."""
    end, width = first.end(), 0
    is_wrapped = len(first[0]) in _LINE
    while is_wrapped and text[end - 1] != "=" and (line := _NEXT_LINE.match(text, end)):
        length = len(line[1])
        width = width or max(length, len(first[0]))
        is_last = length < width
        if length > width or (is_last and (length % 4 or _WORD.fullmatch(line[1]))):
            break
        end = line.end(1)
        if is_last:
            break
    return end
