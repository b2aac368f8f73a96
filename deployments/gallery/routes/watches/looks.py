"""Look at a watch now: start the run that does it, and tell how far it is."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse

from deployments.gallery.access.visitor import SpenderDep
from deployments.gallery.failures import NotThereError
from deployments.gallery.forms import FormDep
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.prefect_server import open_prefect
from deployments.gallery.resources import GalleryDep, SessionDep
from deployments.gallery.routes.watches.lookup import read_watch_row
from deployments.gallery.routes.watches.progress import FLOW, read_progress
from deployments.operations.runs.start import start_run

router = APIRouter(include_in_schema=False)


@router.post("/watches/{watch_id}/look")
async def look_now(
    gallery: GalleryDep,
    session: SessionDep,
    _visitor: SpenderDep,
    _form: FormDep,
    watch_id: Number,
) -> RedirectResponse:
    """Start a look, which may cost searches."""
    watch = await read_watch_row(session, watch_id)
    if not watch.is_active:
        return lead_to(f"/watches/{watch_id}", "watch_paused")
    async with open_prefect() as client:
        run = await start_run(client, FLOW, {"watch_id": watch_id})
    return lead_to(f"/watches/{watch_id}?run={run.id}")


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
