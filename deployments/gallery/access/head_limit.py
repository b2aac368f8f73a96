"""How much the address and the cookies of a request may hold, before anything reads them.

Older Pythons need the square of the time for a cookie with escapes (CVE-2024-7592).
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from adspark.net.request_guard import refuse

_MOST_COOKIES = 16_000  # bytes
_MOST_ESCAPES = 300  # in them; ours have none, but other servers of the same host may set some
_MOST_PARAMETERS = 3000  # the address of a form for 2,500 ads is as long as uvicorn takes one


class HeadLimit:
    """ASGI middleware before everything that reads a request: refuses too many parameters of an
    address (414) and too large cookies (431), in a sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refusal = _refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            status, reason = refusal
            await refuse(reason, scope, receive, send, status=status)


def _refusal(scope: Scope) -> tuple[HTTPStatus, str] | None:
    """With which status, and why a request is refused; None where it passes."""
    parameters = scope["query_string"].count(b"&") + 1
    if parameters > _MOST_PARAMETERS:
        said = f"The address has {parameters:,} parameters; {_MOST_PARAMETERS:,} at most are read."
        return HTTPStatus.REQUEST_URI_TOO_LONG, f"{said} Ask for less at once."
    cookies = "".join(Headers(scope=scope).getlist("cookie"))
    if len(cookies) > _MOST_COOKIES or cookies.count("\\") > _MOST_ESCAPES:
        said = "The browser sends more cookies than are read; delete those of this host."
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, said
    return None
