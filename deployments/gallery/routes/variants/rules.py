"""The brand rules that a visitor's variants are checked by, and their stored versions."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from adspark.errors import InvalidQueryError
from adspark.rules.store import list_versions, read_latest, read_version
from deployments.gallery.failures import NotThereError
from deployments.gallery.numbers import Number
from deployments.gallery.resources import PagesDep

router = APIRouter(prefix="/rules", include_in_schema=False)

_MOST_LISTED = 100  # versions


@router.get("")
async def show_rules(pages: PagesDep) -> HTMLResponse:
    """The files in force for the visitor, and the versions before them."""
    session, user_id = pages.session, pages.visitor.user_id
    files = [await read_latest(session, user_id=whose) for whose in (None, user_id)]
    versions = await list_versions(session, user_id=user_id, most=_MOST_LISTED)
    return pages.page("rules.html", files=[one for one in files if one], versions=versions)


@router.get("/{version_id}")
async def show_version(pages: PagesDep, version_id: Number) -> HTMLResponse:
    """One version, as a variant's check names it."""
    try:
        stored = await read_version(pages.session, version_id=version_id)
    except InvalidQueryError as error:
        raise NotThereError("no_rules", "/rules") from error
    return pages.page("rules.html", files=[stored], versions=[])
