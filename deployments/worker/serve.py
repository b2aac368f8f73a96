"""A worker's life: it serves its pool until it is told to stop, and then ends in good order."""

import asyncio
import signal
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import (
    EventAnyResourceFilter,
    EventFilter,
    EventNameFilter,
    EventOccurredFilter,
)
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_logger

from adspark.settings import get_settings
from deployments.docker.health import show_life
from deployments.execution.server_wait import wait_for_server
from deployments.provisioning.container_job import run_image
from deployments.worker.base import ServingWorker
from deployments.worker.container_worker import ContainerWorker
from deployments.worker.process_worker import PoolWorker

# After them a run may be to be taken.
_TELLING = [f"prefect.flow-run.{name}" for name in ("Scheduled", "AwaitingRetry", "Late")]
_POOL_POLL = 2.0  # seconds between two looks for a pool that there is not
_PAUSE = 5.0  # seconds before events are asked for again, where they cannot be had
_GAP = 0.1  # seconds between two questions at least
_log = get_logger("adspark.worker")


async def serve_pool(pool: str, *, name: str, patience: float, limit: int | None = None) -> None:
    """Serve a pool until SIGTERM or SIGINT, then wait `patience` seconds for runs to end.

    What has not ended then, or at a second signal, is handed back to the queue. While the server
    has no such pool, or one of a foreign type under its name, the worker waits and says so.

    Args:
        limit: runs at once in this worker; None is as many as the pool has slots.

    Raises:
        ConfigurationError: its runs are to be containers, of which no image is known.
    """
    signals = _count_signals()
    stopping = asyncio.create_task(signals.first.wait())
    making = asyncio.create_task(_make_worker(pool, name=name, limit=limit))
    await asyncio.wait({making, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not making.done():
        await _end(making, stopping)
        return
    worker = making.result()
    working = asyncio.create_task(worker.start())
    listening = asyncio.create_task(_listen(worker))
    asking = asyncio.create_task(_ask_when_wanted(worker))
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done() and not working.done():
            await worker.drain(patience, signals.second.is_set)
    finally:
        for task in (listening, asking, stopping, working):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _make_worker(pool: str, *, name: str, limit: int | None) -> ServingWorker:
    """The worker that the type of the pool asks for, once there is one."""
    told = ""
    async with get_client() as client:
        while True:
            await wait_for_server(client)
            problem = ""
            try:
                kind = (await client.read_work_pool(pool)).type
            except ObjectNotFound:
                problem = f"The server has no work pool {pool!r}; make it with: adspark provision"
            except httpx.HTTPError as error:
                problem = f"Prefect's server does not tell of the pool ({type(error).__name__})."
            else:
                if kind == PoolWorker.type:
                    return PoolWorker(pool, name=name, limit=limit)
                if kind == ContainerWorker.type:
                    run_image(get_settings())
                    return ContainerWorker(pool, name=name, limit=limit)
                problem = (
                    f"The work pool {pool!r} is of the type {kind!r}, which is not ours; rename or "
                    "remove it, then: adspark provision"
                )
            if problem != told:
                _log.warning(problem)
            told = problem
            show_life()
            await asyncio.sleep(_POOL_POLL)


class _Signals:
    """How often the process was told to stop."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    def count(self) -> None:
        """Take note of another one."""
        (self.second if self.first.is_set() else self.first).set()


def _count_signals() -> _Signals:
    signals = _Signals()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, signals.count)
    return signals


async def _ask_when_wanted(worker: ServingWorker) -> None:
    """Ask for runs as soon as there may be some, beside the worker's own asking now and then."""
    while True:
        await worker.wanted.wait()
        worker.wanted.clear()
        if worker.is_setup:
            with suppress(httpx.HTTPError):  # the worker's own asking goes on and tells it
                await worker.get_and_submit_flow_runs()
        await asyncio.sleep(_GAP)


async def _listen(worker: ServingWorker) -> None:
    """Be told of new runs of the pool; also of one that was deleted and is made again."""
    while True:
        pool_id = worker.pool_id
        if pool_id is None:
            await asyncio.sleep(_GAP)
            continue
        subscription = asyncio.create_task(_subscribe(worker, pool_id))
        try:
            while worker.pool_id == pool_id and not subscription.done():
                await asyncio.wait({subscription}, timeout=_PAUSE)
            if subscription.done():
                await asyncio.sleep(_PAUSE)
        finally:
            await _end(subscription)


async def _subscribe(worker: ServingWorker, pool_id: UUID) -> None:
    new = EventFilter(
        event=EventNameFilter(name=_TELLING),
        any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{pool_id}"]),
        occurred=EventOccurredFilter(since=datetime.now(UTC)),
    )
    with suppress(Exception):  # the server went away; whatever the reason, it is asked again
        async with get_events_subscriber(filter=new) as subscriber:
            async for _ in subscriber:
                worker.wanted.set()
