"""Tools on advertisers: the profile of one, several compared, one over time."""

from datetime import date
from typing import Annotated

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.insight.figures import (
    Period,
    read_longest,
    read_regions,
    read_share,
    read_timeline,
)
from adspark.library.advertisers.listing import AdvertiserSort, list_advertiser_page
from adspark.library.advertisers.named import resolve_advertiser, resolve_compared
from adspark.library.advertisers.stored import read_report
from adspark.library.coverage import Scope, read_coverage
from adspark.library.filters.parsing import Day
from adspark.validation.days import today
from adspark.validation.numbers import Whole
from deployments.mcp.answers import Answer
from deployments.mcp.coverage import Coverage, cover_scope, running_since
from deployments.mcp.tool import Arguments, Asked, Cursor, Text, tool

_Name = Annotated[Text, Field(description="Id, name or domain.")]
_LONGEST, _REGIONS = 5, 20  # ads that ran longest, and regions, of a profile


class ProfileArguments(Arguments):
    """Whose profile; without an advertiser, which of those stored."""

    advertiser: Annotated[
        _Name | None, Field(description="Id, name or domain; without: a list of those stored.")
    ] = None
    sort: Annotated[AdvertiserSort, Field(description="Of the list.")] = AdvertiserSort.ADS
    limit: Annotated[Whole, Field(ge=1, le=100, description="Of the list.")] = 20
    after: Annotated[Cursor | None, Field(description="`next` of the page of the list before.")] = (
        None
    )


class CompareArguments(Arguments):
    """Who is compared."""

    advertisers: Annotated[list[_Name], Field(min_length=2, max_length=4)]


class TimelineArguments(Arguments):
    """Whose time, and by what."""

    advertiser: _Name
    period: Period = Period.WEEK
    first: Annotated[Day | None, Field(description="From this day on.")] = None
    last: Annotated[Day | None, Field(description="Until this day.")] = None
    limit: Annotated[Whole, Field(ge=1, le=366, description="Periods, the latest first.")] = 26


@tool("show_advertiser", "Show an advertiser")
async def show(asked: Asked, arguments: ProfileArguments) -> Answer:
    """The profile of an advertiser: ads and those running by format, platforms, countries, domains,
    how long its ads last, the longest. Without an advertiser, those stored. Says whether its ads
    were looked for completely.
    """
    session = asked.session
    if arguments.advertiser is None:
        page = await list_advertiser_page(
            session, sort=arguments.sort, limit=arguments.limit, after=arguments.after
        )
        return Answer(await _cover(session), {"advertisers": page})
    found = await resolve_advertiser(session, name=arguments.advertiser)
    regions = await read_regions(session, advertiser_id=found)
    return Answer(
        await _cover(session, found),
        {
            "advertiser": await read_report(session, found),
            "longest": await read_longest(session, advertiser_id=found, limit=_LONGEST),
            "countries": regions[:_REGIONS],
        },
    )


@tool("compare_advertisers", "Compare advertisers")
async def compare(asked: Asked, arguments: CompareArguments) -> Answer:
    """The profiles of two to four advertisers, and their shares of their creatives running today
    (not of money or views). Where one was not looked for completely, its figures are lower bounds.
    """
    session = asked.session
    ids = await resolve_compared(session, names=arguments.advertisers, field="advertisers")
    shares = await read_share(session, advertiser_ids=ids, day=today(), limit=len(ids))
    return Answer(
        await _cover(session, *ids),
        {
            "advertisers": [await read_report(session, one) for one in ids],
            "shares_of_their_creatives_running_today": shares,
        },
    )


@tool("show_timeline", "An advertiser over time")
async def show_time(asked: Asked, arguments: TimelineArguments) -> Answer:
    """Launches, endings and running ads of an advertiser by day, week or month, the latest first; a
    period without a row had none of its stored ads running.
    """
    first, last = arguments.first, arguments.last
    if first is not None and last is not None and last < first:
        raise InvalidQueryError("last", f"{last} lies before first, {first}; swap them.")
    found = await resolve_advertiser(asked.session, name=arguments.advertiser)
    periods = await read_timeline(
        asked.session,
        advertiser_id=found,
        period=arguments.period,
        first=first,
        last=last,
        limit=arguments.limit,
    )
    present = running_since()
    until = present if last is None else min(last, present)
    coverage = await _cover(
        asked.session, found, since=until if first is None else max(first, until)
    )
    return Answer(coverage, {"advertiser_id": found, "periods": periods})


async def _cover(session: AsyncSession, *ids: str, since: date | None = None) -> Coverage:
    """Of advertisers' figures; without a day, those of today are among them."""
    found = await read_coverage(session, Scope(advertiser_ids=ids))
    return cover_scope(found, subjects=ids, since=since or running_since())
