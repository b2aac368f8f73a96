"""What is new: launches, changes, endings and returns of every watch, and how complete it is."""

from datetime import datetime, timedelta
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException

from adspark.library.filters.written import choose
from adspark.library.search.page import FoundAd, read_found_ads
from adspark.models import EventKind
from adspark.watches.reports.news_pages import (
    MOST_COUNTED,
    NEWS_KINDS,
    NewsEvent,
    NewsPage,
    Shown,
    count_ads_of_events,
    read_news_events,
    read_news_page,
)
from deployments.environment.stack_settings import HOST
from deployments.gallery.resources import Gallery, PagesDep
from deployments.gallery.routes.watches.paging import read_place
from deployments.gallery.routes.watches.visits import Visits, keep_visits, read_visits

router = APIRouter(include_in_schema=False)

_WATCHES = 8  # of a page
_MOST = 4  # events of each kind of a watch


class _Period(StrEnum):
    """Of which the news are shown."""

    DAY = "day"
    WEEK = "week"
    VISIT = "visit"


_SPANS = {_Period.DAY: timedelta(days=1), _Period.WEEK: timedelta(days=7)}


@router.get("/")
async def show_news(pages: PagesDep) -> HTMLResponse:
    """The first page."""
    request, session, visitor = pages.request, pages.session, pages.visitor
    visits = read_visits(request, visitor)
    period = choose("since", _Period, request.query_params.get("since")) or _Period.DAY
    shown = choose("show", Shown, request.query_params.get("show")) or Shown.ALL
    place = read_place(request, _WATCHES)
    since = _begin(period, visits)
    page = await read_news_page(
        session, since=since, shown=shown, limit=place.size, offset=place.offset
    )
    if not page.watches and place.number > 1:
        raise HTTPException(404)
    with_news = [one.id for one in page.watches if one.news]
    events = await read_news_events(session, watch_ids=with_news, since=since, most=_MOST)
    answer = pages.page(
        "news.html",
        totals=page.totals,
        watches=page.watches,
        kinds=NEWS_KINDS,
        events=_by_watch_and_kind(events),
        ads=await read_ads_of(session, events, visitor.user_id),
        in_library=await count_ads_of_events(session, which=_shown_counts(page)),
        most_counted=MOST_COUNTED,
        periods=list(_Period),
        period=period,
        since=since,
        now=visits.now,
        sandbox=_sandbox_url(pages.gallery),
        is_first_visit=visits.before is None,
        shown=str(shown),
        place=place,
        is_last=place.is_last(_count(page, shown)),
    )
    keep_visits(request, answer, visitor, visits)
    return answer


async def read_ads_of(
    session: AsyncSession, events: list[NewsEvent], user_id: int
) -> dict[str, FoundAd]:
    """The stored ads of events, by their ids.

    Args:
        events: of any watches.
        user_id: whose titles the ads get.
    """
    ids = list(dict.fromkeys(one.ad_creative_id for one in events if one.is_stored))
    found = await read_found_ads(session, ids=ids, user_id=user_id) if ids else []
    return {one.ad_creative_id: one for one in found}


def _begin(period: _Period, visits: Visits) -> datetime:
    """When the news of a period begin; without a visit before, yesterday."""
    if period is _Period.VISIT and visits.before is not None:
        return visits.before
    return visits.now - _SPANS.get(period, _SPANS[_Period.DAY])


def _by_watch_and_kind(events: list[NewsEvent]) -> dict[tuple[int, EventKind], list[NewsEvent]]:
    grouped: dict[tuple[int, EventKind], list[NewsEvent]] = {}
    for one in events:
        grouped.setdefault((one.watch_id, one.kind), []).append(one)
    return grouped


def _shown_counts(page: NewsPage) -> list[tuple[int, EventKind]]:
    """The watches and kinds of which the page shows a number with a link to the library."""
    kinds = (EventKind.BASELINE, *NEWS_KINDS)
    return [
        (watch.id, kind) for watch in page.watches for kind in kinds if getattr(watch, kind.value)
    ]


def _sandbox_url(gallery: Gallery) -> str | None:
    """The address of the sandbox, where ads are searched there."""
    address = f"http://{HOST}:{gallery.settings.sandbox_port}"
    return address if gallery.settings.serpapi_url == address else None


def _count(page: NewsPage, shown: Shown) -> int:
    """How many watches stand on all pages."""
    totals = page.totals
    return {
        Shown.ALL: totals.watches,
        Shown.NEWS: totals.with_news,
        Shown.INCOMPLETE: totals.incomplete,
    }[shown]
