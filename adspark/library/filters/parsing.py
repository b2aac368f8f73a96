"""The filters of a search as people write them: days, sizes, aspects, domains."""

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator

from adspark.errors import InvalidQueryError
from adspark.library.filters.definition import ASPECTS

_SIZE = re.compile(r"\s*(\d{1,5})\s*[x×*]\s*(\d{1,5})\s*", re.IGNORECASE | re.ASCII)
_RATIO = re.compile(r"\s*(\d{1,4}(?:\.\d{1,3})?)\s*:\s*(\d{1,4}(?:\.\d{1,3})?)\s*", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_day(field: str, written: str | None) -> date | None:
    """A day as YYYY-MM-DD, in ASCII's digits.

    Raises:
        InvalidQueryError: it is none; names the field.
    """
    if written is None:
        return None
    if not _DAY.fullmatch(day := written.strip()):
        raise InvalidQueryError(field, f"{written[:40]!r} is not a day; write it as 2026-08-31.")
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise InvalidQueryError(field, f"the calendar has no {day}; name another day.") from None


def _read_day(written: object) -> object:
    """A day in text, in the words of `parse_day` where it is none; no number of seconds is one."""
    if isinstance(written, date):
        return written
    try:
        return parse_day("day", str(written))
    except InvalidQueryError as error:
        raise ValueError(error.sentence) from None


Day = Annotated[date, BeforeValidator(_read_day)]
"""A day that programs send, as 2026-08-01."""


def check_order(field: str, first: date | None, last: date | None) -> None:
    """Raise InvalidQueryError where a range's last day lies before its first.

    Args:
        field: what both bounds begin with, such as `first` of `first-from` and `first-to`.
        first: None: from ever.
        last: None: until ever.
    """
    if first and last and last < first:
        raise InvalidQueryError(
            f"{field}-to", f"{last} lies before {field}-from {first}; swap them."
        )


def parse_size(written: str | None) -> tuple[int, int] | None:
    """Width and height, as `300x250`.

    Raises:
        InvalidQueryError: it is none.
    """
    if written is None:
        return None
    found = _SIZE.fullmatch(written)
    if found is None:
        raise InvalidQueryError(
            "size", f"{written[:40]!r} is not a size; write width and height as 300x250."
        )
    width, height = int(found[1]), int(found[2])
    if not (width and height):
        raise InvalidQueryError(
            "size", f"{written[:40]!r} has no area; write width and height from 1 on, as 300x250."
        )
    return width, height


def parse_aspect(written: str | None) -> str | None:
    """`landscape`, `portrait`, `square` or a ratio such as `16:9`.

    Raises:
        InvalidQueryError: it is none.
    """
    if written is None:
        return None
    name = written.strip().lower()
    ratio = _RATIO.fullmatch(name)
    if name in ASPECTS or (ratio and float(ratio[1]) and float(ratio[2])):
        return name
    raise InvalidQueryError(
        "aspect", f"{written[:40]!r} is not one of {', '.join(ASPECTS)}, or a ratio as 16:9."
    )


def parse_domain(written: str | None) -> str | None:
    """A domain, also where a whole address is written; without `www.`.

    Raises:
        InvalidQueryError: it is none.
    """
    if written is None:
        return None
    host = re.sub(r"^[a-z]+://", "", written.strip().lower()).split("/")[0].split(":")[0]
    host = host.removeprefix("www.").rstrip(".")
    if "." not in host or not re.fullmatch(r"[^\s'\"\\@]+", host):
        raise InvalidQueryError(
            "domain", f"{written[:40]!r} is not a domain; write it as example.com."
        )
    return host
