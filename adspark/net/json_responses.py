"""Parse the JSON of services: bounded, and without what no database can hold.

A single odd value must not cost the rest of its response. So a number that is none (NaN, Infinity)
or that is too long becomes text, what lies too deep a note, and NUL and halves of a character
U+FFFD.
"""

import json
import math
from collections.abc import Callable

from pydantic import JsonValue, SecretStr

from adspark.text.redactor import Redactor
from adspark.text.storable import clean_text

MAX_VALUES = 500_000
"""Of a document, reckoned by its commas and brackets; a page of 100 ads has 1,500."""

_MAX_DEPTH = 40  # levels that are kept; real responses have six
_LONGEST_NUMBER = 40  # digits; Python refuses to read more than 4300, columns hold 19
_TOO_DEEP = "(nested too deep)"


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
    clean = _cleaner(text, secret)
    try:
        parsed = json.loads(
            text,
            strict=False,  # a line's end within a text is no reason to lose the rest
            parse_constant=str,
            parse_float=_read_float,
            parse_int=_read_int,
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableJsonError(str(error)) from error
    return _clean(parsed, _MAX_DEPTH, clean)


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


def _cleaner(text: str, secret: SecretStr | None) -> Callable[[str, str], str]:
    """Makes the text of a field storable; redacts only where the secret is in the document."""
    redactor = Redactor(secret.get_secret_value().strip()) if secret else None
    if redactor is None or not redactor.holds(text):
        return lambda _, one: clean_text(one)
    return lambda name, one: redactor.redact_field(name, clean_text(one))


def _clean(
    value: JsonValue, levels: int, clean: Callable[[str, str], str], name: str = ""
) -> JsonValue:
    if isinstance(value, str):
        return clean(name, value)
    if isinstance(value, list | dict) and not levels:
        return _TOO_DEEP
    if isinstance(value, list):
        return [_clean(item, levels - 1, clean) for item in value]
    if isinstance(value, dict):
        return {clean("", key): _clean(item, levels - 1, clean, key) for key, item in value.items()}
    return value
