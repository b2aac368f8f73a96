"""Parse the JSON of services: bounded, and without what no database can hold.

A single odd value must not cost the rest of its response. So a number that is none (NaN, Infinity)
or that is too long becomes text, what lies too deep a note, and NUL and halves of a character
U+FFFD.
"""

import json
import math
import re
from functools import lru_cache

from pydantic import JsonValue, SecretStr

from adspark.text.redactor import Redactor
from adspark.text.storable import clean_text

MAX_VALUES = 500_000
"""Of a document, reckoned by its commas and brackets; a page of 100 ads has 1,500."""

_MAX_DEPTH = 40  # levels that are kept; real responses have six
_LONGEST_NUMBER = 40  # digits; Python refuses to read more than 4300, columns hold 19
_NESTED = (list, dict)
_TOO_DEEP = "(nested too deep)"
# How a document writes NUL, or half of what it writes in two halves.
_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class UnreadableJsonError(ValueError):
    """The response is not JSON, has too many values, or is nested without end."""


def parse_json(content: bytes, *, secret: SecretStr | None = None) -> JsonValue:
    """A document as dictionaries, lists and values that can be stored.

    What is not UTF-8 is read as U+FFFD; the request's `secret`, which may be echoed, is redacted.

    Raises:
        UnreadableJsonError: it is not a JSON document, or has more values than any real one.
    """
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise UnreadableJsonError(f"more than {MAX_VALUES} values")
    text = content.decode("utf-8-sig", "replace")
    try:
        parsed: JsonValue = json.loads(
            text,
            strict=False,  # a line's end within a text is no reason to lose the rest
            parse_constant=str,
            parse_float=_read_float,
            parse_int=_read_int,
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableJsonError(str(error)) from error
    redactor = _redactor(secret.get_secret_value().strip()) if secret else None
    if redactor and not redactor.holds(text):
        redactor = None
    if redactor is None and _is_storable(text, parsed):
        return parsed
    return _clean(parsed, _MAX_DEPTH, redactor)


def parse_object(content: bytes, *, secret: SecretStr | None = None) -> dict[str, JsonValue] | None:
    """A document that is an object, as `parse_json` reads it; None where it is anything else."""
    try:
        parsed = parse_json(content, secret=secret)
    except UnreadableJsonError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _read_float(written: str) -> float | str:
    number = float(written)
    return number if math.isfinite(number) else written[:_LONGEST_NUMBER]


def _read_int(written: str) -> int | str:
    return int(written) if len(written) <= _LONGEST_NUMBER else written[:_LONGEST_NUMBER]


@lru_cache(maxsize=8)
def _redactor(secret: str) -> Redactor:
    return Redactor(secret)


def _is_storable(text: str, parsed: JsonValue) -> bool:
    """Whether nothing has to be cleaned, as in most documents, which are then not copied."""
    return "\0" not in text and not _UNSTORABLE.search(text) and not _is_deep(parsed)


def _is_deep(parsed: JsonValue) -> bool:
    """Whether a list or an object lies deeper than what is kept."""
    level = [parsed] if isinstance(parsed, _NESTED) else []
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, _NESTED)
        ]
    return bool(level)


def _clean(value: JsonValue, levels: int, redactor: Redactor | None, name: str = "") -> JsonValue:
    if isinstance(value, str):
        return _clean_text(name, value, redactor)
    if isinstance(value, list | dict) and not levels:
        return _TOO_DEEP
    if isinstance(value, list):
        return [_clean(item, levels - 1, redactor) for item in value]
    if isinstance(value, dict):
        return {
            _clean_text("", key, redactor): _clean(item, levels - 1, redactor, key)
            for key, item in value.items()
        }
    return value


def _clean_text(name: str, written: str, redactor: Redactor | None) -> str:
    text = clean_text(written)
    return redactor.redact_field(name, text) if redactor else text
