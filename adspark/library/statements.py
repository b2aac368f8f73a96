"""The statements of a search: where ads are found, in which order, and from which one on."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from adspark.errors import InvalidQueryError
from adspark.library.matching import TextCondition

MOST_COUNTED = 10_000
"""Ads that are counted; where there are more, that is said."""

MOST_RANKED = 2000
"""Ads that are ranked by relevance: of those that match, the ones that were shown last."""

_NAMES_RANK = (
    0.001  # below all others, of an ad of which only the advertiser or the domain is known
)


class Sort(StrEnum):
    """In which order ads are listed."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    LONGEST = "longest"
    CHANGED = "changed"


@dataclass(frozen=True)
class _Order:
    """A sort's value, its type in SQL, and what it needs beside the creative."""

    key: str
    kind: str
    join: str = ""


_CHANGES = (
    "JOIN (SELECT ad_creative_id, max(occurred_at) AS changed_at FROM creative_event "
    "WHERE kind = 'changed' GROUP BY 1) AS ch USING (ad_creative_id)"
)
_ORDERS = {
    Sort.NEWEST: _Order("c.first_shown", "timestamptz"),
    Sort.LONGEST: _Order("c.last_shown - c.first_shown", "interval"),
    Sort.CHANGED: _Order("ch.changed_at", "timestamptz", _CHANGES),
    Sort.RELEVANCE: _Order("rank", "float8"),
}
_NEVER_CHANGED = (
    "NOT EXISTS (SELECT FROM creative_event n WHERE n.ad_creative_id = c.ad_creative_id "
    "AND n.kind = 'changed')"
)
_DOCUMENT = "creative c JOIN search_document s USING (ad_creative_id)"
_NO_DOCUMENT = (
    "NOT EXISTS (SELECT FROM search_document s WHERE s.ad_creative_id = c.ad_creative_id)"
)


@dataclass(frozen=True)
class Cursor:
    """The last ad of a page: its value in the order, None where it has none, and its id."""

    sort: Sort
    key: str | None
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
            document = base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))
            found, key, ad = json.loads(document)
            is_good = found == sort and isinstance(ad, str) and isinstance(key, str | None)
        except (ValueError, TypeError, binascii.Error):
            is_good = False
        if not is_good:
            raise InvalidQueryError(
                "after", f"is not where a page sorted by {sort} ended; take `next` of that page."
            )
        return cls(sort, key, ad)


@dataclass(frozen=True)
class Branch:
    """One of the two places that ads are found in: with a document, and without."""

    tables: str
    condition: str
    rank: str


def branches(words: TextCondition, condition: str) -> list[Branch]:
    """Where the ads are that have the words and fulfil the condition; empty: nowhere."""
    parts = []
    if words.with_document is not None:
        rank = "ts_rank(s.document, CAST(:query AS tsquery))::float8"
        parts.append(Branch(_DOCUMENT, f"{words.with_document} AND {condition}", rank))
    if words.without_document is not None:
        names = f"{words.without_document} AND {condition}"
        if parts:
            names += f" AND {_NO_DOCUMENT}"
        parts.append(Branch("creative c", names, f"{_NAMES_RANK}::float8"))
    return parts


def count_statement(parts: Sequence[Branch]) -> str:
    """Rows of format and number, of `MOST_COUNTED` and one ads at most."""
    union = " UNION ALL ".join(
        f"SELECT c.format FROM {part.tables} WHERE {part.condition}"  # noqa: S608
        for part in parts
    )
    return (
        f"SELECT format, count(*) FROM (SELECT format FROM ({union}) AS matched "  # noqa: S608
        f"LIMIT {MOST_COUNTED + 1}) AS found GROUP BY 1 ORDER BY 2 DESC, 1"
    )


def dated_statement(parts: Sequence[Branch], sort: Sort, cursor: Cursor | None) -> str:
    """Rows of id and value: ads that have a value in the order, the greatest first."""
    if sort is Sort.RELEVANCE:
        return _ranked_statement(parts, cursor)
    order = _ORDERS[sort]
    beyond = _beyond(cursor, order.key, "c.ad_creative_id")
    union = " UNION ALL ".join(
        f"(SELECT c.ad_creative_id, {order.key} AS key FROM {part.tables} {order.join} "  # noqa: S608
        f"WHERE {order.key} IS NOT NULL AND {beyond} AND {part.condition} "
        f"ORDER BY {order.key} DESC, c.ad_creative_id DESC LIMIT :room)"
        for part in parts
    )
    return (
        f"SELECT ad_creative_id, key::text FROM ({union}) AS found "  # noqa: S608
        "ORDER BY found.key DESC, ad_creative_id DESC LIMIT :room"
    )


def undated_statement(parts: Sequence[Branch], sort: Sort, cursor: Cursor | None) -> str:
    """Rows of id and NULL: ads that have no value in the order, after all others."""
    is_undated = _NEVER_CHANGED if sort is Sort.CHANGED else f"{_ORDERS[sort].key} IS NULL"
    has_begun = cursor is not None and cursor.key is None
    beyond = "c.ad_creative_id < :after_id" if has_begun else "true"
    union = " UNION ALL ".join(
        f"(SELECT c.ad_creative_id FROM {part.tables} "  # noqa: S608
        f"WHERE {is_undated} AND {beyond} AND {part.condition} "
        "ORDER BY c.ad_creative_id DESC LIMIT :room)"
        for part in parts
    )
    return (
        f"SELECT ad_creative_id, NULL FROM ({union}) AS found "  # noqa: S608
        "ORDER BY ad_creative_id DESC LIMIT :room"
    )


def _ranked_statement(parts: Sequence[Branch], cursor: Cursor | None) -> str:
    union = " UNION ALL ".join(
        f"(SELECT c.ad_creative_id, {part.rank} AS rank FROM {part.tables} "  # noqa: S608
        f"WHERE {part.condition} ORDER BY c.last_shown DESC LIMIT {MOST_RANKED})"
        for part in parts
    )
    return (
        f"SELECT ad_creative_id, rank::text FROM ({union}) AS found "  # noqa: S608
        f"WHERE {_beyond(cursor, 'rank', 'ad_creative_id')} "
        "ORDER BY found.rank DESC, ad_creative_id DESC LIMIT :room"
    )


def _beyond(cursor: Cursor | None, key: str, ad: str) -> str:
    """What comes after the page before; its first part is what an index can use."""
    if cursor is None:
        return "true"
    last = f"CAST(:after_key AS {_ORDERS[cursor.sort].kind})"
    return f"({key}) <= {last} AND (({key}), {ad}) < ({last}, :after_id)"
