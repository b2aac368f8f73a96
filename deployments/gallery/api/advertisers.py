"""Stored advertisers for programs: listed, found, one with its facts, and its insight figures."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException

from adspark.errors import InvalidQueryError
from adspark.insight.campaigns import Campaigns, find_campaigns
from adspark.insight.figures import (
    LongestRow,
    MixRow,
    Period,
    PeriodRow,
    RegionRow,
    ShareRow,
    read_longest,
    read_mix,
    read_regions,
    read_share,
    read_timeline,
)
from adspark.insight.snapshot import LibraryOnDay, read_library_on
from adspark.insight.survival import Survival, read_survival
from adspark.library.advertisers.listing import AdvertiserPage, AdvertiserSort, list_advertiser_page
from adspark.library.advertisers.named import (
    FoundAdvertisers,
    find_advertisers,
    resolve_advertisers,
)
from adspark.library.advertisers.stored import AdvertiserReport, read_report, read_rows
from adspark.library.filters.parsing import Day
from adspark.validation.days import today
from adspark.validation.numbers import Whole
from adspark.validation.stored import check_storable
from deployments.gallery.resources import SessionDep

router = APIRouter(tags=["advertisers"])

_Limit = Annotated[Whole, Query(ge=1, le=1000)]
_Day = Annotated[Day | None, Query(description="UTC; today where it is left out.")]


async def _stored_id(session: SessionDep, advertiser_id: str) -> str:
    """The id of a stored advertiser. Raises HTTPException (404) where there is none."""
    try:
        check_storable("advertiser", advertiser_id)
    except InvalidQueryError as error:
        raise HTTPException(404) from error
    if not await read_rows(session, [advertiser_id]):
        raise HTTPException(404, f"No advertiser {advertiser_id[:60]!r} is stored.")
    return advertiser_id


AdvertiserDep = Annotated[str, Depends(_stored_id)]


@router.get("/advertisers")
async def list_stored(
    session: SessionDep,
    sort: AdvertiserSort = AdvertiserSort.ADS,
    limit: _Limit = 50,
    after: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> AdvertiserPage:
    """All stored advertisers, a page of them."""
    return await list_advertiser_page(session, sort=sort, limit=limit, after=after or None)


@router.get("/advertisers/find")
async def find(
    session: SessionDep,
    name: Annotated[str, Query(description="A name, a domain or an address.")],
    limit: Annotated[Whole, Query(ge=1, le=200)] = 20,
) -> FoundAdvertisers:
    """Stored advertisers of a name or domain, the best match first."""
    return await find_advertisers(session, name=name, limit=limit)


@router.get("/advertisers/{advertiser_id}")
async def read_one(session: SessionDep, advertiser: AdvertiserDep) -> AdvertiserReport:
    """Everything that is stored about an advertiser."""
    return await read_report(session, advertiser)


@router.get("/advertisers/{advertiser_id}/timeline", tags=["insight"])
async def read_periods(
    session: SessionDep,
    advertiser: AdvertiserDep,
    period: Period = Period.WEEK,
    first: Annotated[Day | None, Query(description="From this day on.")] = None,
    last: Annotated[Day | None, Query(description="Until this day.")] = None,
    limit: _Limit = 52,
) -> list[PeriodRow]:
    """Launches, endings and running ads by day, week or month, the latest first."""
    return await read_timeline(
        session, advertiser_id=advertiser, period=period, first=first, last=last, limit=limit
    )


@router.get("/advertisers/{advertiser_id}/mix", tags=["insight"])
async def read_kinds(session: SessionDep, advertiser: AdvertiserDep) -> list[MixRow]:
    """Ads by format, size and platform."""
    return await read_mix(session, advertiser_id=advertiser)


@router.get("/advertisers/{advertiser_id}/regions", tags=["insight"])
async def read_countries(session: SessionDep, advertiser: AdvertiserDep) -> list[RegionRow]:
    """Regions entered and left."""
    return await read_regions(session, advertiser_id=advertiser)


@router.get("/advertisers/{advertiser_id}/longest", tags=["insight"])
async def read_longest_running(
    session: SessionDep, advertiser: AdvertiserDep, limit: _Limit = 20
) -> list[LongestRow]:
    """The ads with the most days from the first to the last one."""
    return await read_longest(session, advertiser_id=advertiser, limit=limit)


@router.get("/advertisers/{advertiser_id}/survival", tags=["insight"])
async def read_curve(session: SessionDep, advertiser: AdvertiserDep) -> Survival:
    """How long ads last (Kaplan-Meier); ads that still run are censored."""
    return await read_survival(session, advertiser_id=advertiser)


@router.get("/advertisers/{advertiser_id}/campaigns", tags=["insight"])
async def read_campaigns(session: SessionDep, advertiser: AdvertiserDep) -> Campaigns:
    """Near-duplicates among its ads, as versions of one."""
    return await find_campaigns(session, advertiser_id=advertiser)


@router.get("/advertisers/{advertiser_id}/library", tags=["insight"])
async def read_on_day(
    session: SessionDep, advertiser: AdvertiserDep, day: _Day = None, limit: _Limit = 100
) -> LibraryOnDay:
    """The ads that ran on a day, by their first and last days as known now."""
    return await read_library_on(session, advertiser_id=advertiser, day=day or today(), limit=limit)


@router.get("/share", tags=["insight"])
async def read_shares(
    session: SessionDep,
    advertiser: Annotated[
        list[str] | None,
        Query(description="Ids, names or domains, 100 at most; among all stored without."),
    ] = None,
    day: _Day = None,
    limit: _Limit = 100,
) -> list[ShareRow]:
    """Shares of the creatives seen running on a day; not of money or of views."""
    ids = await resolve_advertisers(session, names=advertiser) if advertiser else None
    return await read_share(session, advertiser_ids=ids, day=day or today(), limit=limit)
