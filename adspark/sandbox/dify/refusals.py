"""How Dify looks when a fault refuses a request, and its errors that need no fault."""

from collections.abc import Mapping

from starlette.responses import HTMLResponse, Response

from adspark.sandbox.dify.errors import DifyError, server_error
from adspark.sandbox.dify.faults import REFUSALS, SPOILED, DifyFaultKind, Hits

_PROXY_PAGE = """<html><head><title>{title}</title></head>
<body><center><h1>{title}</h1></center><hr><center>SANDBOX proxy
</center></body></html>"""

UNAUTHORIZED = DifyError(401, "unauthorized", "Access token is invalid")
BROKEN_MODEL = DifyError(400, "completion_request_error", "Completion request failed.")
_QUOTA = DifyError(
    400,
    "provider_quota_exceeded",
    "Your quota for Dify Hosted OpenAI has been exhausted. "
    "Please go to Settings -> Model Provider to complete your own provider credentials.",
)
_ERRORS: Mapping[DifyFaultKind, DifyError] = {
    DifyFaultKind.QUOTA: _QUOTA,
    DifyFaultKind.PLAN_LIMIT: DifyError(429, "rate_limit_error", "Rate Limit Error"),
    DifyFaultKind.BUSY: DifyError(
        429, "too_many_requests", "Too many requests. Please try again later."
    ),
    DifyFaultKind.UNAUTHORIZED: UNAUTHORIZED,
    DifyFaultKind.SERVER_ERROR: server_error(),
}


def refuse_run(hits: Hits) -> Response | None:
    """The answer to a request that a fault refuses."""
    kind = next((kind for kind in hits if kind in REFUSALS), None)
    if kind is None:
        return None
    if kind in _ERRORS:
        return _ERRORS[kind].respond()
    return _proxy_page(503, "503 Service Temporarily Unavailable")


def corrupt_response(hits: Hits) -> Response | None:
    """The answer to a request whose run has begun, where a fault keeps the stream back."""
    match next((kind for kind in hits if kind in SPOILED), None):
        case DifyFaultKind.SERVER_ERROR_BEGUN:
            return server_error().respond()
        case DifyFaultKind.GATEWAY_TIMEOUT:
            return _proxy_page(504, "504 Gateway Time-out")
        case DifyFaultKind.GARBLED:
            return _proxy_page(200, "Welcome")
    return None


def _proxy_page(status: int, title: str) -> Response:
    return HTMLResponse(_PROXY_PAGE.format(title=title), status)
