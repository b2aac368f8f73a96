"""In which order ads are listed, and where in it a page has ended."""

import base64
import binascii
import json
from dataclasses import dataclass
from enum import StrEnum

from adspark.errors import InvalidQueryError
from adspark.text.storable import UNSTORABLE

_LONGEST_CURSOR = 500  # characters
_LARGEST_KEY = 10**17  # microseconds, some thousand years


class Sort(StrEnum):
    """In which order ads are listed."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    LONGEST = "longest"
    CHANGED = "changed"


@dataclass(frozen=True)
class Cursor:
    """The last ad of a page: its value in the order, None where it has none, and its id.

    The value is a rank, or a number of microseconds.
    """

    sort: Sort
    key: float | None
    ad_creative_id: str

    def encode(self) -> str:
        """The place as text, for `decode`."""
        document = json.dumps([self.sort, self.key, self.ad_creative_id])
        return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, written: str, sort: Sort) -> "Cursor":
        """The place that `encode` gave.

        Raises:
            InvalidQueryError: it is none, or of a page in another order.
        """
        try:
            document = base64.urlsafe_b64decode(
                written[:_LONGEST_CURSOR] + "=" * (-len(written) % 4)
            )
            found, key, ad = json.loads(document)
            is_good = (
                len(written) <= _LONGEST_CURSOR
                and found == sort
                and isinstance(ad, str)
                and not UNSTORABLE.search(ad)
                and _is_key(key, sort)
            )
        except (ValueError, TypeError, RecursionError, binascii.Error):
            is_good = False
        if not is_good:
            raise InvalidQueryError(
                "after", f"is not where a page sorted by {sort} ended; take `next` of that page."
            )
        return cls(sort, key, ad)


def _is_key(key: object, sort: Sort) -> bool:
    kind = float if sort is Sort.RELEVANCE else int
    return key is None or (type(key) is kind and abs(key) < _LARGEST_KEY)
