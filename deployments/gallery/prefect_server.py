"""Prefect's server, which runs what the pages start: a client of it, and where its UI is."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.settings import get_current_settings

from adspark.errors import ServiceUnavailableError
from adspark.text.redaction import safe_cause
from deployments.operations.runs.lookup import ui_address

_LOG = logging.getLogger(__name__)
_PATIENCE = 4.0  # seconds until it has to show that it answers at all
_TIME_LIMIT = 15.0  # seconds for all that one request asks of it then


class PrefectAwayError(ServiceUnavailableError):
    """Prefect's server does not answer; its message is one for everybody."""


@asynccontextmanager
async def open_prefect() -> AsyncIterator[PrefectClient]:
    """A client of the server, which answers; what is done meanwhile has a time limit.

    Whoever waits for it holds no connection of the database: commit or roll back before.

    Raises:
        PrefectAwayError: there is none, or it does not answer.
    """
    if not get_current_settings().api.url:  # Prefect would start a server of its own
        _LOG.warning("PREFECT_API_URL is not set, so nothing can be started.")
        raise PrefectAwayError("This gallery has no Prefect server.")
    try:
        async with asyncio.timeout(_TIME_LIMIT), get_client() as client:
            async with asyncio.timeout(_PATIENCE):
                error = await client.api_healthcheck()
            if error:
                raise _away(error)
            yield client
    except (httpx.HTTPError, TimeoutError) as error:
        raise _away(error) from safe_cause(error)


def run_url(run_id: UUID) -> str | None:
    """The page of a flow run in Prefect's UI; None where this gallery has no Prefect server."""
    api_url = get_current_settings().api.url
    return f"{ui_address(api_url)}/runs/flow-run/{run_id}" if api_url else None


def _away(error: Exception) -> PrefectAwayError:
    _LOG.warning("Prefect's server does not answer: %s", type(error).__name__)
    return PrefectAwayError("Prefect's server does not answer.")
