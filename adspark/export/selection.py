"""Which ads are exported, in which order: the words and filters of a search, without its bound."""

from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.export.columns import JOINS
from adspark.library.filters.definition import AdFilters, filter_condition
from adspark.library.search.cursor import Sort
from adspark.library.search.matching import look_up_terms, text_condition
from adspark.library.search.query_text import describe_left_out, parse_query_text
from adspark.library.search.statements import branches, whole_order

# Read to the end, so planned for that; and ads are told apart by days in UTC.
_PLAN = text(
    "SELECT set_config('cursor_tuple_fraction', '1', true), set_config('jit', 'off', true), "
    "set_config('TimeZone', 'UTC', true)"
)


@dataclass(frozen=True)
class Selection:
    """The chosen ads as `c`, with what their columns are read from; `values` of its parameters.

    `notes` say what was not searched.
    """

    tables: str
    order: str
    values: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def statement(self, columns: str) -> str:
        """The statement that reads these columns of all chosen ads, in their order."""
        return f"SELECT {columns} FROM {self.tables} ORDER BY {self.order}"  # noqa: S608


async def select_ads(
    session: AsyncSession,
    *,
    query: str,
    filters: AdFilters,
    sort: Sort = Sort.NEWEST,
    pictures: str | None = None,
) -> Selection:
    """What is to be exported; the session's transaction reads it in UTC from now on.

    Args:
        query: as of a search; the words are taken as they are written.
        filters: what else the ads have to be; also whose tags, titles and notes are exported.
        sort: the order; `changed` leaves out what has not changed.
        pictures: the folder that the column `picture` names; None: the path in the archive.

    Raises:
        InvalidQueryError: the order cannot be used, or there is no word to search for.
    """
    join, order = whole_order(sort)
    await session.execute(_PLAN)
    condition, values = filter_condition(filters)
    values |= {"pictures": pictures, "user_id": filters.user_id}
    if not query.strip():
        return Selection(f"creative c {join} {JOINS} WHERE {condition}", order, values)
    terms = parse_query_text(query)
    found = await look_up_terms(session, terms=terms, user_id=filters.user_id)
    if not found:
        raise InvalidQueryError("query", f"{query.strip()[:40]!r} holds no word to search for.")
    words = text_condition(found)
    union = " UNION ALL ".join(
        f"SELECT c.ad_creative_id FROM {part.tables} WHERE {part.condition}"  # noqa: S608
        for part in branches(words, condition)
    )
    tables = f"({union}) AS f JOIN creative c USING (ad_creative_id) {join} {JOINS}"
    return Selection(tables, order, values | words.values, describe_left_out(terms))
