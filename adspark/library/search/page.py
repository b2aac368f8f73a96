"""Search the stored ads: words, filters, an order, page by page from where the last one ended."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.library.filters.definition import BEGUN_BEFORE, AdFilters, read_filters
from adspark.library.marks.sharing import TAGS_OF_AD, TITLE_OF_AD
from adspark.library.search.matching import (
    TextCondition,
    look_up_terms,
    text_condition,
)
from adspark.library.search.query_text import MOST_TERMS, Term, parse_query_text
from adspark.library.search.spelling import correct_terms, missing_extensions
from adspark.library.search.statements import (
    MOST_COUNTED,
    Branch,
    Cursor,
    Sort,
    branches,
    dated_statement,
    matched_statement,
    undated_statement,
)
from adspark.models import CreativeFormat
from adspark.validation.bounds import Range

LIMIT = Range(1, 1000)

_Place = tuple[str, float | None]  # an ad, and its value in the order, None where it has none
# Plans for the values at hand, for the right one differs by how often a word occurs. A search is
# over before a statement is compiled or a second process begun, and what it reads is in memory, as
# is the list of where a word stands.
_PLAN = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), "
    "set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true), "
    "set_config('random_page_cost', '1.1', true), set_config('work_mem', '32MB', true)"
)
_READ = text(f"""
    SELECT c.ad_creative_id, c.advertiser_id, a.name AS advertiser, c.format,
        nullif(c.width, 0) || ' × ' || nullif(c.height, 0) AS size,
        c.target_domain AS domain, c.first_shown, c.last_shown, c.total_days_shown AS days_shown,
        coalesce(d.headline, w.headline) AS headline, coalesce(d.snippet, w.snippet) AS snippet,
        CASE WHEN coalesce(d.headline, d.snippet) IS NOT NULL THEN 'bought'
             WHEN w.snippet IS NOT NULL THEN 'read' END AS words_source, {TITLE_OF_AD} AS title,
        {TAGS_OF_AD} AS tags, p.thumbnail
    FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS i (ad_creative_id, place)
        JOIN creative c USING (ad_creative_id) JOIN advertiser a USING (advertiser_id)
        LEFT JOIN creative_detail d USING (ad_creative_id)
        LEFT JOIN creative_note n ON n.user_id = :user_id AND n.ad_creative_id = c.ad_creative_id
        LEFT JOIN LATERAL (
            SELECT headline, nullif(array_to_string(lines, ' '), '') AS snippet
            FROM read_words_of(c.ad_creative_id)
            WHERE coalesce(d.headline, d.snippet, d.call_to_action) IS NULL
        ) AS w ON true
        LEFT JOIN LATERAL (
            SELECT thumbnail_path AS thumbnail FROM picture_version v
            WHERE v.ad_creative_id = c.ad_creative_id AND status = 'stored'
            ORDER BY v.content_hash = c.content_hash DESC, v.id DESC LIMIT 1
        ) AS p ON true
    ORDER BY i.place
