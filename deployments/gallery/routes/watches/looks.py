"""Look at a watch now: start the run that does it, and tell how far it is."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse

from deployments.gallery.access.visitor import SpenderDep
from deployments.gallery.failures import NotThereError
from deployments.gallery.forms import FormDep, read_key
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.resources import GalleryDep, SessionDep
from deployments.gallery.routes.watches.lookup import read_watch_row
from deployments.gallery.routes.watches.progress import FLOW, read_progress
from deployments.gallery.runs import start_once

router = APIRouter(include_in_schema=False)


@router.post("/watches/{watch_id}/look")
async def look_now(
    session: SessionDep, _visitor: SpenderDep, form: FormDep, watch_id: Number
) -> RedirectResponse:
    """Start a look, which may cost searches; one that is under way is followed."""
    watch = await read_watch_row(session, watch_id)
    if not watch.is_active:
        return lead_to(f"/watches/{watch_id}", "watch_paused")
    await session.rollback()  # no connection waits for Prefect
    run = await start_once(FLOW, {"watch_id": watch_id}, key=read_key(form))
    return lead_to(f"/watches/{watch_id}?run={run}")


@router.get("/watches/{watch_id}/look/{run}")
async def tell_progress(
    gallery: GalleryDep, session: SessionDep, watch_id: Number, run: str
) -> JSONResponse:
    """How far a look is, for the page's script."""
    try:
        progress = await read_progress(gallery, session, watch_id, run)
    except NotThereError:
        return JSONResponse({"text": "", "is_final": True}, 404)
    return JSONResponse(progress.model_dump(mode="json"))
