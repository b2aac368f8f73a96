"""Carry out one run, in the container that was made for it.

The run's process is forked before anything has begun here, so that both share the memory that the
modules take; this one then watches over it: it hears of a cancelling, hands the run back when the
container is to stop, and tells why it died where memory was the cause.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.logging.configuration import setup_logging

from adspark.text.redaction import remember_environment
from deployments.execution.endings import SERVER_AWAY
from deployments.execution.fork import PRELOADED, be_run
from deployments.execution.fork_starter import ForkStarter
from deployments.execution.run_executor import CarriedRun
from deployments.execution.server_wait import wait_for_server
from orchestration.time_limits import RUN_VARIABLE


def main() -> None:
    """Carry out the run that the environment names; exits with its code."""
    remember_environment()
    for name in PRELOADED:
        import_module(name)
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_wait_and_be_run, args=(ours, its))
    process.start()
    its.close()
    with ours:  # closed on every way out: that ends a process which was not told what to be
        setup_logging()
        try:
            code = asyncio.run(_carry_out(UUID(os.environ[RUN_VARIABLE]), ours, process))
        except httpx.HTTPError:
            logging.exception("Prefect's server does not answer.")
            code = SERVER_AWAY
    raise SystemExit(code)


def _wait_and_be_run(parent: Connection, told: Connection) -> None:
    """Wait until it is told what to be; without that it ends."""
    parent.close()
    try:
        flow_run_id, environment, folder = told.recv()
    except EOFError:
        return
    be_run(flow_run_id, environment, folder)


async def _carry_out(run_id: UUID, pipe: Connection, process: BaseProcess) -> int:
    def tell(flow_run_id: UUID, environment: dict[str, str], folder: str) -> BaseProcess:
        pipe.send((str(flow_run_id), environment, folder))
        return process

    async with get_client() as client:
        await wait_for_server(client)
        run = await client.read_flow_run(run_id)
        carried = CarriedRun(client, run)
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGTERM, lambda: asyncio.ensure_future(carried.hand_back())
        )
        environment = dict(os.environ) | {"PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false"}
        return await carried.carry_out(
            lambda folder, control, _: ForkStarter(environment, folder, control, tell),
            worker=socket.gethostname(),
        )


if __name__ == "__main__":
    main()
