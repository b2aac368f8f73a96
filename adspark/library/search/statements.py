"""The statements of a search: where ads are found, in which order, and from which one on."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from adspark.errors import InvalidQueryError
from adspark.library.search.matching import TextCondition

MOST_COUNTED = 500
"""Ads that are counted, and ranked by relevance; where more match, that is said.

Of those that match, the ones whose words were learned last are ranked.
"""

_LARGEST_KEY = 10**17  # microseconds, some thousand years
# Below all others: of an ad of which only the advertiser or the domain is known.
_NAMES_RANK = -1.0


class Sort(StrEnum):
    """In which order ads are listed."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    LONGEST = "longest"
    CHANGED = "changed"


@dataclass(frozen=True)
class _Order:
    """A sort's value, the same from the microseconds of a cursor, and what it needs beside `c`."""

    key: str
    last: str
    join: str = ""


_CHANGES = (
    "JOIN (SELECT ad_creative_id, max(occurred_at) AS changed_at FROM creative_event "
    "WHERE kind = 'changed' GROUP BY 1) AS ch USING (ad_creative_id)"
)
_SPAN = "CAST(:after_key AS bigint) * interval '1 microsecond'"
_MOMENT = f"timestamptz 'epoch' + {_SPAN}"
_ORDERS = {
    Sort.NEWEST: _Order("c.first_shown", _MOMENT),
    Sort.LONGEST: _Order("c.last_shown - c.first_shown", _SPAN),
    Sort.CHANGED: _Order("ch.changed_at", _MOMENT, _CHANGES),
}
_MICROSECONDS = "CAST(extract(epoch FROM {}) * 1000000 AS bigint)"
_DOCUMENT = "creative c JOIN search_document s USING (ad_creative_id)"
_NOTED = "creative c LEFT JOIN search_document s USING (ad_creative_id)"
_NO_DOCUMENT = (
    "NOT EXISTS (SELECT FROM search_document s WHERE s.ad_creative_id = c.ad_creative_id)"
)


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
            document = base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))
            found, key, ad = json.loads(document)
            is_good = found == sort and isinstance(ad, str) and _is_key(key, sort)
        except (ValueError, TypeError, binascii.Error):
            is_good = False
        if not is_good:
            raise InvalidQueryError(
                "after", f"is not where a page sorted by {sort} ended; take `next` of that page."
            )
        return cls(sort, key, ad)


def _is_key(key: object, sort: Sort) -> bool:
    kind = float if sort is Sort.RELEVANCE else int
    return key is None or (isinstance(key, kind) and abs(key) < _LARGEST_KEY)


@dataclass(frozen=True)
class Branch:
    """One of the places that ads are found in: noted by the user, with a document, and without."""

    tables: str
    condition: str
    rank: str
    latest: str  # by which of many the last ones are taken


def branches(words: TextCondition, condition: str) -> list[Branch]:
    """Where the ads are that have the words and fulfil the condition; empty: nowhere."""
    parts = []
    rank = "ts_rank(s.document, CAST(:words AS tsquery))::float8"
    if words.noted is not None:
        noted = f"{words.noted} AND {condition}"
        parts.append(Branch(_NOTED, noted, f"coalesce({rank}, 0) + 1", "c.last_shown"))
    if words.with_document is not None:
        with_words = f"{words.with_document} AND {condition}"
        # A phrase is far rarer than its words, which no statistics tell: with a sum the ads that
        # have the words are looked at, not all ads from the last one on.
        latest = "s.number + 0" if words.has_phrase else "s.number"
        parts.append(Branch(_DOCUMENT, with_words, rank, latest))
    if words.without_document is not None:
        names = f"{words.without_document} AND {condition}"
        if words.with_document is not None:
            names += f" AND {_NO_DOCUMENT}"
        parts.append(Branch("creative c", names, f"{_NAMES_RANK}::float8", "c.last_shown"))
    return parts


