"""What the JSON interface says of what went wrong: a status, a sentence, and the parameter."""

import logging

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from adspark.errors import (
    AdSparkError,
    BusyError,
    ConfigurationError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    InvalidQueryError,
    TemporaryError,
    UnknownVariantError,
    UnknownWatchError,
)
from adspark.validation.messages import describe_validation_error

_PREFIX = "/api/"
_RETRY = 5  # seconds
# What the queries call a parameter that has another name here.
_NAMES = {"query": "q", "name": "board"}
_LOG = logging.getLogger(__name__)


class Failure(BaseModel):
    """Why a request has no answer."""

    detail: str = Field(description="A sentence for a person.")
    field: str | None = Field(description="The parameter that is wrong, where it is one.")


def is_for_program(request: Request) -> bool:
    """Whether a request is to the JSON interface, so that a page would not help."""
    return request.url.path.startswith(_PREFIX)


def describe_failure(request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that failed."""
    status, detail, field = _read(request, error)
    headers = {"Retry-After": str(_RETRY)} if status == 503 else {}
    content = Failure(detail=detail, field=field).model_dump()
    return JSONResponse(content, status, headers=headers)


def _read(request: Request, error: Exception) -> tuple[int, str, str | None]:
    match error:
        case RequestValidationError():
            return _read_validation(error)
        case HTTPException():
            return error.status_code, _read_http(error), None
        case InvalidQueryError():
            names = (error.field, _NAMES.get(error.field))
            given = (one for one in names if one in request.query_params)
            return 422, error.sentence, next(given, None)
        case UnknownVariantError() | UnknownWatchError():
            return 404, error.sentence, None
        case BusyError():
            return 503, error.sentence, None
    return _read_own(request, error)


def _read_own(request: Request, error: Exception) -> tuple[int, str, str | None]:
    """What tells of the server: its addresses, paths and settings are for its log alone."""
    if not isinstance(error, AdSparkError):
        return 500, "Something went wrong that nobody foresaw; the gallery's log says what.", None
    _LOG.warning("%s: %s", request.url.path, error)
    match error:
        case DatabaseUnavailableError() | DatabaseSetupError():
            return 503, "The database does not answer; the gallery's log says more.", None
        case TemporaryError():
            return 503, "A service does not answer; the gallery's log says which.", None
        case ConfigurationError():
            return 500, "This is not set up; the gallery's log says what to do.", None
    return 500, "This failed; the gallery's log says more.", None


def _read_validation(error: RequestValidationError) -> tuple[int, str, str | None]:
    first = error.errors()[0]
    place, name = first["loc"][0], str(first["loc"][-1])
    if place == "path":
        return 404, f"There is no such {name.replace('_', ' ')}.", None
    return 422, f"{describe_validation_error(first)}.", name


def _read_http(error: HTTPException) -> str:
    if error.status_code == 413:
        return "The request sends more than is taken."
    if error.status_code == 404 and error.detail == "Not Found":
        return "There is no such address; those there are: /api/v1/openapi.json"
    return str(error.detail)
