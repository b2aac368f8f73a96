"""The door of a gallery that others than this machine can reach: nobody passes who has not signed
in, but for what a page of the door itself loads, and for boards that were shared by a link."""

from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import URL
from starlette.types import ASGIApp, Receive, Scope, Send

from adspark.models import Role
from adspark.users.accounts import SignedIn, find_session
from deployments.gallery.access.visitor import SHARED, Visitor
from deployments.gallery.notices import lead_to, own_address
from deployments.gallery.resources import Gallery

SESSION_COOKIE = "adspark_session"
_OPEN = ("/sign-in", "/health", "/static/", SHARED)
_API = "/api/"


class SignInGuard:
    """ASGI middleware that lets in who is signed in, and leads all others to `/sign-in`.

    Args:
        app: what is guarded; finds the visitor in the request's state.
        gallery: with the database of accounts and sessions.
    """

    def __init__(self, app: ASGIApp, gallery: Gallery) -> None:
        self._app = app
        self._gallery = gallery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http" or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        signed_in = await self._find(request)
        if signed_in is None:
            await _refuse(request)(scope, receive, send)
            return
        is_editor = signed_in.role is Role.EDITOR
        scope.setdefault("state", {})["visitor"] = Visitor(
            signed_in.user_id, signed_in.name, may_change=is_editor, may_spend=is_editor
        )
        await self._app(scope, receive, send)

    async def _find(self, request: Request) -> SignedIn | None:
        token = request.cookies.get(SESSION_COOKIE)
        if not token:
            return None
        async with self._gallery.database.session() as session:
            return await find_session(session, token=token)


def _refuse(request: Request) -> Response:
    if request.url.path.startswith(_API):
        return JSONResponse({"detail": "Sign in first, at /sign-in.", "field": None}, 401)
    if request.method == "GET":
        query = {"back": _path_of(request.url)}
    else:  # back to the page on which the form stands
        query = {"back": _page_before(request), "ended": "yes"}
    return lead_to(f"/sign-in?{urlencode(query)}")


def _page_before(request: Request) -> str:
    try:
        before = URL(request.headers.get("referer", ""))
        is_ours = before.netloc == request.url.netloc
    except ValueError:
        is_ours = False
    return own_address(_path_of(before)) if is_ours else "/"


def _path_of(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path
