"""How Dify looks when a fault refuses a request, and its errors that need no fault."""

from collections.abc import Mapping

from starlette.responses import HTMLResponse, Response

from adspark.sandbox.dify.errors import DifyError, server_error
from adspark.sandbox.dify.faults import REFUSALS, DifyFaultKind, Hits

_PROXY_PAGE = """<html><head><title>503 Service Temporarily Unavailable</title></head>
<body><center><h1>503 Service Temporarily Unavailable</h1></center><hr><center>SANDBOX proxy
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
    return _ERRORS[kind].respond() if kind in _ERRORS else HTMLResponse(_PROXY_PAGE, 503)
