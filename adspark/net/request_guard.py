"""Refuse requests of web pages of another origin to a server on this machine.

A loopback address is no boundary: every page in the same browser can send requests to it. A browser
says where a request comes from in `Host` (a name that a foreign DNS server points to 127.0.0.1),
`Origin` (each cross-origin request that can change something, and each WebSocket) and
`Sec-Fetch-Site` (all others, as pictures and scripts); programs send none but an honest `Host`.
"""

from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

_OWN_NAME = "localhost"
_OWN_SITES = ("same-origin", "none")  # "none": typed by the user, or from a bookmark
_READING = ("GET", "HEAD")
_NOT_FROM_HERE = (
    "Nobody signs in here, so only this machine is answered. Where a proxy leads others here, set "
    "ADSPARK_GALLERY_URL to the address that they open: then everybody signs in."
)
_POLICY_VIOLATION = 1008  # code that closes a WebSocket


class RequestGuard:
    """ASGI middleware in front of a whole application, HTTP and WebSockets.

    A request passes if its `Host` is an IP address, localhost or an allowed name, and if it comes
    from a page of that same host and port (over https, of https), or from no page. A link from
    elsewhere may be followed. No page of another origin may show ours in a frame.

    Args:
        app: what is guarded.
        allowed_hosts: further names, without port, under which the server is reached.
        public_paths: beginnings of paths that every page may show, as a server of pictures' are.
    """

    def __init__(
        self, app: ASGIApp, *, allowed_hosts: Iterable[str] = (), public_paths: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._public_paths = tuple(public_paths)
        self._allowed_hosts = frozenset(name.lower().rstrip(".") for name in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with 403 (close the WebSocket)."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif refusal := self._refusal(scope):
            await refuse(refusal, scope, receive, send)
        elif scope["type"] == "http":
            await self._app(scope, receive, send if self._is_public(scope) else _as_own(send))
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        """Why the request is refused; None where it passes."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if not self._is_own(host):
            return f"Host {host[:100]!r} is not this server; open it by its address."
        if self._is_public(scope):
            return None
        if origins:
            is_same = len(origins) == 1 and _is_own_page(origins[0], host, scope["scheme"])
            return None if is_same else "Requests from pages of another origin are refused."
        is_from_elsewhere = headers.get("sec-fetch-site", "none") not in _OWN_SITES
        if is_from_elsewhere and not _is_link(scope, headers):
            return "Requests from pages of another site are refused."
        return None

    def _is_public(self, scope: Scope) -> bool:
        is_read = scope["type"] == "http" and scope["method"] in _READING
        return is_read and scope["path"].startswith(self._public_paths)

    def _is_own(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
            if name == _OWN_NAME or name.endswith(f".{_OWN_NAME}") or name in self._allowed_hosts:
                return True
            ip_address(name)
        except ValueError:
            return False
        return True


class LocalOnly:
    """ASGI middleware of a server where nobody signs in: refuse what a proxy passes on from another
    machine, by the client's address that the proxy says.

    Args:
        app: what is guarded; before it stands what reads the headers of proxies, as uvicorn does.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or respond with 403 (close the WebSocket)."""
        client = scope.get("client")
        if client is None or is_loopback(client[0]):
            await self._app(scope, receive, send)
        else:
            await refuse(_NOT_FROM_HERE, scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; names but localhost are those of others."""
    try:
        return host.lower() == _OWN_NAME or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_own_page(origin: str, host: str, scheme: str) -> bool:
    """Whether a page of this `Origin` came from here; over https, none that came unencrypted did.

    Behind a proxy that does not say so, a page that came over https is asked for over http.
    """
    try:
        page = urlsplit(origin.lower())
    except ValueError:
        return False
    return page.netloc == host and (page.scheme == "https" or scheme not in ("https", "wss"))


def _is_link(scope: Scope, headers: Headers) -> bool:
    """Whether a person followed a link, into a tab of its own."""
    return (
        scope["type"] == "http"
        and scope["method"] in _READING
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


async def refuse(
    reason: str,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    status: int = HTTPStatus.FORBIDDEN,
) -> None:
    """Answer a request with the reason, or close its WebSocket.

    Args:
        reason: a sentence.
        scope: of the request.
        receive: of its server.
        send: of its server.
        status: of the response.
    """
    if scope["type"] == "websocket":
        await WebSocketClose(_POLICY_VIOLATION, reason)(scope, receive, send)
    else:
        await _answer(reason, Headers(scope=scope), status)(scope, receive, send)


def _answer(reason: str, headers: Headers, status: int) -> Response:
    """The reason as a person reads it in a browser, which asks for HTML; else as JSON."""
    if "text/html" in headers.get("accept", ""):
        nosniff = {"X-Content-Type-Options": "nosniff"}  # it quotes the request
        return PlainTextResponse(reason, status_code=status, headers=nosniff)
    return JSONResponse({"detail": reason}, status_code=status)


def _as_own(send: Send) -> Send:
    """Forbid pages of another origin to frame, embed or read the response."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Frame-Options", "SAMEORIGIN")
            headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
            headers.setdefault("X-Content-Type-Options", "nosniff")
        await send(message)

    return send_with_headers
