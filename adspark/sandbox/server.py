"""The sandbox as an ASGI application, and how uvicorn runs it."""

from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import uvicorn
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adspark.net.request_guard import RequestGuard
from adspark.sandbox.control.routes import ControlRoutes, fault_routes
from adspark.sandbox.dify.app import DifyApp
from adspark.sandbox.dify.control import DifyControlRoutes
from adspark.sandbox.dify.routes import DifyRoutes
from adspark.sandbox.library.catalogue import Catalogue, CombinedCatalogue
from adspark.sandbox.library.dates import MovingCatalogue
from adspark.sandbox.library.generated import GeneratedCatalogue
from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.sandbox.responses import HEADER, MarkResponses, error_response
from adspark.sandbox.serpapi.engine import SearchEngine
from adspark.sandbox.serpapi.faults import Fault
from adspark.sandbox.settings import SandboxSettings

_KEEP_ALIVE = 75  # seconds; longer than clients keep an idle connection, so they close first
# What stands for Google's own servers, which every page may embed.
_PUBLIC_PATHS = ("/archive/", "/ads/", "/advertiser/")
_LAST_ANSWERS = 1  # seconds that hanging answers get when the server stops


def create_app(settings: SandboxSettings) -> Starlette:
    """The application, with counters, cache, faults and changes of its own."""
    engine = SearchEngine(settings, MovingCatalogue(partial(_create_catalogue, settings)))
    dify = DifyApp(settings, engine)
    control = ControlRoutes(settings, engine, dify)

    return Starlette(
        routes=[
            *_api_routes(engine),
            *DifyRoutes(settings, dify).routes,
            *_control_routes(control),
            *fault_routes("/sandbox/faults", engine.faults, TypeAdapter(list[Fault]), "faults"),
            *DifyControlRoutes(dify).routes,
        ],
        middleware=[Middleware(MarkResponses, settings.clock)],
        exception_handlers={HTTPException: _show_http_error, Exception: _show_failure},
    )


def create_server(settings: SandboxSettings) -> uvicorn.Server:
    """A uvicorn server for the application; run it on a socket of `open_listener`."""
    own_name = urlsplit(settings.base_url).hostname or ""
    return uvicorn.Server(
        uvicorn.Config(
            RequestGuard(
                create_app(settings), allowed_hosts=[own_name], public_paths=_PUBLIC_PATHS
            ),
            access_log=False,
            log_level="warning",
            lifespan="off",
            loop="asyncio",  # the fault `reset` needs its transports
            date_header=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_LAST_ANSWERS,
        )
    )


def _api_routes(engine: SearchEngine) -> list[Route]:
    async def search(request: Request) -> Response:
        return await engine.search(dict(request.query_params))

    async def account(request: Request) -> Response:
        return engine.account(request.query_params)

    return [
        Route("/search", search),
        Route("/search.json", search),
        Route("/account", account),
        Route("/account.json", account),
    ]


def _control_routes(control: ControlRoutes) -> list[Route]:
    return [
        Route("/archive/simgad/{picture_id}", control.picture),
        Route("/ads/preview/content.js", control.preview),
        Route("/advertiser/{advertiser_id}/creative/{creative_id}", control.creative),
        Route("/sandbox/changes", control.show_changes, methods=["GET"]),
        Route("/sandbox/changes", control.set_changes, methods=["PUT"]),
        Route("/sandbox/stats", control.stats),
        Route("/sandbox/reset", control.reset, methods=["POST"]),
        Route("/health", control.health),
        Route("/", control.home),
    ]


def _create_catalogue(settings: SandboxSettings, now: datetime) -> Catalogue:
    today = now if settings.follows_today else None
    recorded = RecordedCatalogue(today)
    if not settings.generated_advertisers:
        return recorded
    generated = GeneratedCatalogue(
        advertisers=settings.generated_advertisers,
        creatives_per_advertiser=settings.creatives_per_advertiser,
        seed=settings.seed,
        now=today,
    )
    return CombinedCatalogue([recorded, generated])


async def _show_http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return error_response(error.status_code, error.detail)


async def _show_failure(_: Request, error: Exception) -> Response:
    """A mistake of the sandbox itself; answered outside the middleware, so marked here."""
    response = error_response(500, f"The sandbox failed: {type(error).__name__}.")
    response.headers[HEADER] = "true"
    return response
