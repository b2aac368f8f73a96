"""The fields of an ad on Google's surfaces: how many characters they take, and which a copy has.

Source: https://support.google.com/google-ads/answer/7684791 (responsive search ads) and
https://support.google.com/google-ads/answer/9848689 (responsive display ads).
"""

import re
import unicodedata
from enum import StrEnum

from pydantic import BaseModel

_LABEL = re.compile(
    r"\s*[#>*_\-\s]*((?:short |long )?headline|title|description|body|path|business name)"
    r"\s*\d*\s*[*_]*\s*[::][*_]*\s*(.*)",
    re.IGNORECASE,
)
_AROUND = "#>*_- \t"  # Markdown around a line
_WIDE = ("W", "F")


class Surface(StrEnum):
    """Where an ad is shown."""

    RESPONSIVE_SEARCH = "responsive_search"
    DISPLAY = "display"


class Field(StrEnum):
    """A part of an ad."""

    HEADLINE = "headline"
    SHORT_HEADLINE = "short_headline"
    LONG_HEADLINE = "long_headline"
    DESCRIPTION = "description"
    PATH = "path"
    BUSINESS_NAME = "business_name"


GOOGLES_LIMITS: dict[Surface, dict[Field, int]] = {
    Surface.RESPONSIVE_SEARCH: {Field.HEADLINE: 30, Field.DESCRIPTION: 90, Field.PATH: 15},
    Surface.DISPLAY: {
        Field.SHORT_HEADLINE: 30,
        Field.LONG_HEADLINE: 90,
        Field.DESCRIPTION: 90,
        Field.BUSINESS_NAME: 25,
    },
}
"""Characters of each field, as Google takes them."""

_NAMES = {
    "title": Field.HEADLINE,
    "short headline": Field.HEADLINE,
    "body": Field.DESCRIPTION,
    "long headline": Field.LONG_HEADLINE,
    "business name": Field.BUSINESS_NAME,
}


class Part(BaseModel):
    """One field of a copy."""

    field: Field
    text: str


def split_copy(copy: str) -> list[Part]:
    """The fields of a copy, in order.

    Lines that name their field (`Headline: …`, `Path: …`) are that field. Of a copy that names
    none, the first line is a headline; all other lines are descriptions, one each.
    """
    lines = [line for line in copy.splitlines() if line.strip(_AROUND)]
    labelled = [_LABEL.fullmatch(line) for line in lines]
    names_any = any(labelled)
    parts = []
    for at, (line, label) in enumerate(zip(lines, labelled, strict=True)):
        if label is None:
            field = Field.HEADLINE if at == 0 and not names_any else Field.DESCRIPTION
            parts.append(Part(field=field, text=line.strip(_AROUND)))
            continue
        name, text = label[1].lower(), label[2].strip(_AROUND)
        field = _NAMES.get(name) or Field(name)
        texts = text.split("/") if field is Field.PATH else [text]
        parts += [Part(field=field, text=one.strip()) for one in texts if one.strip()]
    return parts


def count_characters(text: str) -> int:
    """The characters of a text as Google counts them: those of double width count twice."""
    composed = unicodedata.normalize("NFC", text.strip())
    return sum(2 if unicodedata.east_asian_width(one) in _WIDE else 1 for one in composed)
