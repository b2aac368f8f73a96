"""The statements of a search: where ads are found, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from adspark.errors import InvalidQueryError
from adspark.library.search.cursor import Cursor, Sort
from adspark.library.search.matching import TextCondition

MOST_COUNTED = 500
"""Ads that are counted, and ranked by relevance; where more match, that is said.

Of those that match, the ones whose words were learned last are ranked.
"""

# Below all others: of an ad of which only the advertiser or the domain is known.
_NAMES_RANK = -1.0


@dataclass(frozen=True)
class _Order:
    """A sort's value, the same from the microseconds of a cursor, and what it needs beside `c`."""

    key: str
    last: str
    join: str = ""


# The last change of each ad, whichever watch noticed it.
_CHANGES = (
    "JOIN (SELECT ad_creative_id, occurred_at AS changed_at FROM creative_event e "
    "WHERE kind = 'changed' AND NOT EXISTS (SELECT FROM creative_event o "
    "WHERE o.ad_creative_id = e.ad_creative_id AND o.kind = 'changed' "
    "AND (o.occurred_at, o.id) > (e.occurred_at, e.id))) AS ch USING (ad_creative_id)"
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
class Branch:
    """One of the places that ads are found in: noted by the user, with a document, and without."""

    tables: str
    condition: str
    rank: str
    latest: str  # by which of many the last ones are taken

    @property
    def has_document(self) -> bool:
        """Whether it is that of ads with a document."""
        return self.tables == _DOCUMENT

    def learned_after(self) -> "Branch":
        """The same of ads whose words were learned after the document `:floor`."""
        return replace(self, condition=f"s.number > :floor AND {self.condition}")


def branches(words: TextCondition, condition: str) -> list[Branch]:
    """Where the ads are that have the words and fulfil the condition; empty: nowhere."""
    parts = []
    rank = "ts_rank(s.document, CAST(:words AS tsquery))::float8"
    if words.noted is not None:
        noted = f"{words.noted} AND {condition}"
        parts.append(Branch(_NOTED, noted, f"coalesce({rank}, 0) + 1", "c.last_shown"))
    if words.with_document is not None:
        with_words = f"{words.with_document} AND {condition}"
        # With a sum the index of words is used, not that of numbers: all ads from the last one on.
        parts.append(Branch(_DOCUMENT, with_words, rank, "s.number + 0"))
    if words.without_document is not None:
        names = f"{words.without_document} AND {condition}"
        if words.with_document is not None:
            names += f" AND {_NO_DOCUMENT}"
        parts.append(Branch("creative c", names, f"{_NAMES_RANK}::float8", "c.last_shown"))
    return parts


def branches_in_order(words: TextCondition, condition: str) -> list[Branch]:
    """The same places where the ads are looked for in their order: with a document or without."""
    parts = branches(words, condition)
    if words.with_document is None or words.without_document is None:
        return parts
    either = (
        f"(({words.with_document}) OR s.ad_creative_id IS NULL AND ({words.without_document})) "
        f"AND {condition}"
    )
    return [*parts[:-2], Branch(_NOTED, either, parts[-2].rank, parts[-2].latest)]


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


def gathered_statement(parts: Sequence[Branch], sort: Sort, cursor: Cursor | None) -> str:
    """Rows of id and value as of the next two statements, with the ads of each format.

    All ads are found before they are sorted, so they have to be few: of more than `:most` no rows
    come back.

    Args:
        parts: conditions of which an ad meets one.
        sort: the order of the page.
        cursor: where the page before ended; None: the first page.
    """
    order = _ORDERS[sort]
    union = " UNION ALL ".join(
        f"(SELECT c.ad_creative_id, c.format, {order.key} AS key "  # noqa: S608
        f"FROM {part.tables} {order.join} WHERE {part.condition})"
        for part in parts
    )
    if cursor is None:
        beyond = "true"
    elif cursor.key is None:
        beyond = "key IS NULL AND ad_creative_id < :after_id"
    else:
        beyond = f"(key IS NULL OR (key, ad_creative_id) < ({order.last}, :after_id))"
    return (
        f"WITH found AS MATERIALIZED (SELECT * FROM ({union}) AS f LIMIT :most + 1), counted AS ("  # noqa: S608
        "SELECT json_object_agg(format, number) AS formats, sum(number) AS total FROM ("
        "SELECT format, count(*) AS number FROM found GROUP BY format) AS by_format) "
        f"SELECT ad_creative_id, {_MICROSECONDS.format('key')} AS key, formats "
        f"FROM found, counted WHERE total <= :most AND {beyond} "
        "ORDER BY found.key DESC NULLS LAST, ad_creative_id DESC LIMIT :room"
    )


def dated_statement(
    parts: Sequence[Branch], sort: Sort, cursor: Cursor | None, *, also: str
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

    Args:
        parts: conditions of which an ad meets one.
        sort: the order of the page.
        cursor: where the page before ended; None: the first page.
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
