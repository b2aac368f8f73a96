"""`adspark mcp`: the server for AI assistants, on standard input and output or over HTTP."""

import asyncio
import logging
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import Annotated

from typer import Option

from adspark.errors import ConfigurationError
from adspark.installation import install_command
from adspark.validation.bounds import PORT
from deployments.cli.database import current_settings
from deployments.cli.ranges import ranged
from deployments.cli.users.option import user_option
from deployments.environment.termination import exit_by_sigterm, raise_at_termination
from deployments.terminal.output import print_note

_HOST, _PORT = "127.0.0.1", 4270
_WAITING = (
    "Waits for the program that starts it to write on standard input (the Model Context Protocol); "
    "Ctrl-C ends it. See --help for --http."
)


def mcp(
    http: Annotated[bool, Option("--http", help="Over HTTP, at /mcp.")] = False,
    host: Annotated[
        str | None, Option(help=f"Address to listen on, with --http. Default: {_HOST}.")
    ] = None,
    port: Annotated[
        int | None, ranged(PORT, help=f"To listen on, with --http. Default: {_PORT}.")
    ] = None,
    allow_spending: Annotated[
        bool,
        Option(
            "--allow-spending",
            help="Add the tool that costs money: it says the price, and asks for it back.",
        ),
    ] = False,
    user: Annotated[
        int | None,
        user_option(
            help="Whose boards and tags, and who requests variants; at first 1. Not where people "
            "sign in."
        ),
    ] = None,
) -> None:
    """Serve AI assistants (Model Context Protocol): they ask about ads, watches and variants.

    It reads only, but for --allow-spending. On standard input and output for the program that
    starts it; with --http on this machine without a password, on other addresses with the names and
    passwords of the gallery, of which only editors may spend.
    """
    if not http and (host is not None or port is not None):
        raise ConfigurationError("--host and --port go with --http; add it, or leave them out.")
    if find_spec("mcp") is None:
        raise ConfigurationError(f"The protocol is not installed: {install_command('mcp')}")
    from deployments.mcp.serve import Serving, serve_http, serve_stdio  # noqa: PLC0415  (slow)

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("deployments").setLevel(logging.INFO)
    serving = Serving(current_settings(), user, allow_spending)
    with suppress(KeyboardInterrupt), raise_at_termination(exit_by_sigterm):
        if http:
            asyncio.run(serve_http(serving, host=host or _HOST, port=port or _PORT))
        else:
            if sys.stdin.isatty():
                print_note(_WAITING)
            asyncio.run(serve_stdio(serving))
