"""The address under which people reach the pages, which is not the server's own where a proxy with
TLS stands before it: links are made with it, and its `https` makes every cookie Secure."""

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.gallery.resources import Gallery

_SECURE = "; Secure"


class PublicAddress:
    """ASGI middleware that takes requests for those to the public address, and lets browsers send
    back the cookies of an `https` address over TLS alone.

    Args:
        app: what is served.
        url: the setting `gallery_url`; None: the scheme is that which the server was told.
    """

    def __init__(self, app: ASGIApp, url: str | None) -> None:
        self._app = app
        self._is_https = url is not None and url.startswith("https:")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and self._is_https:
            scope["scheme"] = "https"
        is_secure = scope.get("scheme") == "https"
        await self._app(scope, receive, _with_secure_cookies(send) if is_secure else send)


def public_url(request: Request, gallery: Gallery) -> str:
    """Where people reach the pages, without a slash at the end."""
    return gallery.settings.gallery_url or str(request.base_url).rstrip("/")


def _with_secure_cookies(send: Send) -> Send:
    async def send_secure(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            cookies = headers.getlist("set-cookie")
            del headers["set-cookie"]
            for cookie in cookies:
                headers.append("set-cookie", f"{cookie}{_SECURE}")
        await send(message)

    return send_secure
