"""Search the stored ads: words, filters, an order, page by page from where the last one ended."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.library.filters.definition import RUNNING_DAYS, AdFilters
from adspark.library.marks.sharing import TAGS_OF_AD, TITLE_OF_AD
from adspark.library.search.cursor import Cursor, Sort
from adspark.library.search.matching import TextCondition, look_up_terms, text_condition
from adspark.library.search.places import PlaceFinder
from adspark.library.search.query_text import Term, describe_left_out, parse_query_text
from adspark.library.search.spelling import correct_terms, missing_extensions
from adspark.models import CreativeFormat
from adspark.text.counts import counted
from adspark.validation.bounds import Range
from adspark.words.copy_statements import HEADLINE, SNIPPET, SOURCE, join_copy
from adspark.words.unread import MOST_COUNTED, count_unread_ads

LIMIT = Range(1, 1000)

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
        nullif(c.width, 0) AS width, nullif(c.height, 0) AS height,
        nullif(c.width, 0) || ' × ' || nullif(c.height, 0) AS size,
        p.path AS picture, p.thumbnail_path AS thumbnail, d.landing_url,
        coalesce(c.last_shown >= now() - interval '{RUNNING_DAYS} days', false) AS is_running,
        c.target_domain AS domain, c.first_shown, c.last_shown, c.total_days_shown AS days_shown,
        {HEADLINE} AS headline, {SNIPPET} AS snippet, {SOURCE} AS words_source,
        {TITLE_OF_AD} AS title, {TAGS_OF_AD} AS tags
    FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS i (ad_creative_id, place)
        JOIN creative c USING (ad_creative_id) JOIN advertiser a USING (advertiser_id)
        LEFT JOIN creative_note n
            ON n.user_id = CAST(:user_id AS int) AND n.ad_creative_id = c.ad_creative_id
        LEFT JOIN LATERAL (
            SELECT path, thumbnail_path FROM picture_version v
            WHERE v.ad_creative_id = c.ad_creative_id AND status = 'stored'
            ORDER BY v.content_hash = c.content_hash DESC, v.id DESC LIMIT 1
        ) AS p ON true
        {join_copy()}
    ORDER BY i.place
""")  # noqa: S608  (put together from constants)


class FoundAd(BaseModel):
    """An ad that a search found, as it is listed."""

    ad_creative_id: str
    advertiser_id: str
    advertiser: str
    format: CreativeFormat
    size: str | None
    width: int | None
    height: int | None
    picture: str | None = Field(
        description="Path in the media store; of an earlier version where the last is not kept."
    )
    thumbnail: str | None = Field(description="Of that picture.")
    domain: str | None
    landing_url: str | None
    is_running: bool
    first_shown: datetime | None
    last_shown: datetime | None
    days_shown: int | None
    headline: str | None
    snippet: str | None = Field(description="Where its copy was not bought: all that was read.")
    words_source: Literal["bought", "read"] | None = Field(description="Where they are from.")
    title: str | None = Field(description="That the user gave it, else a shared one.")
    tags: list[str] = Field(description="The user's, and shared ones.")

    @property
    def days_running(self) -> int | None:
        """From its first to its last day in UTC, both included; None: they are not known."""
        if self.first_shown is None or self.last_shown is None:
            return None
        first, last = (one.astimezone(UTC).date() for one in (self.first_shown, self.last_shown))
        return max((last - first).days + 1, 0) or None


class AdPage(BaseModel):
    """A page of ads that were found, and how many there are in all."""

    ads: list[FoundAd]
    total: int = Field(description="Of all pages.")
    is_total_exact: bool = Field(description="False: there may be more than that.")
    formats: dict[str, int] = Field(
        description="The total, by format; empty where it is not exact."
    )
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
    finder = PlaceFinder(session, filters or AdFilters(), chosen, limit, cursor)
    await session.execute(_PLAN)
    if not terms:
        if query.strip():
            return _nothing(f"{query.strip()[:40]!r} holds no word to search for.")
        return await _read_page(finder, TextCondition(None, "true"))
    page = await _find(finder, terms)
    if not page.total and after is None:
        page = await _search_nearest(finder, terms, page)
    if not page.total and after is None and (unread := await count_unread_ads(session)):
        more = " or more" if unread == MOST_COUNTED else ""
        ads = f"{counted(unread, 'ad')}{more} {'is' if unread == 1 else 'are'}"
        page.notes.append(f"The words of {ads} not read yet; that is done every ten minutes.")
    page.notes += describe_left_out(terms)
    return page


async def _search_nearest(finder: PlaceFinder, terms: Sequence[Term], page: AdPage) -> AdPage:
    """The page of the nearest known words, else `page`, with a line where it may be lacking."""
    missing = await missing_extensions(finder.session)
    notes = page.notes + list(missing.values())
    if "pg_trgm" not in missing:
        corrected = await correct_terms(finder.session, terms=terms)
        if corrected is not None and (found := await _find(finder, corrected)).total:
            words = " ".join(one.written for one in corrected)
            return found.model_copy(update={"searched_instead": words})
    return page.model_copy(update={"notes": notes})


async def _find(finder: PlaceFinder, terms: Sequence[Term]) -> AdPage:
    """The page of ads that have all terms."""
    found = await look_up_terms(finder.session, terms=terms, user_id=finder.filters.user_id)
    if not found:
        return _nothing("The database takes none of this for a word.")
    return await _read_page(finder, text_condition(found))


async def _read_page(finder: PlaceFinder, words: TextCondition) -> AdPage:
    """The page of ads that fulfil a condition of words, and the total."""
    found = await finder.find(words)
    shown = found.places[: finder.limit]
    has_more = len(found.places) > finder.limit
    return AdPage(
        ads=await read_found_ads(
            finder.session, ids=[ad for ad, _ in shown], user_id=finder.filters.user_id
        ),
        total=found.total,
        is_total_exact=found.is_exact,
        formats=found.formats if found.is_exact else {},
        next=Cursor(finder.sort, shown[-1][1], shown[-1][0]).encode() if has_more else None,
        notes=found.notes,
    )


async def read_found_ads(
    session: AsyncSession, *, ids: Sequence[str], user_id: int | None
) -> list[FoundAd]:
    """The stored ads with these ids, in their order, as they are listed.

    Args:
        ids: of the ads; one that is not stored is left out.
        user_id: whose titles and tags are shown, beside shared ones; None: shared ones only.
    """
    rows = await session.execute(_READ, {"ids": list(ids), "user_id": user_id})
    return [FoundAd.model_validate(row) for row in rows.mappings()]


def _nothing(note: str) -> AdPage:
    return AdPage(ads=[], total=0, is_total_exact=True, formats={}, next=None, notes=[note])
