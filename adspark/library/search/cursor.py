"""In which order ads are listed, and where in it a page has ended."""

from dataclasses import dataclass
from enum import StrEnum

from adspark.library.place import LARGEST_KEY, decode_place, encode_place

_LONGEST = 500  # characters of a cursor


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
        return encode_place(self.sort, self.key, self.ad_creative_id)

    @classmethod
    def decode(cls, written: str, sort: Sort) -> "Cursor":
        """The place that `encode` gave.

        Raises:
            InvalidQueryError: it is none, or of a page in another order.
        """
        kind = float if sort is Sort.RELEVANCE else int
        key, ad = decode_place(
            written,
            sort,
            lambda key: key is None or (type(key) is kind and abs(key) < LARGEST_KEY),
            longest=_LONGEST,
        )
        return cls(sort, key, ad)
