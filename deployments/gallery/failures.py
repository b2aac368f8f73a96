"""Pages for what went wrong: they say what happened and lead on; programs get JSON instead."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from adspark.errors import (
    AdSparkError,
    BusyError,
    ConfigurationError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    ServiceUnavailableError,
    UnknownVariantError,
)
from deployments.gallery.api.failures import describe_failure, is_for_program
from deployments.gallery.forms import OutdatedFormError
from deployments.gallery.resources import Gallery

_RETRY = 5  # seconds after which a page is loaded again whose server has a part away
_LOG = logging.getLogger(__name__)


class NotThereError(Exception):
    """What an address names is not there; its page says so and leads to the list of such things.

    Args:
        what: name of the text about it, in the table `failure`.
        lead: path of the list.
    """

    def __init__(self, what: str, lead: str) -> None:
        super().__init__(what)
        self.what = what
        self.lead = lead


def add_failure_pages(app: FastAPI) -> None:
    """Let the application answer errors with pages."""
    app.exception_handler(HTTPException)(_show_http_error)
    app.exception_handler(RequestValidationError)(_show_unknown_address)
    app.exception_handler(OutdatedFormError)(_show_outdated_form)
    app.exception_handler(NotThereError)(_show_not_there)
    app.exception_handler(AdSparkError)(show_own_error)
    app.exception_handler(Exception)(_show_unforeseen)


async def _show_http_error(request: Request, error: HTTPException) -> Response:
    if is_for_program(request):
        return describe_failure(request, error)
    if error.status_code == 404:
        return _page(request, 404, "not_found")
    if error.status_code == 403:
        return _page(request, 403, "forbidden")
    return _page(request, error.status_code, "refused", detail=str(error.detail))


async def _show_unknown_address(request: Request, error: RequestValidationError) -> Response:
    if is_for_program(request):
        return describe_failure(request, error)
    return _page(request, 404, "not_found")


async def _show_outdated_form(request: Request, _: OutdatedFormError) -> Response:
    return _page(request, 403, "outdated_form")


async def _show_not_there(request: Request, error: NotThereError) -> Response:
    return _page(request, 404, error.what, lead=error.lead)


async def show_own_error(request: Request, error: AdSparkError) -> Response:
    """The page, or for a program the JSON, about an error that AdSpark raised on purpose."""
    if is_for_program(request):
        return describe_failure(request, error)
    if isinstance(error, UnknownVariantError):
        return _page(request, 404, "no_variant")
    if isinstance(error, BusyError):
        return _page(request, 503, "busy", detail=str(error), retry=_RETRY)
    if isinstance(error, DatabaseUnavailableError | DatabaseSetupError):
        _LOG.warning("%s: %s", request.url.path, error)
        return _page(request, 503, "no_database", detail=str(error), retry=_RETRY)
    if isinstance(error, ServiceUnavailableError):
        return _page(request, 503, "unavailable", detail=str(error), retry=_RETRY)
    if isinstance(error, ConfigurationError):
        return _page(request, 400, "bad_request", detail=str(error))
    return _page(request, 500, "failed", detail=str(error))


async def _show_unforeseen(request: Request, error: Exception) -> Response:
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    if is_for_program(request):
        return describe_failure(request, error)
    return _page(request, 500, "unforeseen")


def _page(
    request: Request,
    status: int,
    what: str,
    *,
    detail: str = "",
    retry: int | None = None,
    lead: str = "/library",
) -> Response:
    gallery: Gallery = request.app.state.gallery
    again = retry if request.method == "GET" else None
    page = gallery.templates.page(
        request,
        "failure.html",
        status=status,
        what=what,
        detail=detail,
        retry=again,
        lead=lead,
    )
    if retry is not None:
        page.headers["Retry-After"] = str(retry)
    return page
