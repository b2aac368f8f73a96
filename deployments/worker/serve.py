"""Serve pools with a worker each until SIGTERM, then drain them.

The workers of a host share one process, and the server that their runs are forked from.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, TypeVar

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_logger

from adspark.settings import get_settings
from deployments.execution.fork import start_server
from deployments.provisioning.jobs.run_image import run_image
from deployments.worker.base import PoolWorker
from deployments.worker.process_worker import ProcessPoolWorker
from deployments.worker.waking import poll_when_woken, wake_by_events
from orchestration.server.prefect_internals import serve_health

_POOL_POLL = 1.0  # seconds between two looks for a pool that there is not
_LOOKS = 15  # that find the same before it is said: server and pool may just be being made
_log = get_logger("adspark.worker")
_T = TypeVar("_T")


async def serve_pools(
    names: Mapping[str, str],
    *,
    patience: float,
    limit: int | None = None,
    has_health: bool = False,
) -> None:
    """Serve pools until SIGTERM or SIGINT, or until one worker fails; then wait for runs to end.

    What has not ended by then, or at a second signal, is requeued. While the server has no such
    pool, or one of a foreign type under its name, that worker waits and says so.

    Args:
        names: of the workers, by the name of their pool.
        patience: seconds to wait for runs.
        limit: runs at once in each worker; None is as many as its pool has slots.
        has_health: whether `/health` is served (`serve_health`).

    Raises:
        ConfigurationError: runs are to be containers, of which no image is known.
    """
    if get_settings().pool_type == "process":  # it imports what runs need while pools are awaited
        await asyncio.to_thread(start_server)
    stop, hurry = asyncio.Event(), asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(
            one, lambda: (hurry if stop.is_set() else stop).set()
        )
    workers: dict[str, PoolWorker] = {}

    async def serve(pool: str) -> None:
        try:
            making = _make_worker(pool, name=names[pool], limit=limit)
            if worker := await _result_before(stop, making):
                workers[pool] = worker
                await _serve(worker, stop, patience, hurry.is_set)
        finally:
            stop.set()  # where one has failed, the others let their runs end

    def is_healthy() -> bool:
        return all(worker.is_polling for worker in workers.values())

    health: AbstractContextManager[None] = serve_health(is_healthy) if has_health else nullcontext()
    waking = asyncio.create_task(wake_by_events(names, workers))
    with health:
        ends = await asyncio.gather(*(serve(pool) for pool in names), return_exceptions=True)
    await _cancel(waking)
    for error in filter(None, ends):
        raise error


async def _serve(
    worker: PoolWorker, stop: asyncio.Event, patience: float, is_hurried: Callable[[], bool]
) -> None:
    working = asyncio.create_task(worker.start())
    polling = asyncio.create_task(poll_when_woken(worker))
    try:
        await _first(working, stop)
        if not working.done():
            await worker.drain(patience, is_hurried)
    finally:
        await _cancel(polling)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _result_before(stop: asyncio.Event, work: Coroutine[None, None, _T]) -> _T | None:
    """What comes of it, or None where the stop came first."""
    task = asyncio.create_task(work)
    await _first(task, stop)
    if task.done():
        return task.result()
    await _cancel(task)
    return None


async def _first(task: "asyncio.Task[Any]", stop: asyncio.Event) -> None:
    """Return once the task is done, or the stop has come."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await _cancel(stopping)


async def _cancel(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _make_worker(pool: str, *, name: str, limit: int | None) -> PoolWorker:
    """The worker that the type of the pool asks for, once there is one."""
    last, looks = "", 0
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
                if kind == "docker":
                    from deployments.worker.container_worker import (  # noqa: PLC0415  (slow)
                        ContainerPoolWorker,
                    )

                    run_image(get_settings())
                    return ContainerPoolWorker(pool, name=name, limit=limit)
                problem = (
                    f"The runs of the work pool {pool!r} are Jobs of Kubernetes: Prefect's own "
                    "worker starts them, see docs/operators/kubernetes.md"
                    if kind == "kubernetes"
                    else f"The work pool {pool!r} is of the type {kind!r}, which is not ours; "
                    "rename or remove it, then: adspark provision"
                )
            looks = looks + 1 if problem == last else 1
            if looks == _LOOKS:
                _log.warning(problem)
            last = problem
            await asyncio.sleep(_POOL_POLL)
