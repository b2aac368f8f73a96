"""Serve the gallery until SIGTERM or Ctrl-C: `python -m deployments.gallery.server`.

Where a stack runs on this machine, its data and its Prefect server are used.
Where others than this machine can reach it, by its own address or by a name that a proxy before it
has, everybody has to sign in.
"""

import argparse
import asyncio
import logging
import socket
from urllib.parse import urlsplit

import uvicorn
from prefect.settings import PREFECT_API_URL, temporary_settings
from starlette.types import ASGIApp

from adspark.db.configured import open_database
from adspark.errors import ConfigurationError
from adspark.media.store import MediaStore
from adspark.net.listening import open_listener, web_address
from adspark.net.request_guard import LocalOnly, RequestGuard, is_loopback
from adspark.settings import Settings, get_settings, media_url
from adspark.text.redaction import remember_environment
from deployments.environment.running_stack import current_settings, find_api_url
from deployments.environment.termination import exit_by_sigterm, raise_at_termination
from deployments.gallery.access.head_limit import HeadLimit
from deployments.gallery.access.slow_requests import PATIENCE, BodyTime, Patience, timed_protocol
from deployments.gallery.app import create_app
from deployments.gallery.resources import ANSWER_TIMEOUT, LOCK_TIMEOUT, Gallery
from deployments.gallery.templating import Templates

_LOG = logging.getLogger(__name__)
_MOST_CONNECTIONS = 300  # at once; further ones are answered with 503


def main() -> None:
    """Serve; the database and the media store are those of the settings."""
    remember_environment()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # each request to Prefect
    parser = argparse.ArgumentParser(prog="python -m deployments.gallery.server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=get_settings().gallery_port)
    arguments = parser.parse_args()
    try:
        listener = open_listener(
            arguments.host,
            arguments.port,
            purpose="the gallery",
            setting="--port or ADSPARK_GALLERY_PORT",
        )
    except ConfigurationError as error:
        parser.exit(2, f"Error: {error}\n")
    settings = current_settings(get_settings(), _LOG.warning)
    server = {PREFECT_API_URL: url} if (url := find_api_url()) else {}
    # The server ends by raising its signal again: what it has opened is closed all the same.
    with raise_at_termination(exit_by_sigterm), temporary_settings(server):
        asyncio.run(_serve(settings, arguments.host, listener))


async def _serve(settings: Settings, host: str, listener: socket.socket) -> None:
    async with open_database(
        settings, lock_timeout=LOCK_TIMEOUT, answer_timeout=ANSWER_TIMEOUT
    ) as database:
        gallery = Gallery(settings, database, MediaStore(media_url(settings)), Templates())
        needs_sign_in = is_public(host, settings)
        pages = create_app(gallery, needs_sign_in=needs_sign_in)
        address = web_address(host, listener.getsockname()[1])
        _LOG.info("The gallery is at %s/, its data in %s.", address, settings.home)
        await serve_guarded(pages, settings, listener, needs_sign_in=needs_sign_in)


async def serve_guarded(
    app: ASGIApp,
    settings: Settings,
    listener: socket.socket,
    *,
    needs_sign_in: bool,
    patience: Patience = PATIENCE,
) -> None:
    """Serve an application until a signal. Refused are pages of other origins, too large cookies
    and addresses, and where nobody signs in what a proxy passes on from elsewhere.

    Args:
        app: what is served.
        settings: with the names and proxies that are let in.
        listener: as of `open_listener`.
        needs_sign_in: whether the application has whoever asks sign in.
        patience: with clients that send nothing, or slowly.
    """
    if not needs_sign_in:
        app = LocalOnly(app)
    configuration = uvicorn.Config(
        RequestGuard(HeadLimit(BodyTime(app, patience.body)), allowed_hosts=own_names(settings)),
        http=timed_protocol(patience.head),
        access_log=False,
        log_level="warning",
        server_header=False,
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=3,
    )
    await uvicorn.Server(configuration).serve([listener])


def own_names(settings: Settings) -> list[str]:
    """Names under which browsers may reach the pages, beside localhost and addresses."""
    public = urlsplit(settings.gallery_url or "").hostname
    return [*settings.allowed_hosts, *([public] if public else [])]


def is_public(host: str, settings: Settings) -> bool:
    """Whether others than this machine can reach what listens on an address: directly, or by a
    name of the settings, which a proxy passes on."""
    return not all(is_loopback(one) for one in (host, *own_names(settings)))


if __name__ == "__main__":
    main()
