"""Execute one run, in the container that was made for it.

The run's process is forked before anything has begun here, so that both share the memory that the
modules take; this one then watches over it: it hears of a cancellation, requeues the run when the
container is to stop, and records why it died where memory was the cause.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.logging.configuration import setup_logging

from adspark.text.redaction import remember_environment
from deployments.execution.endings import SERVER_AWAY
from deployments.execution.fork import PRELOADED, be_run
from deployments.execution.run_executor import RunExecutor
from orchestration.limits.time_limits import RUN_VARIABLE
from orchestration.runs.optional import read_optional

_PATIENCE = 240.0  # seconds; as long as a client goes on asking later
_POLL = 1.0


def main() -> None:
    """Execute the run that the environment names; exits with 0 once its end is recorded."""
    remember_environment()
    for name in PRELOADED:
        import_module(name)
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_wait_and_be_run, args=(ours, its))
    process.start()
    its.close()
    with ours:  # closed on every way out: that ends a process which was not sent a run
        setup_logging()
        try:
            asyncio.run(_execute(UUID(os.environ[RUN_VARIABLE]), ours, process))
        except httpx.HTTPError:
            logging.exception("Prefect's server does not answer.")
            raise SystemExit(SERVER_AWAY) from None


def _wait_and_be_run(parent: Connection, pipe: Connection) -> None:
    """Wait for a run and be its process; without one, end."""
    parent.close()
    try:
        flow_run_id, environment, folder = pipe.recv()
    except EOFError:
        return
    be_run(flow_run_id, environment, folder)


async def _execute(run_id: UUID, pipe: Connection, process: BaseProcess) -> None:
    def start(flow_run_id: UUID, environment: dict[str, str], folder: str) -> BaseProcess:
        pipe.send((str(flow_run_id), environment, folder))
        return process

    async with get_client() as client:
        await _wait_for_server(client)
        run = await read_optional(client.read_flow_run(run_id))
        if run is None:
            sys.exit(f"Run {run_id} is not on Prefect's server: it was deleted.")
        executor = RunExecutor(client, run, worker=socket.gethostname())
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGTERM, lambda: asyncio.ensure_future(executor.release())
        )
        await executor.execute(start, dict(os.environ))


async def _wait_for_server(client: PrefectClient) -> None:
    """Return once the server answers, within four minutes; a client retries by itself only once
    it was answered."""
    end = time.monotonic() + _PATIENCE
    while isinstance(error := await client.api_healthcheck(), httpx.TransportError):
        if time.monotonic() > end:
            raise error
        await asyncio.sleep(_POLL)


if __name__ == "__main__":
    main()
