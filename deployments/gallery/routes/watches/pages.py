"""Watches: the list of them, all about one, pausing and deleting."""

from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from adspark.errors import ServiceUnavailableError
from adspark.library.filters.written import choose
from adspark.models import EventKind
from adspark.watches.reports.news_pages import NEWS_KINDS, read_news_events
from adspark.watches.reports.watch_pages import read_look_cost, read_watch_page
from adspark.watches.store import count_contents, delete_watch, set_active
from adspark.watches.stored import WatchState, list_fetches, partial_fetches
from deployments.gallery.failures import NotThereError
from deployments.gallery.forms import CHANGES
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.resources import PagesDep, SessionDep, VisitorPages
from deployments.gallery.routes.watches.lookup import read_line
from deployments.gallery.routes.watches.news import read_ads_of
from deployments.gallery.routes.watches.paging import read_place
from deployments.gallery.routes.watches.progress import LookProgress, read_progress

router = APIRouter(include_in_schema=False)

_WATCHES = 25  # of a page
_EVENTS, _LOOKS = 12, 20  # that the page of a watch shows
_EVER = datetime.fromtimestamp(0, UTC)


@router.get("/watches")
async def show_watches(pages: PagesDep) -> HTMLResponse:
    """The list."""
    request = pages.request
    name = request.query_params.get("name", "").strip()[:200].replace("\0", "")
    state = choose("state", WatchState, request.query_params.get("state"))
    place = read_place(request, _WATCHES)
    page = await read_watch_page(
        pages.session, name=name, state=state, limit=place.size, offset=place.offset
    )
    if not page.lines and place.number > 1:
        raise HTTPException(404)
    return pages.page(
        "watches.html",
        page=page,
        name=name,
        state=state or "",
        states=list(WatchState),
        place=place,
        is_last=place.is_last(page.total),
    )


@router.get("/watches/{watch_id}")
async def show_watch(pages: PagesDep, watch_id: Number) -> HTMLResponse:
    """All about one watch, and how far a look is that was started on the page."""
    session = pages.session
    # Before anything is read: no connection waits for Prefect.
    progress, problem = await _read_progress(pages, watch_id)
    line = await read_line(session, watch_id)
    found = await read_news_events(session, watch_ids=[watch_id], since=_EVER, most=_EVENTS)
    events = found[:_EVENTS]
    fetches = await list_fetches(session, watch_id=watch_id, limit=_LOOKS)
    return pages.page(
        "watch.html",
        line=line,
        look_cost=await read_look_cost(session, line=line),
        events=events,
        ads=await read_ads_of(session, events, pages.visitor.user_id),
        kinds=[EventKind.BASELINE, *NEWS_KINDS],
        fetches=fetches,
        partial=partial_fetches(fetches, line.looks.coverage),
        progress=progress,
        problem=problem,
    )


@router.post("/watches/{watch_id}/pause", dependencies=CHANGES)
async def pause(session: SessionDep, watch_id: Number) -> RedirectResponse:
    """Let a watch rest."""
    return await _set_active(session, watch_id, is_active=False)


@router.post("/watches/{watch_id}/resume", dependencies=CHANGES)
async def resume(session: SessionDep, watch_id: Number) -> RedirectResponse:
    """Let a paused watch be looked at again."""
    return await _set_active(session, watch_id, is_active=True)


@router.get("/watches/{watch_id}/delete")
async def confirm_delete(pages: PagesDep, watch_id: Number) -> HTMLResponse:
    """What goes with the watch, before it is deleted."""
    line = await read_line(pages.session, watch_id)
    contents = await count_contents(pages.session, watch_id=watch_id)
    return pages.page("watch_delete.html", line=line, contents=contents)


@router.post("/watches/{watch_id}/delete", dependencies=CHANGES)
async def delete(session: SessionDep, watch_id: Number) -> RedirectResponse:
    """Delete the watch; the ads stay."""
    if not await delete_watch(session, watch_id=watch_id):
        raise NotThereError("no_watch", "/watches")
    await session.commit()
    return lead_to("/watches", "watch_deleted")


async def _set_active(session: SessionDep, watch_id: int, *, is_active: bool) -> RedirectResponse:
    line = await read_line(session, watch_id)
    is_changed = await set_active(session, watch_id=watch_id, is_active=is_active)
    await session.commit()
    done = ("watch_resumed" if is_active else "watch_paused") if is_changed else "watch_already"
    if done == "watch_resumed" and line.cost.left == 0:
        done = "watch_resumed_no_budget"
    return lead_to(f"/watches/{watch_id}", done)


async def _read_progress(pages: VisitorPages, watch_id: int) -> tuple[LookProgress | None, str]:
    """How far a look is, or why that cannot be said; the rest of the page needs no Prefect."""
    run = pages.request.query_params.get("run", "")
    if not run:
        return None, ""
    try:
        return await read_progress(pages.gallery, pages.session, watch_id, run), ""
    except ServiceUnavailableError as error:
        return None, error.sentence
