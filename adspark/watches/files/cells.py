"""A cell as people and spreadsheets write it, read as what its field holds."""

import re
from collections.abc import Callable

from adspark.errors import InvalidQueryError
from adspark.validation.names import clean_value
from adspark.validation.numbers import read_whole
from adspark.watches.definition import WatchDefinition

_SHOWN = 40  # characters of a cell that is refused
# Also as spreadsheets of other languages save a cell that holds TRUE or FALSE.
_YES = {"true", "yes", "y", "on", "1", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar"}
_NO = {"false", "no", "n", "off", "0", "falsch", "faux", "falso", "onwaar"}
_WHOLE = re.compile(r"(\d+)[.,]0{1,2}")  # 60.0: a whole number as spreadsheets save it
_GROUPED = re.compile(
    r"\d{1,3}(?:( )\d{3}(?: \d{3})*|(\.)\d{3}(?:\.\d{3})*(?:,0+)|(,)\d{3}(?:,\d{3})*(?:\.0+))"
)
_EITHER = re.compile(r"\d{1,3}([.,]\d{3})+")  # 1.000: a thousand in some countries, one in others


def reader_of(field: str) -> Callable[[str, object], object]:
    """What reads the cells of a field; it raises InvalidQueryError for what it cannot read."""
    kind = WatchDefinition.model_fields[field].annotation
    if kind in (int, int | None):
        return _number
    readers = {"name": _text, "region": _region, "advertiser_ids": _ids}
    return _flag if kind is bool else readers.get(field, _value)


def _ids(field: str, value: object) -> list[str]:
    parts = value if isinstance(value, list) else [value]
    return [one for part in parts for one in re.split(r"[\s,;]+", _value(field, part)) if one]


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidQueryError(field, "holds a list or a mapping; write one value.")
    return value


def _value(field: str, value: object) -> str:
    """A text that is no name, in which nothing hides."""
    return clean_value(_text(field, value))


def _region(field: str, value: object) -> str:
    """A region; its code may have become a number in a spreadsheet."""
    written = _value(field, value)
    whole = _WHOLE.fullmatch(written)
    return whole[1] if whole else written


def _number(field: str, value: object) -> int:
    written = digits = _value(field, value)
    if whole := _WHOLE.fullmatch(written):
        digits = whole[1]
    elif _GROUPED.fullmatch(written):
        digits = re.sub(r"[.,]0+$|[ .,]", "", written.replace(" ", ""))
    elif _EITHER.fullmatch(written):
        raise InvalidQueryError(
            field,
            f"{written!r} is one number in some countries and another in others; write it without "
            "separators.",
        )
    if (number := read_whole(digits)) is None:
        raise InvalidQueryError(field, f"{written[:_SHOWN]!r} is not a whole number.")
    return number


def _flag(field: str, value: object) -> bool:
    written = _value(field, value).casefold()
    if whole := _WHOLE.fullmatch(written):
        written = whole[1]
    if written in _YES | _NO:
        return written in _YES
    raise InvalidQueryError(field, f"{value!r} is neither yes nor no; write one of them.")
