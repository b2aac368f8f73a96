"""The lines of a copy, each with the field of an ad that it is said to be."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from adspark.text.visible import visible


class Field(StrEnum):
    """A part of an ad."""

    HEADLINE = "headline"
    SHORT_HEADLINE = "short_headline"
    LONG_HEADLINE = "long_headline"
    DESCRIPTION = "description"
    PATH = "path"
    BUSINESS_NAME = "business_name"


_FIELDS = {
    "headline": Field.HEADLINE,
    "title": Field.HEADLINE,
    "short headline": Field.HEADLINE,
    "call to action": Field.HEADLINE,
    "cta": Field.HEADLINE,
    "long headline": Field.LONG_HEADLINE,
    "description": Field.DESCRIPTION,
    "body": Field.DESCRIPTION,
    "text": Field.DESCRIPTION,
    "path": Field.PATH,
    "business name": Field.BUSINESS_NAME,
}
_NAME = rf"(?:[0-9]{{1,2}}[.)]\s*[*_]*)?(?P<name>{'|'.join(_FIELDS)})s?\s*[0-9]*\s*[*_]*\s*"
_LABEL = re.compile(rf"{_NAME}[:\uff1a][*_]*(?P<text>.*)", re.IGNORECASE)
_LABEL_WITHIN = re.compile(rf"\b(?:{'|'.join(_FIELDS)})\s*[0-9]+\s*[:\uff1a]", re.IGNORECASE)
_HEADING = re.compile(rf"\s*(?:[0-9]{{1,2}}[.)]\s*)?[#*]+\s*{_NAME}", re.IGNORECASE)
_MARKUP_BEFORE = re.compile(r"^(?:[#>•*–-]+\s+)*[*_#>]*\s*")  # a minus before a number stays
_NUMBER = re.compile(r"([0-9]{1,2})[.)][*_]*\s+")
_MARKUP_BEHIND = re.compile(r"[*_\s]+$")


@dataclass(frozen=True)
class Line:
    """A line without its label; `field` is None where it has none, and stands below none."""

    field: Field | None
    text: str

    @property
    def holds_another(self) -> bool:
        """Whether another field begins within it, as in `Sun Headline 2: Sea`."""
        return _LABEL_WITHIN.search(self.text) is not None


def read_lines(copy: str) -> list[Line]:
    """The lines with a text, in order.

    One that names its field (`Headline: …`, `**Title 2:** …`) is that field. Where nothing stands
    behind the name, the lines below are, up to the next name. The numbers of a list are left out.
    """
    found, below = list[Line](), None
    lines = [one for one in visible(copy).split("\n") if one.strip()]
    for written, line in zip(lines, _without_numbers(lines), strict=True):
        label = _LABEL.fullmatch(line) or _HEADING.fullmatch(written)
        text = line if label is None else _bare(label.groupdict().get("text") or "")
        field = below if label is None else _FIELDS[label["name"].lower()]
        if label is not None:
            below = None if text else field
        if text:
            found.append(Line(field, text))
    return found


def _without_numbers(written: Sequence[str]) -> list[str]:
    """The bare lines; a list's have no number.

    Lines that count up from 1 are a list. A number by itself is part of the text, as in
    `24. December` and `1. FC Köln`.
    """
    lines = [_bare(one) for one in written]
    numbers = [int(found[1]) if (found := _NUMBER.match(one)) else 0 for one in lines]
    due = 0  # the number with which a list goes on; 0: there is none
    for at, number in enumerate(numbers):
        is_first = number == 1 and numbers[at + 1 : at + 2] == [2]
        is_listed = is_first or (due > 0 and number == due)
        due = number + 1 if is_listed else 0
        if is_listed:
            lines[at] = _bare(_NUMBER.sub("", lines[at], count=1))
    return lines


def _bare(written: str) -> str:
    return _MARKUP_BEHIND.sub("", _MARKUP_BEFORE.sub("", written.strip()))
