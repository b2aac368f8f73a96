"""Advertisers: a list of those stored, and the profile of one."""

from dataclasses import dataclass, field
from datetime import date

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import QueryParams

from adspark.errors import InvalidQueryError
from adspark.insight.figures import read_own_share
from adspark.insight.snapshot import read_library_on
from adspark.insight.watching import read_advertiser_watches
from adspark.library.advertisers.listing import AdvertiserPage, AdvertiserSort, list_advertiser_page
from adspark.library.advertisers.named import FoundAdvertisers, find_advertisers
from adspark.library.advertisers.stored import read_domains
from adspark.library.filters.parsing import parse_day
from adspark.library.filters.written import choose
from adspark.validation.days import check_day_has_come, today
from deployments.gallery.failures import NotThereError
from deployments.gallery.resources import PagesDep
from deployments.gallery.routes.advertisers.profiles import (
    DEFAULT_SPAN,
    SPANS,
    Profile,
    draw_charts,
    read_profile,
    read_span,
)

router = APIRouter(include_in_schema=False)

_PAGE = 50  # advertisers
_MOST_FOUND = 100  # advertisers of a name
_ON_DAY = 24  # ads
_LONGEST = 6  # ads
_FIELDS = frozenset(("q", "sort", "after"))


@dataclass
class _List:
    """Advertisers to show: a page of all, or those of a name; or what is wrong."""

    page: AdvertiserPage | None = None
    found: FoundAdvertisers | None = None
    problems: dict[str, str] = field(default_factory=dict)


@router.get("/advertisers")
async def show_advertisers(pages: PagesDep) -> HTMLResponse:
    """The list of advertisers."""
    given = pages.request.query_params
    shown = await _read_list(pages.session, given)
    return pages.page(
        "advertisers.html",
        status=422 if shown.problems else 200,
        page=shown.page,
        found=shown.found,
        most_found=_MOST_FOUND,
        problems=shown.problems,
        given=given,
        sorts=list(AdvertiserSort),
    )


@router.get("/advertisers/{advertiser_id}")
async def show_advertiser(pages: PagesDep, advertiser_id: str) -> HTMLResponse:
    """The profile of an advertiser."""
    session, given = pages.session, pages.request.query_params
    problems: dict[str, str] = {}
    span = _read_span(given, problems)
    try:
        profile = await read_profile(
            session,
            advertiser_id=advertiser_id,
            user_id=pages.visitor.user_id,
            span=span,
            longest=_LONGEST,
        )
    except InvalidQueryError as error:
        raise NotThereError("no_advertiser", "/advertisers") from error
    day = _read_day(given, problems)
    return pages.page(
        "advertiser.html",
        status=422 if problems else 200,
        profile=profile,
        advertiser=profile.row,
        domains=await read_domains(session, advertiser_id=advertiser_id),
        charts=draw_charts([profile])[0],
        share=await read_own_share(session, advertiser_id=advertiser_id),
        watches=await read_advertiser_watches(session, advertiser_id=advertiser_id),
        on_day=await read_library_on(session, advertiser_id=advertiser_id, day=day, limit=_ON_DAY),
        days=(_first_day(profile), today()),
        span=span,
        spans=SPANS,
        problems=problems,
        given=given,
    )


async def _read_list(session: AsyncSession, parameters: QueryParams) -> _List:
    name = " ".join(parameters.get("q", "").split())
    try:
        sort = choose("sort", AdvertiserSort, parameters.get("sort"))
        if name:
            found = await find_advertisers(session, name=name, limit=_MOST_FOUND)
            return _List(found=_sorted(found, sort))
        page = await list_advertiser_page(
            session,
            sort=sort or AdvertiserSort.ADS,
            limit=_PAGE,
            after=parameters.get("after") or None,
        )
    except InvalidQueryError as error:
        field = "q" if error.field == "name" else error.field
        return _List(problems={field if field in _FIELDS else "": error.sentence})
    return _List(page=page)


def _sorted(found: FoundAdvertisers, sort: AdvertiserSort | None) -> FoundAdvertisers:
    """The found ones in an order; the best match first where none is chosen."""
    rows = found.advertisers
    match sort:
        case AdvertiserSort.ADS:
            rows = sorted(rows, key=lambda one: -one.ads)
        case AdvertiserSort.RUNNING:
            rows = sorted(rows, key=lambda one: -one.running)
        case AdvertiserSort.LATEST:
            rows = sorted(
                rows, key=lambda one: -one.last_seen_at.timestamp() if one.last_seen_at else 0
            )
        case AdvertiserSort.NAME:
            rows = sorted(rows, key=lambda one: one.name.lower())
    return found.model_copy(update={"advertisers": rows})


def _read_span(parameters: QueryParams, problems: dict[str, str]) -> int:
    try:
        return read_span(parameters.get("weeks"))
    except InvalidQueryError as error:
        problems["weeks"] = error.sentence
        return DEFAULT_SPAN


def _read_day(parameters: QueryParams, problems: dict[str, str]) -> date:
    """The day that is asked for, else today; notes what is wrong with it."""
    written = parameters.get("day", "").strip() or None
    try:
        day = parse_day("day", written)
        check_day_has_come("day", day)
    except InvalidQueryError as error:
        problems["day"] = error.sentence
        return today()
    return day or today()


def _first_day(profile: Profile) -> date:
    """The first day of the slider."""
    first = profile.row.first_seen_at
    return min(first.date(), today()) if first else today()
