"""Require a name and a password (HTTP Basic) in front of a whole application."""

import secrets
from base64 import b64encode

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

_POLICY_VIOLATION = 1008  # code that closes a WebSocket


class PasswordGuard:
    """ASGI middleware that responds with 401 to requests without the `name:password`."""

    def __init__(self, app: ASGIApp, password: str) -> None:
        self._app = app
        self._expected = b64encode(password.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with 401 (close the WebSocket)."""
        if scope["type"] not in ("http", "websocket") or self._is_known(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(_POLICY_VIOLATION)(scope, receive, send)
        else:
            headers = {"WWW-Authenticate": 'Basic realm="AdSpark", charset="UTF-8"'}
            refusal = PlainTextResponse("Name and password, please.\n", 401, headers)
            await refusal(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        # In constant time: how long it takes says nothing of the password.
        is_same = secrets.compare_digest(credentials.strip().encode(), self._expected)
        return scheme.lower() == "basic" and is_same
