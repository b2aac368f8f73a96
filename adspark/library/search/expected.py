"""How many ads a search may find, as the database estimates it, and what follows from that.

Where many have the words, those that were learned last are looked at alone: as many as are wanted.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.library.search.matching import TextCondition
from adspark.library.search.statements import MOST_COUNTED, Branch

MOST_PHRASES = 5_000
"""Ads with all words of a phrase that are looked at for their order, which no index knows."""

MOST_GATHERED = 10_000
"""Ads that are found by their words before they are sorted, at most."""

_ROOM = 1.5  # times as many as are wanted, for an estimate may be too high
_MANY = 2 * MOST_COUNTED  # from here on less is read than by a look at all
# Microseconds: to find an ad by its words and sort it; to look at the words of an ad in an order;
# to look at the next ad in an order, by itself and where a filter is not in the index.
_BY_WORDS, _BY_ORDER, _NEXT, _NEXT_FILTERED = 8.0, 8.0, 0.3, 5.0
_NUMBERS = text("""
    SELECT coalesce(max(number), 0) AS newest, coalesce(max(number) - min(number) + 1, 0) AS span,
        (SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'creative'::regclass) AS ads
    FROM search_document
""")
_WITH_NAMES = "EXPLAIN (FORMAT JSON) SELECT FROM creative c WHERE {}"
_WITH_WORDS = "EXPLAIN (FORMAT JSON) SELECT FROM search_document s WHERE {}"


@dataclass(frozen=True)
class Expected:
    """What the database expects of a search.

    Attributes:
        documents: ads that have the words.
        ads: of them, that fulfil the filters.
        newest: the number of the document that was learned last.
        span: how many numbers there are.
        stored: ads, whatever they are.
        named: ads of which the advertiser or the domain has the words, with a document or without.
    """

    documents: float
    ads: float
    newest: int
    span: int
    stored: float
    named: float

    def floor(self, wanted: int, expected: float) -> int:
        """The number above which so many of those expected are found, with some room."""
        return self.newest - int(self.span * min(1.0, _ROOM * wanted / max(expected, 1.0)))

    @property
    def ranked_after(self) -> int | None:
        """The number above which as many ads as are ranked will be found; None: they are few."""
        return self.floor(MOST_COUNTED + 1, self.ads) if self.ads > _MANY else None

    @property
    def phrases_after(self) -> int | None:
        """The number above which a phrase is looked for; None: its words are in few ads."""
        if self.documents <= MOST_PHRASES:
            return None
        return self.newest - int(self.span * MOST_PHRASES / self.documents)

    @property
    def has_many_named(self) -> bool:
        """Whether to look at these with the others, in the order, not one after the other."""
        return self.named > _MANY

    def are_few(self, room: int, *, is_filtered: bool) -> bool:
        """Whether to find all and sort them, not to look for `room` ads in the order."""
        following = room * self.stored / max(self.ads, 1.0)
        probed = room * self.stored / max(self.documents, 1.0)
        in_order = following * (_NEXT_FILTERED if is_filtered else _NEXT) + probed * _BY_ORDER
        return self.documents * _BY_WORDS <= in_order and self.documents <= MOST_GATHERED


async def estimate(
    session: AsyncSession, *, words: TextCondition, part: Branch, values: dict[str, Any]
) -> Expected:
    """What the database expects of the ads with a document.

    Args:
        words: of the search.
        part: where the ads with a document are found.
        values: of the parameters.
    """
    numbers = (await session.execute(_NUMBERS)).one()
    documents = await _rows(
        session, _WITH_WORDS.format("s.document @@ CAST(:query AS tsquery)"), values
    )
    ads = documents
    if part.condition != f"{words.with_document} AND true":
        statement = f"EXPLAIN (FORMAT JSON) SELECT FROM {part.tables} WHERE {part.condition}"
        ads = await _rows(session, statement, values)
    named = 0.0
    if words.without_document is not None:
        named = await _rows(session, _WITH_NAMES.format(words.without_document), values)
    return Expected(documents, ads, numbers.newest, numbers.span, numbers.ads, named)


async def _rows(session: AsyncSession, statement: str, values: dict[str, Any]) -> float:
    (plan,) = await session.scalar(text(statement), values) or [{}]
    return float(plan["Plan"]["Plan Rows"])
