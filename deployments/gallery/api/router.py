"""The addresses of the JSON interface, and a page that leads to them."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse

from deployments.gallery.access.sign_in import SECURITY_SCHEMES
from deployments.gallery.api import ads, advertisers, batches, boards, export, variants, watches
from deployments.gallery.api.description import PREFIX, check_parameters, describe_api
from deployments.gallery.api.failures import Failure
from deployments.gallery.resources import GalleryDep

_FAILURES: dict[int | str, dict[str, Any]] = {
    404: {"model": Failure, "description": "Nothing has this id."},
    422: {
        "model": Failure,
        "description": "A parameter is wrong, or what it names is not there.",
    },
    503: {"model": Failure, "description": "The database does not answer, or is busy."},
}
_SIGN_IN_FAILURES: dict[int | str, dict[str, Any]] = {
    401: {"model": Failure, "description": "Nobody has signed in, or not with this password."},
    429: {"model": Failure, "description": "Too many passwords were wrong; Retry-After says when."},
}
router = APIRouter(prefix=PREFIX)
for _part in (ads, advertisers, watches, boards, variants, batches, export):
    router.include_router(
        _part.router, dependencies=[Depends(check_parameters)], responses=_FAILURES
    )


@router.get("/openapi.json", include_in_schema=False)
async def describe(request: Request) -> JSONResponse:
    """The description of all addresses, in OpenAPI."""
    return JSONResponse(describe_api(request))


@router.get("", include_in_schema=False)
async def show_page(request: Request, gallery: GalleryDep) -> HTMLResponse:
    """A page that says what there is for programs."""
    return gallery.templates.page(request, "api.html")


guarded = APIRouter()
"""The same where people have to sign in, and what else can go wrong there."""
guarded.include_router(router, dependencies=SECURITY_SCHEMES, responses=_SIGN_IN_FAILURES)
