"""The fields of an ad on Google's surfaces: how many characters they take, and which a copy has.

Source: https://support.google.com/google-ads/answer/7684791 (responsive search ads) and
https://support.google.com/google-ads/answer/9848689 (responsive display ads).
"""

import unicodedata
from enum import StrEnum

from pydantic import BaseModel

from adspark.rules.copy_lines import Field, read_lines
from adspark.text.normalized import normalize
from adspark.text.visible import visible

_WIDE = ("W", "F")


class Surface(StrEnum):
    """Where an ad is shown."""

    RESPONSIVE_SEARCH = "responsive_search"
    DISPLAY = "display"


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


class Part(BaseModel):
    """One field of a copy."""

    field: Field
    text: str


def split_copy(copy: str) -> list[Part]:
    """The fields of a copy, in order.

    Of a copy that names none, the first line is a headline; all other lines without a name are
    descriptions, one each.
    """
    lines = read_lines(copy)
    names_any = any(one.field for one in lines)
    parts = []
    for at, line in enumerate(lines):
        usual = Field.HEADLINE if at == 0 and not names_any else Field.DESCRIPTION
        field = line.field or usual
        texts = line.text.split("/") if field is Field.PATH else [line.text]
        parts += [Part(field=field, text=one.strip()) for one in texts if one.strip()]
    return parts


def field_of_copy(field: Field) -> Field:
    """What `split_copy` calls a field of a surface."""
    return Field.HEADLINE if field is Field.SHORT_HEADLINE else field


def count_characters(text: str) -> int:
    """The characters of a text as Google counts them: those of double width count twice."""
    composed = normalize("NFC", visible(text).strip())
    return sum(2 if unicodedata.east_asian_width(one) in _WIDE else 1 for one in composed)
