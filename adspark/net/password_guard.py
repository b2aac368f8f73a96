"""Ask for a name and a password (HTTP Basic) in front of a whole application."""

import secrets
from base64 import b64encode

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

_POLICY_VIOLATION = 1008  # code that closes a WebSocket


class PasswordGuard:
    """ASGI middleware that answers 401 to who does not know the password.

    Args:
        app: what is guarded.
        password: as `name:password`.
    """

    def __init__(self, app: ASGIApp, password: str) -> None:
        self._app = app
        self._wanted = b64encode(password.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer it with 401 (close the WebSocket)."""
        if scope["type"] not in ("http", "websocket") or self._is_known(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(_POLICY_VIOLATION)(scope, receive, send)
        else:
            asks = {"WWW-Authenticate": 'Basic realm="AdSpark", charset="UTF-8"'}
            told = "Name and password, please.\n"
            await PlainTextResponse(told, 401, asks)(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # In a time that does not tell how much of it is right.
        is_same = secrets.compare_digest(given.strip().encode(), self._wanted)
        return scheme.lower() == "basic" and is_same
