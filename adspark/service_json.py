"""The one door for JSON that a service sent: bounded, and free of what no database can hold.

A single odd value must not cost the rest of its answer. So a number that is none (NaN, Infinity)
or that is too long arrives as text, what lies too deep as a note, and NUL and halves of a
character as U+FFFD.
"""

import json
import math

import httpx
from pydantic import JsonValue

from adspark.storable import clean_text

MOST_BYTES = 20 * 2**20
"""Of an answer, unpacked; a page of 100 ads has 0.2 MB, so this is far from any real one."""

_DEEPEST = 40  # levels that are kept; real answers have six
_LONGEST_NUMBER = 40  # digits; Python refuses to read more than 4300, columns hold 19
_TOO_DEEP = "(nested too deep)"


class UnreadableJsonError(ValueError):
    """The answer is not JSON, too large, or nested without end."""


def parse_json(content: bytes) -> JsonValue:
    """What the document says, in values that can be stored.

    Raises:
        UnreadableJsonError: it is not a JSON document.
    """
    try:
        parsed = json.loads(
            content.decode("utf-8-sig", "replace"),
            parse_constant=str,
            parse_float=_read_float,
            parse_int=_read_int,
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableJsonError(str(error)) from error
    return _clean(parsed, _DEEPEST)


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


def _clean(value: JsonValue, levels: int) -> JsonValue:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list | dict) and not levels:
        return _TOO_DEEP
    if isinstance(value, list):
        return [_clean(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(item, levels - 1) for key, item in value.items()}
    return value
