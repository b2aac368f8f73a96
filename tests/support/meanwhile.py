"""Somebody else is faster: what happens at the server's door just before a request is let in."""

from collections.abc import Awaitable, Callable

import httpx
from prefect.client.orchestration import PrefectClient


def meanwhile(
    client: PrefectClient, path: str, act: Callable[[], Awaitable[object]]
) -> list[httpx.Request]:
    """Have something happen just before this client's first request of a path arrives.

    Args:
        client: whose requests are looked at; `act` uses another one.
        path: the end of the request's path.
        act: what happens.

    Returns:
        The requests before which it happened: one in the end.
    """
    seen: list[httpx.Request] = []

    async def look(request: httpx.Request) -> None:
        if request.url.path.endswith(path) and not seen:
            seen.append(request)
            await act()

    client._client.event_hooks["request"].append(look)
    return seen
