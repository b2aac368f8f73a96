"""Serve assistants until a signal or Ctrl-C: on standard input and output, or over HTTP."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from adspark.db.configured import open_database
from adspark.errors import ConfigurationError
from adspark.media.store import MediaStore
from adspark.models import DEFAULT_USER
from adspark.net.listening import open_listener, web_address
from adspark.settings import Settings, media_url
from deployments.environment.running_stack import find_api_url
from deployments.gallery.access.visitor import Visitor
from deployments.gallery.resources import ANSWER_TIMEOUT, LOCK_TIMEOUT, Gallery
from deployments.gallery.templating import Templates
from deployments.mcp.server import make_server
from deployments.mcp.standard_input import open_standard_input
from deployments.mcp.tool import Tool

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """What is served, and to whom.

    Attributes:
        settings: that say where the data are.
        user_id: whose boards, tags and requests are meant, where nobody signs in; None: the
            default user's.
        allows_spending: the tool that costs money is there.
    """

    settings: Settings
    user_id: int | None
    allows_spending: bool

    @asynccontextmanager
    async def open(
        self, *, needs_sign_in: bool = False
    ) -> AsyncIterator[tuple[Server[Any], Gallery]]:
        """The server, and the data that it answers from; who has not signed in, where everybody
        has to, gets no answer."""
        settings = self.settings
        async with open_database(
            settings, lock_timeout=LOCK_TIMEOUT, answer_timeout=ANSWER_TIMEOUT
        ) as database:
            gallery = Gallery(settings, database, MediaStore(media_url(settings)), Templates())
            with _spending_tools() if self.allows_spending else nullcontext(()) as spending:
                find_visitor = _find_signed_in if needs_sign_in else self._find_chosen
                yield make_server(gallery, spending=spending, find_visitor=find_visitor), gallery

    def _find_chosen(self, _: ServerRequestContext[Any]) -> Visitor:
        return Visitor(DEFAULT_USER if self.user_id is None else self.user_id)


async def serve_stdio(serving: Serving) -> None:
    """Serve the program that has started this process, until it closes standard input."""
    async with (
        open_standard_input() as lines,
        serving.open() as (server, _),
        stdio_server(stdin=lines) as (received, sent),
    ):
        await server.run(received, sent, server.create_initialization_options())


async def serve_http(serving: Serving, *, host: str, port: int) -> None:
    """Serve by HTTP until a signal; everybody signs in where others than this machine reach it.

    Args:
        serving: what is served.
        host: address to listen on.
        port: to listen on.

    Raises:
        ConfigurationError: the port is taken, the host is not this machine's, or a user is chosen
            where everybody signs in.
    """
    # Slow, and not needed on standard input and output.
    from deployments.gallery.server import is_public, serve_guarded  # noqa: PLC0415
    from deployments.mcp.http import PATH, make_app  # noqa: PLC0415

    needs_sign_in = is_public(host, serving.settings)
    if needs_sign_in and serving.user_id is not None:
        raise ConfigurationError(
            "--user: whoever asks signs in here, and sees their own; leave it out."
        )
    listener = open_listener(host, port, purpose="assistants")
    async with serving.open(needs_sign_in=needs_sign_in) as (server, gallery):
        app = make_app(server, gallery, needs_sign_in=needs_sign_in)
        _LOG.info("Assistants are answered at %s%s.", web_address(host, port), PATH)
        await serve_guarded(app, serving.settings, listener, needs_sign_in=needs_sign_in)


def _find_signed_in(context: ServerRequestContext[Any]) -> Visitor:
    """Who has signed in with the request; raises PermissionError where nobody has."""
    scope = {} if context.request is None else context.request.scope
    visitor: Visitor | None = scope.get("state", {}).get("visitor")
    if visitor is None:
        raise PermissionError("nobody has signed in")
    return visitor


@contextmanager
def _spending_tools() -> Iterator[tuple[Tool, ...]]:
    """What costs money, while the Prefect server of the stack that runs here is used."""
    # Slow, and not needed where nothing is spent.
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415

    from deployments.mcp.confirmation import Confirmations  # noqa: PLC0415
    from deployments.mcp.tools.spending import make_tool  # noqa: PLC0415

    server = {PREFECT_API_URL: url} if (url := find_api_url()) else {}
    with temporary_settings(server):
        yield (make_tool(Confirmations()),)