def matched_statement(parts: Sequence[Branch], sort: Sort) -> str:
    """Rows of id, format and value in the order, of `MOST_COUNTED` and one ads at most.

    Which of more ads they are matters for relevance only. Where a branch has so many, those after
    it are not even begun. The order `changed` is one of the ads that have changed.
    """
    room = f"LIMIT {MOST_COUNTED + 1}"
    union = " UNION ALL ".join(
        f"(SELECT c.ad_creative_id, c.format, {_value(part, sort)} AS key "  # noqa: S608
        f"FROM {part.tables} {_join(sort)} WHERE {part.condition} "
        + (f"ORDER BY {part.latest} DESC {room})" if sort is Sort.RELEVANCE else f"{room})")
        for part in parts
    )
    return f"SELECT * FROM ({union}) AS matched {room}"  # noqa: S608


def dated_statement(
    parts: Sequence[Branch], sort: Sort, cursor: Cursor | None, *, also: str = "true"
) -> str:
    """Rows of id and value: ads that have a value in the order, the greatest first.

    Args:
        parts: where they are.
        sort: the order.
        cursor: the last ad of the page before.
        also: what holds of all of them, for the index of the order.
    """
    order = _ORDERS[sort]
    beyond = f"{_beyond(cursor, order)} AND {also}"
    union = " UNION ALL ".join(
        f"(SELECT c.ad_creative_id, {order.key} AS key FROM {part.tables} {order.join} "  # noqa: S608
        f"WHERE {order.key} IS NOT NULL AND {beyond} AND {part.condition} "
        f"ORDER BY {order.key} DESC, c.ad_creative_id DESC LIMIT :room)"
        for part in parts
    )
    return (
        f"SELECT ad_creative_id, {_MICROSECONDS.format('key')} AS key "  # noqa: S608
        f"FROM ({union}) AS found ORDER BY found.key DESC, ad_creative_id DESC LIMIT :room"
    )


def undated_statement(parts: Sequence[Branch], sort: Sort, cursor: Cursor | None) -> str:
    """Rows of id and NULL: ads that have no value in the order, which come after all others.

    They are few, so they are found before they are sorted: not all ads in the order of their ids.
    """
    order = _ORDERS[sort]
    has_begun = cursor is not None and cursor.key is None
    beyond = "c.ad_creative_id < :after_id" if has_begun else "true"
    union = " UNION ALL ".join(
        f"SELECT c.ad_creative_id FROM {part.tables} {order.join} "  # noqa: S608
        f"WHERE ({order.key}) IS NULL AND {beyond} AND {part.condition}"
        for part in parts
    )
    return (
        f"WITH found AS MATERIALIZED ({union}) SELECT ad_creative_id, NULL AS key "  # noqa: S608
        "FROM found ORDER BY ad_creative_id DESC LIMIT :room"
    )


def whole_order(sort: Sort) -> tuple[str, str]:
    """What has to be joined to `c`, and how all ads are ordered; those without a value come last.

    Raises:
        InvalidQueryError: only so many ads are ranked by relevance.
    """
    if sort is Sort.RELEVANCE:
        raise InvalidQueryError(
            "sort", f"relevance ranks {MOST_COUNTED} ads, not all; choose newest."
        )
    order = _ORDERS[sort]
    return order.join, f"{order.key} DESC NULLS LAST, c.ad_creative_id DESC"


def _value(part: Branch, sort: Sort) -> str:
    return part.rank if sort is Sort.RELEVANCE else _MICROSECONDS.format(_ORDERS[sort].key)


def _join(sort: Sort) -> str:
    return "" if sort is Sort.RELEVANCE else _ORDERS[sort].join


def _beyond(cursor: Cursor | None, order: _Order) -> str:
    """What comes after the page before; its first part is what an index can use."""
    if cursor is None:
        return "true"
    key, last = order.key, order.last
    return f"({key}) <= {last} AND (({key}), c.ad_creative_id) < ({last}, :after_id)"
