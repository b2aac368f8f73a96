"""Ask Prefect's server something in a command that is not asynchronous itself.

Each question is a loop of its own, so that Ctrl-C works while a person is asked between two of
them. Prefect is imported inside: it takes a second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from deployments.cli.runs.run import prefect_api_url

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_Answer = TypeVar("_Answer")


def ask_server(act: "Callable[[PrefectClient], Awaitable[_Answer]]") -> _Answer:
    """What `act` gives, called with a client of the server in use.

    Raises:
        ConfigurationError: there is no server, or it does not answer.
    """
    from deployments.cli.follow import server  # noqa: PLC0415  (slow)

    async def ask() -> _Answer:
        async with server(prefect_api_url()) as client:
            return await act(client)

    return asyncio.run(ask())
