"""Whole numbers as they are typed."""

from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticKnownError

_MOST_DIGITS = 40  # no bound is that far off, so that the beginning of a longer one is enough


def read_whole(written: str) -> int | None:
    """The whole number, or of one with very many digits one that is out of all bounds as well;
    None where it is none."""
    digits = written.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        return None
    number = int(digits.lstrip("0")[:_MOST_DIGITS] or "0")
    return -number if digits != written else number


def _whole(value: Any) -> Any:  # noqa: ANN401  (whatever was sent)
    if not isinstance(value, str):
        return value
    if (number := read_whole(value)) is None:
        raise PydanticKnownError("int_parsing")
    return number


Whole = Annotated[int, BeforeValidator(_whole)]
"""A number that programs send: of texts, `int` alone would also take 1_000 and 1.0."""
