"""The gallery as an ASGI application."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from deployments.gallery.api import router as api
from deployments.gallery.failures import add_failure_pages
from deployments.gallery.headers import PageHeaders
from deployments.gallery.resources import Gallery
from deployments.gallery.routes import (
    advertisers,
    boards,
    compare,
    files,
    library,
    selection,
    shared,
    sign_in,
)
from deployments.gallery.sign_in import SignInGuard
from deployments.gallery.visitor import VisitCookie

_LEAST_ZIPPED = 1000  # bytes


def create_app(gallery: Gallery, *, needs_sign_in: bool = False) -> FastAPI:
    """The application.

    Args:
        gallery: open for as long as the application is served.
        needs_sign_in: nobody sees a page who has not signed in with name and password.
    """
    door = [Middleware(SignInGuard, gallery=gallery)] if needs_sign_in else []
    app = FastAPI(
        title="AdSpark",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[
            Middleware(PageHeaders),
            Middleware(VisitCookie),
            Middleware(GZipMiddleware, minimum_size=_LEAST_ZIPPED),
            *door,
        ],
    )
    app.state.gallery = gallery
    for routes in (
        files, library, boards, selection, shared, sign_in, advertisers, compare, api
    ):  # fmt: skip
        app.include_router(routes.router)
    add_failure_pages(app)
    return app
