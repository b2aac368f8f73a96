"""What every catalogue of ads can do, and how several are served as one."""

import heapq
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from adspark.sandbox.serpapi.query import Query

Row = dict[str, str | int]
"""A row of `ad_creatives[]`; an address that begins with `/` lies on the sandbox itself, and a
`link` has no nonces yet."""

FAR_FUTURE = 2**40  # epoch seconds


@dataclass(frozen=True)
class AdCopy:
    """The words of an ad; each may be empty."""

    headline: str
    body: str
    action: str


@dataclass(frozen=True)
class Advertiser:
    """An advertiser that a catalogue can answer for."""

    id: str
    name: str
    domain: str | None
    creatives: int


class Selection(Protocol):
    """The rows that match one query, newest last_shown first, those without it last."""

    def __len__(self) -> int: ...

    def count_newer(self, moment: int) -> int:
        """How many were last shown after `moment` (epoch seconds)."""

    def rows(self, start: int) -> Iterator[Row]:
        """The rows from position `start` on, made as they are asked for."""


class Catalogue(Protocol):
    """A set of ads to search."""

    def select(self, query: Query) -> Selection:
        """What matches a query."""

    def find(self, number: str) -> Row | None:
        """The row with this creative id, picture number or preview's creativeId."""

    def advertisers(self, limit: int) -> list[Advertiser]:
        """The first few advertisers, for people to try."""


class MergedSelection:
    """Several selections as one, without going through the rows before the page asked for."""

    def __init__(self, parts: Sequence[Selection]) -> None:
        self._parts = [part for part in parts if len(part)]

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def count_newer(self, moment: int) -> int:
        return sum(part.count_newer(moment) for part in self._parts)

    def rows(self, start: int) -> Iterator[Row]:
        if len(self._parts) == 1:
            return self._parts[0].rows(start)
        # The earliest moment with no more than `start` rows after it; -1 is before all of time.
        moments = range(-1, FAR_FUTURE)
        moment = moments[bisect_left(moments, -start, key=lambda m: -self.count_newer(m))]
        merged = heapq.merge(
            *(part.rows(part.count_newer(moment)) for part in self._parts),
            key=lambda row: -last_shown(row),
        )
        return islice(merged, start - self.count_newer(moment), None)


class CombinedCatalogue:
    """Several catalogues as one."""

    def __init__(self, catalogues: Sequence[Catalogue]) -> None:
        self._catalogues = catalogues

    def select(self, query: Query) -> Selection:
        return MergedSelection([catalogue.select(query) for catalogue in self._catalogues])

    def find(self, number: str) -> Row | None:
        return next((row for c in self._catalogues if (row := c.find(number))), None)

    def advertisers(self, limit: int) -> list[Advertiser]:
        found = (one for c in self._catalogues for one in c.advertisers(limit))
        return list(islice(found, limit))


def last_shown(row: Row) -> int:
    """Epoch seconds, or 0 where it is not known."""
    return int(row.get("last_shown", 0))
