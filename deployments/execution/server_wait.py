"""Waiting for Prefect's server: its client asks again by itself only once it has been answered."""

import asyncio
import time

import httpx
from prefect.client.orchestration import PrefectClient

_PATIENCE = 240.0  # seconds; as long as a client goes on asking later
_POLL = 1.0


async def wait_for_server(client: PrefectClient) -> None:
    """Return once the server answers.

    Raises:
        httpx.TransportError: it has not for four minutes.
    """
    end = time.monotonic() + _PATIENCE
    while isinstance(error := await client.api_healthcheck(), httpx.TransportError):
        if time.monotonic() > end:
            raise error
        await asyncio.sleep(_POLL)
