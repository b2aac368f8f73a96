"""Serve a pool with a worker until SIGTERM, then drain it."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime

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
from deployments.provisioning.container_job import run_image
from deployments.worker.base import PoolWorker
from deployments.worker.container_worker import ContainerPoolWorker
from deployments.worker.process_worker import ProcessPoolWorker
from orchestration.server.prefect_internals import serve_health

# After them there may be a run to claim.
_WAKING = [f"prefect.flow-run.{name}" for name in ("Scheduled", "AwaitingRetry", "Late")]
_POOL_POLL = 2.0  # seconds between two looks for a pool that there is not
_PAUSE = 5.0  # seconds before a subscription to events that has ended is begun again
_GAP = 0.1  # seconds between two polls at least
_log = get_logger("adspark.worker")


async def serve_pool(
    pool: str, *, name: str, patience: float, limit: int | None = None, has_health: bool = False
) -> None:
    """Serve a pool until SIGTERM or SIGINT, then wait for runs to end.

    What has not ended by then, or at a second signal, is requeued. While the server has no such
    pool, or one of a foreign type under its name, the worker waits and says so.

    Args:
        pool: its name.
        name: of the worker.
        patience: seconds to wait for runs.
        limit: runs at once in this worker; None is as many as the pool has slots.
        has_health: whether `/health` is served (`serve_health`).

    Raises:
        ConfigurationError: its runs are to be containers, of which no image is known.
    """
    stop, hurry = asyncio.Event(), asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(
            one, lambda: (hurry if stop.is_set() else stop).set()
        )
    stopping = asyncio.create_task(stop.wait())
    making = asyncio.create_task(_make_worker(pool, name=name, limit=limit))

    def is_healthy() -> bool:
        return not making.done() or making.result().is_polling

    health: AbstractContextManager[None] = serve_health(is_healthy) if has_health else nullcontext()
    with health:
        await asyncio.wait({making, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if making.done():
            await _serve(making.result(), stopping, patience, hurry.is_set)
        await _cancel(making, stopping)


async def _serve(
    worker: PoolWorker,
    stopping: "asyncio.Task[bool]",
    patience: float,
    is_hurried: Callable[[], bool],
) -> None:
    working = asyncio.create_task(worker.start())
    waking = asyncio.create_task(_wake_by_events(worker))
    polling = asyncio.create_task(_poll_when_woken(worker))
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await worker.drain(patience, is_hurried)
    finally:
        await _cancel(waking, polling)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _cancel(*tasks: "asyncio.Task[object]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _make_worker(pool: str, *, name: str, limit: int | None) -> PoolWorker:
    """The worker that the type of the pool asks for, once there is one."""
    last = ""
    async with get_client() as client:
        while True:
            try:
                kind = (await client.read_work_pool(pool)).type
            except ObjectNotFound:
                problem = f"The server has no work pool {pool!r}; make it with: adspark provision"
            except httpx.HTTPError as error:
                problem = f"Prefect's server does not answer for the pool ({type(error).__name__})."
            else:
                if kind == ProcessPoolWorker.type:
                    return ProcessPoolWorker(pool, name=name, limit=limit)
                if kind == ContainerPoolWorker.type:
                    run_image(get_settings())
                    return ContainerPoolWorker(pool, name=name, limit=limit)
                problem = (
                    f"The work pool {pool!r} is of the type {kind!r}, which is not ours; rename or "
                    "remove it, then: adspark provision"
                )
            if problem != last:
                _log.warning(problem)
            last = problem
            await asyncio.sleep(_POOL_POLL)


async def _poll_when_woken(worker: PoolWorker) -> None:
    """Poll as soon as there may be runs, beside the worker's own polling now and then."""
    while True:
        await worker.wake.wait()
        worker.wake.clear()
        if worker.is_setup:
            with suppress(httpx.HTTPError):  # the worker's own polling goes on and logs it
                await worker.get_and_submit_flow_runs()
        await asyncio.sleep(_GAP)


async def _wake_by_events(worker: PoolWorker) -> None:
    """Wake the worker when a run of its pool is queued; also of a pool that is made again."""
    while True:
        queued = EventFilter(
            event=EventNameFilter(name=_WAKING),
            any_resource=EventAnyResourceFilter(
                id_prefix=["prefect.work-pool."], labels={"prefect.resource.name": worker.pool}
            ),
            occurred=EventOccurredFilter(since=datetime.now(UTC)),
        )
        with suppress(Exception):  # the server went away; whatever the reason, it is tried again
            async with get_events_subscriber(filter=queued) as subscriber:
                async for _ in subscriber:
                    worker.wake.set()
        await asyncio.sleep(_PAUSE)
