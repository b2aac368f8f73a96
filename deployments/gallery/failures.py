"""Pages for what went wrong: they say what happened and lead on; programs get JSON instead."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Router

from adspark.errors import (
    AdSparkError,
    BusyError,
    ConfigurationError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    InvalidQueryError,
    ServiceUnavailableError,
    UnknownBatchError,
    UnknownVariantError,
)
from adspark.validation.messages import describe_validation_error
from deployments.gallery.access.visitor import is_shared
from deployments.gallery.api.failures import describe_failure, is_for_program
from deployments.gallery.forms import KeptFormError, OtherUsersFormError, OutdatedFormError
from deployments.gallery.notices import lead_to, own_address, page_before
from deployments.gallery.prefect_server import PrefectAwayError
from deployments.gallery.resources import Gallery
from deployments.gallery.templating import with_query
from deployments.gallery.typed import read_typed

_RETRY = 5  # seconds after which a page is loaded again whose server has a part away
_BATCHES = "/variants/batches"
_LISTS = ("/advertisers", "/boards", _BATCHES, "/variants", "/watches")
# Names of texts, by the list.
_UNKNOWN = {_BATCHES: "no_batch", "/variants": "no_variant", "/watches": "no_watch"}
_REFUSALS = {403: "forbidden", 413: "too_large"}  # names of texts, by the status
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


async def _show_http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _show_methods(request, error)
    if is_for_program(request):
        return describe_failure(request, error)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _show_nothing(request)
    return _page(request, error.status_code, _REFUSALS.get(error.status_code, "refused"))


def _show_methods(request: Request, error: HTTPException) -> Response:
    """Which methods an address has: all that OPTIONS asks for. One that takes forms only leads to
    its page: a browser asks for it once a page that answered a form is loaded again."""
    path = request.url.path
    allowed = [method for method in ("GET", "POST") if _has(request, method, path)]
    if request.method == "GET" and allowed == ["POST"] and not is_for_program(request):
        return lead_to(_page_of(request))
    if "GET" in allowed:
        allowed.insert(1, "HEAD")
    if request.method == "OPTIONS":
        answer = Response(status_code=HTTPStatus.NO_CONTENT)
    elif is_for_program(request):
        answer = describe_failure(request, error)
    else:
        answer = _page(request, error.status_code, "no_method")
    answer.headers["Allow"] = ", ".join([*allowed, "OPTIONS"])
    return answer


def _has(request: Request, method: str, path: str) -> bool:
    """Whether a method can be asked of a path of ours."""
    router: Router = request.app.router
    scope = {**request.scope, "method": method, "path": path}
    return any(route.matches(scope)[0] is Match.FULL for route in router.routes)


def _page_of(request: Request) -> str:
    """The page to which an address that takes forms only belongs: the nearest above it in its path;
    the library where there is none."""
    path = request.url.path.rpartition("/")[0]
    while path and not _has(request, "GET", path):
        path = path.rpartition("/")[0]
    return path or "/library"


def _show_nothing(request: Request) -> Response:
    """That an address leads nowhere; to whom a board was shared, that the link has ended."""
    if is_shared(request):
        return _page(request, 404, "no_link")
    return _page(request, 404, "not_found", lead=_list_of(request))


def _list_of(request: Request) -> str:
    """The path of the list in which the things of an address stand; else the library's."""
    path = f"{request.url.path}/"
    return next((one for one in _LISTS if path.startswith(f"{one}/")), "/library")


async def _show_unknown_address(request: Request, error: RequestValidationError) -> Response:
    if is_for_program(request):
        return describe_failure(request, error)
    first = error.errors()[0]
    place, name = first["loc"][0], first["loc"][-1]
    if place == "query" and name != "batch":
        return _show_parameter(request, str(name), f"{describe_validation_error(first)}.")
    lead = _BATCHES if name == "batch" else _list_of(request)
    if what := _UNKNOWN.get(lead):
        return _page(request, 404, what, lead=lead)
    return _show_nothing(request)


def _show_parameter(request: Request, name: str, said: str) -> Response:
    """What is wrong with a parameter of an address. Without it there is the page, where it is one
    that is only asked for."""
    detail = f"{name}: {said}"
    if request.method == "POST":
        return _page(request, 422, "bad_request", detail=detail, lead=_list_of(request))
    lead = own_address(with_query(request.url, {name: None}))
    return _page(request, 422, "bad_address", detail=detail, lead=lead, label="without")


async def _show_outdated_form(request: Request, error: OutdatedFormError) -> Response:
    is_anothers = isinstance(error, OtherUsersFormError)
    return _page(request, 403, "other_users_form" if is_anothers else "outdated_form")


async def _lead_back(_: Request, error: KeptFormError) -> Response:
    return lead_to(error.back, "form_not_sent")


async def _show_not_there(request: Request, error: NotThereError) -> Response:
    return _page(request, 404, error.what, lead=error.lead)


async def _show_own_error(request: Request, error: AdSparkError) -> Response:
    if is_for_program(request):
        return describe_failure(request, error)
    if isinstance(error, UnknownBatchError):
        return _page(request, 404, "no_batch", lead=_BATCHES)
    if isinstance(error, UnknownVariantError):
        return _page(request, 404, "no_variant", lead="/variants")
    if isinstance(error, BusyError):
        return _page(request, 503, "busy", retry=_RETRY)
    if isinstance(error, PrefectAwayError):
        return _page(request, 503, "unavailable", detail=error.sentence, retry=_RETRY)
    if isinstance(error, InvalidQueryError):
        if error.field not in request.query_params:
            return _page(request, 422, "bad_request", detail=error.sentence)
        return _show_parameter(request, error.field, error.sentence)
    # The others tell of the server: its addresses, paths and settings. That is for its log.
    _LOG.warning("%s: %s", request.url.path, error)
    if isinstance(error, DatabaseUnavailableError | DatabaseSetupError):
        return _page(request, 503, "no_database", retry=_RETRY)
    if isinstance(error, ServiceUnavailableError):
        return _page(request, 503, "unavailable", retry=_RETRY)
    if isinstance(error, ConfigurationError):
        return _page(request, 500, "not_set_up")
    return _page(request, 500, "failed")


async def _leave(_: Request, __: ClientDisconnect) -> Response:
    """An answer that nobody reads: who sent the request went away in the middle of it."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


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
    lead: str | None = None,
    label: str | None = None,
) -> Response:
    gallery: Gallery = request.app.state.gallery
    again = retry if request.method == "GET" else None
    back = page_before(request) if request.method == "POST" else None
    if label is None and lead is None and back is not None:
        label = "back"
    lead = lead or back or "/library"
    page = gallery.templates.page(
        request,
        "failure.html",
        status=status,
        what=what,
        detail=detail,
        retry=again,
        lead=lead,
        label=label or ("home" if lead == "/library" else "lead"),
        typed=read_typed(request, gallery.templates.texts),
    )
    if retry is not None:
        page.headers["Retry-After"] = str(retry)
    return page


PAGES_OF_FAILURES: dict[Any, Any] = {
    HTTPException: _show_http_error,
    RequestValidationError: _show_unknown_address,
    OutdatedFormError: _show_outdated_form,
    KeptFormError: _lead_back,
    NotThereError: _show_not_there,
    AdSparkError: _show_own_error,
    ClientDisconnect: _leave,
    Exception: _show_unforeseen,
}
"""How each kind of error is answered."""
