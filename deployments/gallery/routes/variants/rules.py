"""The brand rules that a visitor's variants are checked by, and their stored versions."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from adspark.errors import InvalidQueryError
from adspark.rules.store import list_versions, read_latest, read_version
from deployments.gallery.access.visitor import VisitorDep
from deployments.gallery.failures import NotThereError
from deployments.gallery.numbers import Number
from deployments.gallery.resources import GalleryDep, SessionDep

router = APIRouter(prefix="/rules", include_in_schema=False)

_MOST_LISTED = 100  # versions


@router.get("")
async def show_rules(
    request: Request, gallery: GalleryDep, session: SessionDep, visitor: VisitorDep
) -> HTMLResponse:
    """The files in force for the visitor, and the versions before them."""
    files = [await read_latest(session, user_id=whose) for whose in (None, visitor.user_id)]
    versions = await list_versions(session, user_id=visitor.user_id, most=_MOST_LISTED)
    return gallery.templates.page(
        request, "rules.html", files=[one for one in files if one], versions=versions
    )


@router.get("/{version_id}")
async def show_version(
    request: Request, gallery: GalleryDep, session: SessionDep, version_id: Number
) -> HTMLResponse:
    """One version, as a variant's check names it."""
    try:
        stored = await read_version(session, version_id=version_id)
    except InvalidQueryError as error:
        raise NotThereError("no_rules", "/rules") from error
    return gallery.templates.page(request, "rules.html", files=[stored], versions=[])
