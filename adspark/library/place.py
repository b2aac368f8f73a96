"""Where a page of a list has ended, as text with which the next one begins."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from adspark.errors import InvalidQueryError
from adspark.text.storable import UNSTORABLE

LARGEST_KEY = 10**17
"""Of a number that lists are sorted by: microseconds, some thousand years."""
_LONGEST = 50_000  # characters; that of the longest text is shorter
_LONGEST_TEXT = 5000  # characters


def encode_place(sort: str, key: float | str | None, last_id: str) -> str:
    """The place as text, for `decode_place`.

    Args:
        sort: the order of the list.
        key: the last row's value in that order.
        last_id: of the last row.
    """
    document = json.dumps([sort, key, last_id])
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def decode_place(
    written: str, sort: str, is_key: Callable[[object], bool], *, longest: int = _LONGEST
) -> tuple[Any, str]:
    """The key and the id that `encode_place` got.

    Args:
        written: the text, whoever wrote it.
        sort: the order of the list.
        is_key: whether a value is one that this order has.
        longest: characters of a place that this list can have.

    Raises:
        InvalidQueryError: it is no such place, or of a page in another order.
    """
    try:
        document = base64.urlsafe_b64decode(written[:longest] + "=" * (-len(written) % 4))
        found, key, last_id = json.loads(document)
        is_good = len(written) <= longest and found == sort and is_key(key) and is_text(last_id)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        is_good = False
    if not is_good:
        raise InvalidQueryError(
            "after",
            f"There is no such place in the list sorted by {sort}; begin with its first page, or "
            "take `next` of the page before.",
        )
    return key, last_id


def is_text(value: object) -> bool:
    """Whether a value is a text that the database can compare with."""
    is_short = isinstance(value, str) and len(value) <= _LONGEST_TEXT
    return is_short and not UNSTORABLE.search(str(value))
