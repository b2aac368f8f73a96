"""Runs that a page starts and follows; where Prefect is away, the page says so."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from pydantic import JsonValue

from adspark.errors import ServiceUnavailableError
from deployments.operations.runs.start import start_run

_PATIENCE = 10.0  # seconds that Prefect's server has to answer


@dataclass(frozen=True)
class RunProgress:
    """How far a run is.

    Attributes:
        state: waiting, running, completed, failed or cancelled.
        message: of its state.
    """

    state: str
    message: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("completed", "failed", "cancelled")


@asynccontextmanager
async def open_prefect() -> AsyncIterator[PrefectClient]:
    """A client of Prefect's server.

    Raises:
        ServiceUnavailableError: the server does not answer, or none is configured.
    """
    if not get_current_settings().api.url:
        raise ServiceUnavailableError("No server of Prefect is configured (PREFECT_API_URL).")
    try:
        async with asyncio.timeout(_PATIENCE), get_client() as client:
            yield client
    except (httpx.HTTPError, TimeoutError) as error:
        raise ServiceUnavailableError("Prefect's server does not answer.") from error


async def start(deployment: str, parameters: Mapping[str, JsonValue]) -> UUID:
    """Start a run of a deployment; returns its id.

    Raises:
        ConfigurationError: no such deployment, or parameters that it does not take.
        ServiceUnavailableError: Prefect's server does not answer.
    """
    async with open_prefect() as client:
        return (await start_run(client, deployment, parameters)).id


async def read_run(run_id: UUID) -> FlowRun | None:
    """A run; None where there is none, or no longer.

    Raises:
        ServiceUnavailableError: Prefect's server does not answer.
    """
    async with open_prefect() as client:
        try:
            return await client.read_flow_run(run_id)
        except ObjectNotFound:
            return None


def progress_of(run: FlowRun) -> RunProgress:
    """How far a run is."""
    state = run.state
    if state is None or state.is_scheduled() or state.is_pending():
        return RunProgress("waiting")
    return RunProgress(_name(state), state.message or "")


def _name(state: State) -> str:
    if state.is_completed():
        return "completed"
    if state.is_failed() or state.is_crashed():
        return "failed"
    return "cancelled" if state.is_cancelled() else "running"
