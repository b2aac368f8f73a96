"""The gallery as an ASGI application."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.gzip import GZipMiddleware

from deployments.gallery.access.body_limit import BodyLimit
from deployments.gallery.access.headers import PageHeaders
from deployments.gallery.access.methods import HeadRequests
from deployments.gallery.access.public_address import PublicAddress
from deployments.gallery.access.repeated import RepeatedParameters
from deployments.gallery.access.sign_in import SignInGuard
from deployments.gallery.access.visitor import VisitCookie
from deployments.gallery.api import router as api
from deployments.gallery.failures import PAGES_OF_FAILURES
from deployments.gallery.resources import Gallery
from deployments.gallery.routes import files, library, selection, sign_in
from deployments.gallery.routes.ads import details as ad_details
from deployments.gallery.routes.ads import marks as ad_marks
from deployments.gallery.routes.ads import page as ad_page
from deployments.gallery.routes.advertisers import compare as advertiser_compare
from deployments.gallery.routes.advertisers import pages as advertiser_pages
from deployments.gallery.routes.batches import pages as batch_pages
from deployments.gallery.routes.batches import states as batch_states
from deployments.gallery.routes.boards import changes as board_changes
from deployments.gallery.routes.boards import pages as board_pages
from deployments.gallery.routes.boards import shared as board_shared
from deployments.gallery.routes.variants import exporting as variant_exporting
from deployments.gallery.routes.variants import listing as variant_listing
from deployments.gallery.routes.variants import page as variant_page
from deployments.gallery.routes.variants import requesting as variant_requesting
from deployments.gallery.routes.variants import reviewing as variant_reviewing
from deployments.gallery.routes.variants import rules as variant_rules
from deployments.gallery.routes.variants import states as variant_states
from deployments.gallery.routes.watches import form as watch_form
from deployments.gallery.routes.watches import looks as watch_looks
from deployments.gallery.routes.watches import news as watch_news
from deployments.gallery.routes.watches import pages as watch_pages

_LEAST_ZIPPED = 1000  # bytes
_PAGES = (
    ad_details,
    ad_marks,
    ad_page,
    advertiser_compare,
    advertiser_pages,
    batch_pages,
    batch_states,
    board_changes,
    board_pages,
    board_shared,
    files,
    library,
    selection,
    sign_in,
    variant_exporting,
    variant_listing,
    variant_requesting,
    variant_page,
    variant_reviewing,
    variant_rules,
    variant_states,
    watch_form,
    watch_looks,
    watch_news,
    watch_pages,
)


def create_app(gallery: Gallery, *, needs_sign_in: bool = False) -> FastAPI:
    """The application.

    Args:
        gallery: open for as long as the application is served.
        needs_sign_in: nobody sees a page who has not signed in with name and password.
    """
    door = [Middleware(SignInGuard, gallery=gallery)] if needs_sign_in else []
    # As they were made when they were imported: a router that is included makes each of its routes
    # anew, with the first request.
    routers = (api.guarded if needs_sign_in else api.router, *(one.router for one in _PAGES))
    app = FastAPI(
        title="AdSpark",
        routes=[route for router in routers for route in router.routes],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[
            Middleware(HeadRequests),
            Middleware(PublicAddress, url=gallery.settings.gallery_url),
            Middleware(PageHeaders),
            Middleware(VisitCookie),
            Middleware(GZipMiddleware, minimum_size=_LEAST_ZIPPED),
            # What fails behind it, middleware too, is a page and no error of the server's.
            Middleware(ExceptionMiddleware, handlers=PAGES_OF_FAILURES),
            Middleware(BodyLimit),
            *door,
            Middleware(RepeatedParameters),
        ],
        exception_handlers=PAGES_OF_FAILURES,
    )
    app.state.gallery = gallery
    app.state.needs_sign_in = needs_sign_in
    return app