""")  # noqa: S608  (put together from constants)


class FoundAd(BaseModel):
    """An ad that a search found, as it is listed."""

    ad_creative_id: str
    advertiser_id: str
    advertiser: str
    format: CreativeFormat
    size: str | None
    domain: str | None
    first_shown: datetime | None
    last_shown: datetime | None
    days_shown: int | None
    headline: str | None
    snippet: str | None = Field(description="Where its copy was not bought: all that was read.")
    words_source: Literal["bought", "read"] | None = Field(description="Where they are from.")
    title: str | None = Field(description="That the user gave it, else a shared one.")
    tags: list[str] = Field(description="The user's, and shared ones.")
    thumbnail: str | None = Field(
        description="Path in the media store; of an earlier version where the last is not kept."
    )


class AdPage(BaseModel):
    """A page of ads that were found, and how many there are in all."""

    ads: list[FoundAd]
    total: int = Field(description="Of all pages.")
    is_total_exact: bool = Field(description="False: there are more than that.")
    formats: dict[str, int] = Field(description="The total, by format.")
    next: str | None = Field(description="Where the next page begins; None: this was the last.")
    searched_instead: str | None = Field(
        default=None, description="The corrected words, where those written found nothing."
    )
    notes: list[str] = Field(default_factory=list, description="What was not searched, and why.")


async def search_ads(
    session: AsyncSession,
    *,
    query: str = "",
    filters: AdFilters | None = None,
    sort: Sort | None = None,
    limit: int = 20,
    after: str | None = None,
) -> AdPage:
    """The stored ads that have the words and fulfil the filters, a page of them.

    Where nothing has the words, the nearest known ones are searched in place of misspelled ones.

    Args:
        session: of the database.
        query: words, "phrases", prefix*, -not, one or another; all of them have to match. No text
            is refused.
        filters: what else the ads have to be; also whose tags and titles count.
        sort: by relevance where there are words, else the newest first.
        limit: ads of a page.
        after: `next` of the page before.

    Raises:
        InvalidQueryError: the limit, the order or the place cannot be used; names the field.
    """
    LIMIT.check("limit", limit)
    terms = parse_query_text(query)
    chosen = sort
    if chosen is None:
        chosen = Sort.RELEVANCE if terms else Sort.NEWEST
    elif chosen is Sort.RELEVANCE and not terms:
        raise InvalidQueryError("sort", "relevance takes words to search; choose newest.")
    cursor = None if after is None else Cursor.decode(after, chosen)
    search = _Search(session, filters or AdFilters(), chosen, limit, cursor)
    await session.execute(_PLAN)
    if not terms:
        if query.strip():
            return _nothing(f"{query.strip()[:40]!r} holds no word to search for.")
        return await search.page(TextCondition(None, "true"))
    page = await search.find(terms)
    if not page.total and after is None:
        page = await _search_nearest(session, search, terms, page)
    if len(terms) == MOST_TERMS:
        page.notes.append(f"No more than the first {MOST_TERMS} words were searched.")
    return page


async def list_ads(session: AsyncSession, *, ids: Sequence[str], user_id: int) -> list[FoundAd]:
    """Ads as a search lists them, in the order of their ids; without those that are not stored.

    Args:
        session: of the database.
        ids: of the ads.
        user_id: whose tags and titles are shown.
    """
    rows = (await session.execute(_READ, {"ids": list(ids), "user_id": user_id})).mappings()
    return [FoundAd.model_validate(row) for row in rows]


async def _search_nearest(
    session: AsyncSession, search: "_Search", terms: Sequence[Term], page: AdPage
) -> AdPage:
    """The page of the nearest known words, else `page`, with a line where it may be lacking."""
    missing = await missing_extensions(session)
    notes = page.notes + list(missing.values())
    if "pg_trgm" not in missing:
        corrected = await correct_terms(session, terms=terms)
        if corrected is not None and (found := await search.find(corrected)).total:
            words = " ".join(one.written for one in corrected)
            return found.model_copy(update={"searched_instead": words})
    return page.model_copy(update={"notes": notes})


@dataclass(frozen=True)
class _Search:
    """One search but for its words."""

    session: AsyncSession
    filters: AdFilters
    sort: Sort
    limit: int
    cursor: Cursor | None

    async def find(self, terms: Sequence[Term]) -> AdPage:
        """The page of ads that have all terms."""
        found = await look_up_terms(self.session, terms=terms, user_id=self.filters.user_id)
        if not found:
            return _nothing("The database takes none of this for a word.")
        return await self.page(text_condition(found))

    async def page(self, words: TextCondition) -> AdPage:
        """The page of ads that fulfil a condition of words, and the total."""
        condition, values = await read_filters(self.session, self.filters)
        values |= words.values
        parts = branches(words, condition)
        statement = text(matched_statement(parts, self.sort))
        matched = (await self.session.execute(statement, values)).all()
        formats = Counter(str(row.format) for row in matched)
        is_all = len(matched) <= MOST_COUNTED
        if is_all or self.sort is Sort.RELEVANCE:
            rows = self._sorted((row.ad_creative_id, row.key) for row in matched)
        else:
            rows = await self._read_on(parts, values)
        ids = [ad for ad, _ in rows[: self.limit]]
        last = rows[self.limit - 1] if len(rows) > self.limit else None
        return AdPage(
            ads=await list_ads(self.session, ids=ids, user_id=self.filters.user_id),
            total=min(len(matched), MOST_COUNTED),
            is_total_exact=is_all,
            formats=dict(formats.most_common()),
            next=Cursor(self.sort, last[1], last[0]).encode() if last else None,
        )

    def _sorted(self, matched: Iterable[_Place]) -> list[_Place]:
        """The places behind the cursor, the greatest value first and those without one last."""
        begin = None if self.cursor is None else (self.cursor.ad_creative_id, self.cursor.key)
        places = [one for one in matched if begin is None or _rank(one) < _rank(begin)]
        return sorted(places, key=_rank, reverse=True)

    async def _read_on(self, parts: Sequence[Branch], values: dict[str, Any]) -> list[_Place]:
        """The places of the page, and one more where there are more."""
        room = self.limit + 1
        rows: list[_Place] = []
        if self.cursor is None or self.cursor.key is not None:
            begun = self.filters.least_days is not None and self.sort is Sort.NEWEST
            also = BEGUN_BEFORE if begun else "true"
            statement = dated_statement(parts, self.sort, self.cursor, also=also)
            rows = await self._execute(statement, values, room)
        if len(rows) < room:
            statement = undated_statement(parts, self.sort, self.cursor)
            rows += await self._execute(statement, values, room - len(rows))
        return rows

    async def _execute(self, statement: str, values: dict[str, Any], room: int) -> list[_Place]:
        values = values | {"room": room}
        if self.cursor is not None:
            values |= {"after_key": self.cursor.key, "after_id": self.cursor.ad_creative_id}
        rows = await self.session.execute(text(statement), values)
        return [(row.ad_creative_id, row.key) for row in rows]


def _rank(place: _Place) -> tuple[float, str]:
    ad, key = place
    return (-math.inf if key is None else key, ad)


def _nothing(note: str) -> AdPage:
    return AdPage(ads=[], total=0, is_total_exact=True, formats={}, next=None, notes=[note])
