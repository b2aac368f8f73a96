"""The door of a gallery that others than this machine can reach: nobody passes who has not signed
in, but for what a page of the door itself loads, and for boards that were shared by a link."""

from typing import ClassVar
from urllib.parse import urlencode

from fastapi import Request, Security
from fastapi.responses import Response
from fastapi.security import APIKeyCookie
from fastapi.security.http import HTTPBase
from starlette.types import ASGIApp, Receive, Scope, Send

from adspark.users.accounts import SignedIn, find_session
from deployments.gallery.access.kept_form import keep_form
from deployments.gallery.access.programs import find_program, visitor_of
from deployments.gallery.access.sign_in_page import write_sign_in
from deployments.gallery.access.visitor import SHARED
from deployments.gallery.notices import lead_to, page_before, path_of
from deployments.gallery.resources import Gallery

SESSION_COOKIE = "adspark_session"
_OPEN = ("/sign-in", "/health", "/static/", SHARED)
_API = "/api/"

# For the description of the JSON interface; it is the guard that asks.
SECURITY_SCHEMES = [
    Security(
        HTTPBase(  # HTTPBasic would refuse what is not ASCII
            scheme="basic",
            scheme_name="password",
            description="The name and password of the pages; both in UTF-8.",
            auto_error=False,
        )
    ),
    Security(
        APIKeyCookie(
            name=SESSION_COOKIE,
            scheme_name="session",
            description="Of a browser that is signed in at /sign-in.",
            auto_error=False,
        )
    ),
]


class SignInGuard:
    """ASGI middleware that lets in who is signed in, and leads all others to `/sign-in`.

    Programs may send name and password with each request to the JSON interface (HTTP Basic).

    Args:
        app: what is guarded; finds the visitor in the request's state.
        gallery: with the database of accounts and sessions.
    """

    open_paths: ClassVar[tuple[str, ...]] = _OPEN  # beginnings of paths behind no guard

    def __init__(self, app: ASGIApp, gallery: Gallery) -> None:
        self._app = app
        self._gallery = gallery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http" or scope["path"].startswith(self.open_paths):
            await self._app(scope, receive, send)
            return
        found = await self.find(Request(scope, receive))
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        scope.setdefault("state", {})["visitor"] = visitor_of(found)
        await self._app(scope, receive, send)

    async def find(self, request: Request) -> SignedIn | Response:
        """Who has signed in; else the response to the request."""
        signed_in = await self._find_session(request)
        if signed_in is not None:
            return signed_in
        if request.url.path.startswith(_API):
            return await find_program(request, self._gallery)
        return await self._lead_to_sign_in(request)

    async def _find_session(self, request: Request) -> SignedIn | None:
        token = request.cookies.get(SESSION_COOKIE)
        if not token:
            return None
        async with self._gallery.database.session() as session:
            return await find_session(session, token=token)

    async def _lead_to_sign_in(self, request: Request) -> Response:
        """To the page of the sign-in; that page itself where it keeps what was typed."""
        kept = await keep_form(request) if request.method == "POST" else None
        if kept is None:
            return _sign_in_again(request)
        return write_sign_in(request, self._gallery, back=kept.back, kept=kept)


def _sign_in_again(request: Request) -> Response:
    if request.method == "GET":
        query = {"back": path_of(request.url)}
    else:  # back to the page on which the form stands
        query = {"back": page_before(request) or "/", "ended": "yes"}
    return lead_to(f"/sign-in?{urlencode(query)}")
