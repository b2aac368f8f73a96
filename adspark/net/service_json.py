"""The one door for JSON that a service sent: bounded, and free of what no database can hold.

A single odd value must not cost the rest of its answer. So a number that is none (NaN, Infinity)
or that is too long arrives as text, what lies too deep as a note, and NUL and halves of a
character as U+FFFD.
"""

import json
import math
from collections.abc import Callable

import httpx
from pydantic import JsonValue, SecretStr

from adspark.net.bounded_responses import MOST_BYTES
from adspark.text.redactor import Redactor
from adspark.text.storable import clean_text

MOST_VALUES = 500_000
"""Of a document, reckoned by its commas and brackets; a page of 100 ads has 1,500."""

_DEEPEST = 40  # levels that are kept; real answers have six
_LONGEST_NUMBER = 40  # digits; Python refuses to read more than 4300, columns hold 19
_TOO_DEEP = "(nested too deep)"


class UnreadableJsonError(ValueError):
    """The answer is not JSON, too large, or nested without end."""


def parse_json(content: bytes, *, secret: SecretStr | None = None) -> JsonValue:
    """What the document says, in values that can be stored.

    Args:
        content: UTF-8; what is not is read as U+FFFD.
        secret: the key that the service was asked with, which it may echo; it is redacted.

    Raises:
        UnreadableJsonError: it is not a JSON document, or has more values than any real one.
    """
    if sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise UnreadableJsonError(f"more than {MOST_VALUES} values")
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
    return _clean(parsed, _DEEPEST, clean)


async def read_body(response: httpx.Response, *, most: int = MOST_BYTES) -> bytes:
    """The body of a streamed answer, unpacked.

    Raises:
        UnreadableJsonError: it has more than `most` bytes; the rest is not read.
        httpx.HTTPError: the connection was cut.
    """
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > most:
            raise UnreadableJsonError(f"more than {most // 2**20} MB")
    return bytes(content)


def _read_float(written: str) -> float | str:
    number = float(written)
    return number if math.isfinite(number) else written[:_LONGEST_NUMBER]


def _read_int(written: str) -> int | str:
    return int(written) if len(written) <= _LONGEST_NUMBER else written[:_LONGEST_NUMBER]


def _cleaner(text: str, secret: SecretStr | None) -> Callable[[str, str], str]:
    """What makes the text of a field storable; the secret is looked for only if it is there."""
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
