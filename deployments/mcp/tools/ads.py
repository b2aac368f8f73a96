"""Tools on ads: search the stored ones, and show one with its picture."""

from datetime import date
from typing import Annotated

from pydantic import Field

from adspark.library.ads.report import AdReport, read_ad
from adspark.library.coverage import read_coverage, scope_of
from adspark.library.filters.definition import AdFilters
from adspark.library.filters.written import WrittenFilters
from adspark.library.search.cursor import Sort
from adspark.library.search.page import AdPage, search_ads
from adspark.models import CreativeFormat, EventKind, PictureStatus, Platform
from adspark.text.counts import counted
from adspark.text.moments import utc_minute
from adspark.validation.numbers import Whole
from adspark.validation.stored import clean_ad_id
from adspark.watches.reports.watch_pages import read_watch_line
from deployments.mcp.answers import Answer
from deployments.mcp.coverage import (
    Coverage,
    cover_scope,
    cover_watches,
    own_records,
    running_since,
)
from deployments.mcp.pictures import read_picture
from deployments.mcp.tool import Arguments, Asked, Cursor, Text, tool

_OWN = ("board_id", "tag", "ids")  # filters by what users have collected themselves


class SearchArguments(Arguments):
    """Words and filters of a search; all of them have to match."""

    words: Annotated[
        Text, Field(description='Words, "a phrase", begin*, -without, one OR other.')
    ] = ""
    advertiser: Annotated[
        tuple[Text, ...],
        Field(max_length=20, description="Ids, names or domains; any of them."),
    ] = ()
    format: CreativeFormat | None = None
    platform: Platform | None = None
    region: Annotated[Text | None, Field(description="Country: ISO code or name.")] = None
    domain: Annotated[Text | None, Field(description="That it leads to.")] = None
    first_from: Annotated[Text | None, Field(description="First shown on YYYY-MM-DD or later.")] = (
        None
    )
    first_to: Annotated[Text | None, Field(description="… or earlier.")] = None
    last_from: Annotated[Text | None, Field(description="Last shown on YYYY-MM-DD or later.")] = (
        None
    )
    last_to: Annotated[Text | None, Field(description="… or earlier.")] = None
    running: Annotated[bool | None, Field(description="Shown in the last seven days.")] = None
    least_days: Annotated[
        int | None, Field(ge=1, le=36_500, description="Shown on so many days.")
    ] = None
    size: Annotated[Text | None, Field(description="As 300x250.")] = None
    aspect: Annotated[Text | None, Field(description="landscape, portrait, square or 16:9.")] = None
    board: Annotated[Text | None, Field(description="Name of a board of the user.")] = None
    watch: Annotated[Text | None, Field(description="Name or number of a watch that found it.")] = (
        None
    )
    tag: Text | None = None
    event: Annotated[
        EventKind | None,
        Field(
            description="What a watch noticed of it; of the one that is named, its search may have "
            "been another then."
        ),
    ] = None
    has_words: Annotated[bool | None, Field(description="Its copy is known.")] = None
    sort: Annotated[Sort | None, Field(description="Relevance with words, else newest.")] = None
    limit: Annotated[Whole, Field(ge=1, le=100)] = 20
    after: Annotated[Cursor | None, Field(description="`next` of the page before.")] = None

    def written(self, user_id: int) -> WrittenFilters:
        """The filters."""
        return WrittenFilters(
            advertiser=list(self.advertiser) or None,
            is_running=self.running,
            user=user_id,
            **self.model_dump(exclude={"words", "advertiser", "running", "sort", "limit", "after"}),
        )


class AdArguments(Arguments):
    """Which ad."""

    ad: Annotated[
        Text,
        Field(description="CR and 20 digits, or the ad's address in the Transparency Center."),
    ]


