"""The lines of a copy, each with the field of an ad that it is said to be."""

import re
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
_HEADING = re.compile(rf"\s*[#*]+\s*{_NAME}", re.IGNORECASE)
_MARKUP_BEFORE = re.compile(r"^(?:[#>•*–-]+\s+)*[*_#>]*\s*")  # a minus before a number stays
_MARKUP_BEHIND = re.compile(r"[*_\s]+$")


@dataclass(frozen=True)
class Line:
    """A line without its label; `field` is None where it has none, and stands below none."""

    field: Field | None
    text: str


def read_lines(copy: str) -> list[Line]:
    """The lines with a text, in order.

    One that names its field (`Headline: …`, `**Title 2:** …`) is that field. Where nothing stands
    behind the name, the lines below are, up to the next name.
    """
    found, below = list[Line](), None
    for written in visible(copy).split("\n"):
        line = _bare(written)
        label = _LABEL.fullmatch(line) or _HEADING.fullmatch(written)
        text = line if label is None else _bare(label.groupdict().get("text") or "")
        field = below if label is None else _FIELDS[label["name"].lower()]
        if label is not None:
            below = None if text else field
        if text:
            found.append(Line(field, text))
    return found


def _bare(written: str) -> str:
    return _MARKUP_BEHIND.sub("", _MARKUP_BEFORE.sub("", written.strip()))
