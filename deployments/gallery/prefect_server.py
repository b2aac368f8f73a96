"""Prefect's server, asked for a request that starts or follows work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from adspark.errors import ServiceUnavailableError
from adspark.home.running_stack import running_stack
from adspark.settings import Settings

_TIMEOUT = 10.0  # seconds for a request, while a person waits


@asynccontextmanager
async def open_prefect(settings: Settings) -> AsyncIterator[PrefectClient]:
    """A client of the server that PREFECT_API_URL names, else of the running stack's.

    Raises:
        ServiceUnavailableError: there is none, it does not answer, or it went away meanwhile.
    """
    stack = None if PREFECT_API_URL.value() else running_stack(settings.home)
    url = PREFECT_API_URL.value() or (stack.api_url if stack else None)
    if not url:  # a client without an address would start a server
        raise ServiceUnavailableError("No Prefect server runs here; PREFECT_API_URL is not set.")
    with temporary_settings({PREFECT_API_URL: url}):
        async with get_client(httpx_settings={"timeout": _TIMEOUT}) as client:
            if error := await client.api_healthcheck():
                raise ServiceUnavailableError(
                    f"Prefect's server does not answer ({type(error).__name__})."
                )
            try:
                yield client
            except httpx.HTTPError as error:
                raise ServiceUnavailableError(
                    f"Prefect's server failed ({type(error).__name__}); look there whether what "
                    "was requested runs."
                ) from error
