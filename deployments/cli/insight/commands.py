"""`adspark insight`: what the stored ads of an advertiser tell, from the views that BI tools read.

They are those of the running stack, else of the configured database; no search is spent.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.errors import InvalidQueryError
from adspark.insight.campaigns import find_campaigns
from adspark.insight.figures import (
    Period,
    PeriodRow,
    ShareRow,
    read_longest,
    read_mix,
    read_regions,
    read_share,
    read_timeline,
)
from adspark.insight.snapshot import read_library_on
from adspark.insight.survival import read_survival
from adspark.library.advertisers.named import resolve_advertiser, resolve_advertisers
from adspark.library.filters.parsing import parse_day
from adspark.library.search.page import LIMIT
from adspark.validation.days import check_day_has_come, today
from deployments.cli.database import in_session
from deployments.cli.insight import tables
from deployments.cli.insight.documents import (
    CampaignsDocument,
    LibraryDocument,
    LongestDocument,
    MixDocument,
    RegionsDocument,
    ShareDocument,
    SurvivalDocument,
    TimelineDocument,
)
from deployments.cli.options import JsonOption
from deployments.cli.ranges import ranged
from deployments.terminal.output import print_json

_Result = TypeVar("_Result")
_SHOWN = 20

Name = Annotated[str, Argument(help="Advertiser: name, domain or id (AR and 20 digits).")]
LimitOption = Annotated[int, ranged(LIMIT, help="How many.")]
DayOption = Annotated[str | None, Option("--on", metavar="DAY", help="Default: today (UTC).")]

app = typer.Typer()


@app.command()
def timeline(
    name: Name,
    by: Annotated[Period, Option(help="By day, week (from Monday) or month.")] = Period.WEEK,
    first: Annotated[str | None, Option("--from", metavar="DAY", help="From this day on.")] = None,
    last: Annotated[str | None, Option("--to", metavar="DAY", help="Until this day.")] = None,
    limit: LimitOption = _SHOWN,
    as_json: JsonOption = False,
) -> None:
    """Show launches, endings and running ads by day, week or month."""
    begin, end = parse_day("from", first), parse_day("to", last)
    check_day_has_come("from", begin)
    if begin and end and begin > end:
        raise InvalidQueryError("to", f"{end} lies before from, {begin}; swap them.")

    async def act(session: AsyncSession, advertiser_id: str) -> list[PeriodRow]:
        return await read_timeline(
            session, advertiser_id=advertiser_id, period=by, first=begin, last=end, limit=limit
        )

    rows = _of_advertiser(name, act)
    print_json(TimelineDocument(periods=rows)) if as_json else tables.print_timeline(
        rows, by, limit
    )


@app.command()
def mix(name: Name, as_json: JsonOption = False) -> None:
    """Show formats, sizes and platforms."""
    rows = _of_advertiser(name, lambda session, one: read_mix(session, advertiser_id=one))
    print_json(MixDocument(mix=rows)) if as_json else tables.print_mix(rows)


@app.command()
def regions(name: Name, as_json: JsonOption = False) -> None:
    """Show the regions that were entered and left."""
    rows = _of_advertiser(name, lambda session, one: read_regions(session, advertiser_id=one))
    print_json(RegionsDocument(regions=rows)) if as_json else tables.print_regions(rows)


@app.command()
def longest(name: Name, limit: LimitOption = _SHOWN, as_json: JsonOption = False) -> None:
    """List the ads that were, or are, shown for the longest time."""
    rows = _of_advertiser(
        name, lambda session, one: read_longest(session, advertiser_id=one, limit=limit)
    )
    print_json(LongestDocument(ads=rows)) if as_json else tables.print_longest(rows, limit)


@app.command()
def survival(name: Name, as_json: JsonOption = False) -> None:
    """Show how long ads last (Kaplan-Meier; those that still run are censored, not ended)."""
    curve = _of_advertiser(name, lambda session, one: read_survival(session, advertiser_id=one))
    print_json(SurvivalDocument.of(curve)) if as_json else tables.print_survival(curve)


@app.command()
def share(
    names: Annotated[
        list[str] | None, Argument(metavar="NAME...", help="Among these; none: all stored.")
    ] = None,
    on: DayOption = None,
    limit: LimitOption = _SHOWN,
    as_json: JsonOption = False,
) -> None:
    """Show advertisers' shares of the creatives seen running on a day.

    A share of creatives that were seen, not of money or of views.
    """
    day = _day(on)

    async def act(session: AsyncSession) -> list[ShareRow]:
        ids = await resolve_advertisers(session, names=names) if names else None
        return await read_share(session, advertiser_ids=ids, day=day, limit=limit)

    rows = in_session(act)
    print_json(ShareDocument(day=day, shares=rows)) if as_json else tables.print_shares(
        rows, day, limit
    )


@app.command()
def campaigns(name: Name, limit: LimitOption = _SHOWN, as_json: JsonOption = False) -> None:
    """List near-duplicates: ads that look alike or say the same, as versions of one campaign."""
    found = _of_advertiser(name, lambda session, one: find_campaigns(session, advertiser_id=one))
    shown = found.model_copy(update={"campaigns": found.campaigns[:limit]})
    print_json(CampaignsDocument.of(shown)) if as_json else tables.print_campaigns(
        shown, len(found.campaigns)
    )


@app.command()
def library(
    name: Name, on: DayOption = None, limit: LimitOption = _SHOWN, as_json: JsonOption = False
) -> None:
    """List the ads that ran on a day, as they looked then."""
    day = _day(on)
    found = _of_advertiser(
        name,
        lambda session, one: read_library_on(session, advertiser_id=one, day=day, limit=limit),
    )
    print_json(LibraryDocument.of(found)) if as_json else tables.print_library(found)


def _day(on: str | None) -> date:
    """The day that is meant, else today; InvalidQueryError for one that is to come."""
    day = parse_day("on", on)
    check_day_has_come("on", day)
    return day or today()


def _of_advertiser(name: str, read: Callable[[AsyncSession, str], Awaitable[_Result]]) -> _Result:
    """What is read of the advertiser that a person names."""

    async def act(session: AsyncSession) -> _Result:
        return await read(session, await resolve_advertiser(session, name=name))

    return in_session(act)
