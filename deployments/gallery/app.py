"""The gallery as an ASGI application."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from deployments.gallery.api import router as api
from deployments.gallery.failures import add_failure_pages
from deployments.gallery.headers import PageHeaders
from deployments.gallery.resources import Gallery
from deployments.gallery.routes import advertisers, compare, files, library
from deployments.gallery.visitor import VisitCookie

_LEAST_ZIPPED = 1000  # bytes


def create_app(gallery: Gallery) -> FastAPI:
    """The application.

    Args:
        gallery: open for as long as the application is served.
    """
    app = FastAPI(
        title="AdSpark",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[
            Middleware(PageHeaders),
            Middleware(VisitCookie),
            Middleware(GZipMiddleware, minimum_size=_LEAST_ZIPPED),
        ],
    )
    app.state.gallery = gallery
    for routes in (files, library, advertisers, compare, api):
        app.include_router(routes.router)
    add_failure_pages(app)
    return app