@tool("search_ads", "Search stored ads")
async def search(asked: Asked, arguments: SearchArguments) -> Answer:
    """Stored ads that have the words and fulfil all filters, a page of them, with their total, by
    format where it is exact. Says whether ads of the advertiser or domain were looked for
    completely: if not, none found means not known.
    """
    session = asked.session
    filters = await arguments.written(asked.visitor.user_id).resolve(session)
    page = await search_ads(
        session,
        query=arguments.words,
        filters=filters,
        sort=arguments.sort,
        limit=arguments.limit,
        after=arguments.after,
    )
    coverage = await _cover_search(asked, filters)
    if arguments.words.strip() and filters.has_words is None:
        wordless = filters.model_copy(update={"has_words": False})
        unread = await search_ads(session, filters=wordless, limit=1)
        coverage = _with_unread(coverage, unread)
    return Answer(coverage, {"page": page})


async def _cover_search(asked: Asked, filters: AdFilters) -> Coverage:
    """How complete the stored ads are of which the search was."""
    if any(getattr(filters, name) is not None for name in _OWN):
        return own_records("The user's own boards and tags.")
    first = _first_day(filters)
    if filters.watch_id is not None:
        line = await read_watch_line(asked.session, watch_id=filters.watch_id)
        watches = [(line.row.id, line.row.definition.name, line.looks)] if line else []
        return cover_watches(watches, ads_since=first)
    scope = scope_of(filters)
    found = await read_coverage(asked.session, scope)
    return cover_scope(found, subjects=scope.subjects, since=first)


def _first_day(filters: AdFilters) -> date | None:
    """Since when somebody has to have looked for the search to find all; None: at any time.

    That an ad was not shown after a day, or runs no more, is not known by a look before; of the
    last days, Google itself does not know yet.
    """
    days = [filters.first_shown_from, filters.last_shown_from]
    if filters.last_shown_to is not None:
        days.append(min(filters.last_shown_to, running_since()))
    if filters.is_running is not None:
        days.append(running_since())
    return max((one for one in days if one is not None), default=None)


def _with_unread(coverage: Coverage, unread: AdPage) -> Coverage:
    """The coverage of a search for words that are not known of these of its ads."""
    if not unread.total:
        return coverage
    ads = counted(unread.total, "ad") + ("" if unread.is_total_exact else " or more")
    return coverage.lacking(
        f"{ads} with these filters, whose words are neither bought nor read, "
        "cannot be found by words."
    )


@tool("show_ad", "Show an ad")
async def show(asked: Asked, arguments: AdArguments) -> Answer:
    """Everything stored about one ad, and its picture: words, days, countries, versions, what
    watches noticed, its variants; and what of it is not known.
    """
    ad = await read_ad(
        asked.session,
        ad_creative_id=clean_ad_id(arguments.ad),
        user_id=asked.visitor.user_id,
    )
    await asked.session.rollback()  # no connection waits for the media store
    current = ad.current_picture
    paths = [current.path, current.thumbnail] if current else []
    picture = await read_picture(asked.gallery.media, paths)
    coverage = _cover_ad(ad, has_picture=picture is not None)
    return Answer(coverage, {"ad": ad}, [picture] if picture else [])


def _cover_ad(ad: AdReport, *, has_picture: bool) -> Coverage:
    """What is known of an ad, and what nobody has looked at."""
    seen = max((one.last_matched_at for one in ad.watches), default=ad.stored_at)
    looked_at = [f"Last found at {utc_minute(seen)}."]
    lacking = [] if ad.watches else ["No watch follows it: what it is since then is not known."]
    if ad.details is None or ad.details.answered_at is None:
        lacking.append(
            "Its details were not bought: its landing page, its payer and the countries that it "
            "ran in are not known."
        )
    else:
        looked_at.append(f"Its details were bought at {utc_minute(ad.details.answered_at)}.")
    if ad.words_source is None:
        lacking.append(f"Its words are not known: {ad.words}.")
    if not has_picture:
        lacking.append(f"Its picture is not shown: {_describe_picture(ad)}.")
    return Coverage(is_complete=not lacking, as_of=seen, looked_at=looked_at, not_looked_at=lacking)


def _describe_picture(ad: AdReport) -> str:
    current = ad.current_picture
    if current is None or current.status is PictureStatus.PENDING:
        return "it is not fetched yet"
    return f"it is {current.status}" if current.status is not PictureStatus.STORED else "too large"
