"""Which ads a page of a search lists, and how many there are: looked up in the cheapest way."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.filters.definition import BEGUN_BEFORE, AdFilters, read_filters
from adspark.library.search.cursor import Cursor, Sort
from adspark.library.search.expected import MOST_GATHERED, Expected, estimate
from adspark.library.search.matching import TextCondition
from adspark.library.search.statements import (
    MOST_COUNTED,
    Branch,
    branches,
    branches_in_order,
    dated_statement,
    gathered_statement,
    matched_statement,
    undated_statement,
)
from adspark.text.counts import counted

Place = tuple[str, float | None]
"""An ad, and its value in the order, None where it has none."""

# Filters that the index of the newest ads answers by itself.
_IN_ORDER = {"user_id", "format", "first_shown_from", "first_shown_to"}


@dataclass
class Places:
    """The places of a page, and one more where there are more; and what is known of all.

    `formats`: of the ads that were counted.
    """

    places: list[Place]
    total: int
    is_exact: bool
    formats: dict[str, int]
    notes: list[str]


@dataclass
class _Scope:
    """Where ads are looked for, with the values of the parameters.

    `looked_at`: of the ads whose words are known, so many that were learned last alone.
    """

    parts: list[Branch]
    values: dict[str, Any]
    looked_at: int | None = None

    def after(self, floor: int, expected: Expected) -> "_Scope":
        """The same, but of the ads with a document of those alone that were learned after it."""
        parts = [part.learned_after() if part.has_document else part for part in self.parts]
        return _Scope(parts, self.values | {"floor": floor}, expected.newest - floor)

    @property
    def notes(self) -> list[str]:
        """What is not looked at, and why."""
        if self.looked_at is None:
            return []
        return [
            f"The words of the phrase are so frequent that it was looked for in the "
            f"{counted(self.looked_at, 'ad')} whose words were learned last."
        ]


@dataclass(frozen=True)
class PlaceFinder:
    """A search but for its words."""

    session: AsyncSession
    filters: AdFilters
    sort: Sort
    limit: int
    cursor: Cursor | None

    async def find(self, words: TextCondition) -> Places:
        """The places of ads that fulfil a condition of words, and the filters."""
        condition, values = await read_filters(self.session, self.filters)
        scope = _Scope(branches(words, condition), values | words.values)
        documents = [part for part in scope.parts if part.has_document]
        if not documents:
            return await self._list(scope, scope.parts)
        expected = await estimate(self.session, words=words, part=documents[0], values=scope.values)
        if self.sort is Sort.RELEVANCE and (floor := expected.ranked_after) is not None:
            last = scope.after(floor, expected)
            rows = await self._match(last)
            if len(rows) > MOST_COUNTED:
                return self._counted(scope, rows)
        if words.has_phrase and (floor := expected.phrases_after) is not None:
            scope = scope.after(floor, expected)
        if self._are_few(expected, words) and (found := await self._gather(scope)) is not None:
            return found
        in_order = branches_in_order(words, condition) if expected.has_many_named else scope.parts
        return await self._list(scope, in_order)

    def _are_few(self, expected: Expected, words: TextCondition) -> bool:
        """Whether to find all ads before they are sorted."""
        if self.sort is Sort.RELEVANCE or words.has_phrase:
            return words.has_phrase and self.sort is not Sort.RELEVANCE
        given = set(self.filters.model_dump(exclude_none=True))
        return expected.are_few(self.limit + 1, is_filtered=not given <= _IN_ORDER)

    async def _list(self, scope: _Scope, in_order: list[Branch]) -> Places:
        """Count as many as are counted; where there are more, look for those of the page."""
        rows = await self._match(scope)
        found = self._counted(scope, rows)
        if len(rows) > MOST_COUNTED and self.sort is not Sort.RELEVANCE:
            found.places = await self._read_on(in_order, scope.values)
        return found

    async def _match(self, scope: _Scope) -> Sequence[Any]:
        """Rows of id, format and value in the order, of so many as are counted and one."""
        statement = text(matched_statement(scope.parts, self.sort))
        return (await self.session.execute(statement, scope.values)).all()

    def _counted(self, scope: _Scope, rows: Sequence[Any]) -> Places:
        """The places behind the cursor, the greatest value first and those without one last."""
        begin = None if self.cursor is None else (self.cursor.ad_creative_id, self.cursor.key)
        places: Iterable[Place] = ((row.ad_creative_id, row.key) for row in rows)
        behind = [one for one in places if begin is None or _rank(one) < _rank(begin)]
        return Places(
            places=sorted(behind, key=_rank, reverse=True)[: self.limit + 1],
            total=min(len(rows), MOST_COUNTED),
            is_exact=len(rows) <= MOST_COUNTED and scope.looked_at is None,
            formats=dict(Counter(str(row.format) for row in rows).most_common()),
            notes=scope.notes,
        )

    async def _gather(self, scope: _Scope) -> Places | None:
        """The places of the page from all ads; None: there are none, or too many."""
        statement = gathered_statement(scope.parts, self.sort, self.cursor)
        values = scope.values | {"most": MOST_GATHERED}
        rows = await self._execute(statement, values, self.limit + 1)
        if not rows:
            return None
        formats = Counter({name: int(number) for name, number in rows[0].formats.items()})
        return Places(
            places=[(row.ad_creative_id, row.key) for row in rows],
            total=formats.total(),
            is_exact=scope.looked_at is None,
            formats=dict(formats.most_common()),
            notes=scope.notes,
        )

    async def _read_on(self, parts: Sequence[Branch], values: dict[str, Any]) -> list[Place]:
        """The places of the page in the order, and one more where there are more."""
        room = self.limit + 1
        rows: list[Any] = []
        if self.cursor is None or self.cursor.key is not None:
            begun = self.filters.least_days is not None and self.sort is Sort.NEWEST
            also = BEGUN_BEFORE if begun else "true"
            statement = dated_statement(parts, self.sort, self.cursor, also=also)
            rows += await self._execute(statement, values, room)
        if len(rows) < room:
            statement = undated_statement(parts, self.sort, self.cursor)
            rows += await self._execute(statement, values, room - len(rows))
        return [(row.ad_creative_id, row.key) for row in rows]

    async def _execute(self, statement: str, values: dict[str, Any], room: int) -> Sequence[Any]:
        values = values | {"room": room}
        if self.cursor is not None:
            values |= {"after_key": self.cursor.key, "after_id": self.cursor.ad_creative_id}
        return (await self.session.execute(text(statement), values)).all()


def _rank(place: Place) -> tuple[float, str]:
    ad, key = place
    return (-math.inf if key is None else key, ad)
