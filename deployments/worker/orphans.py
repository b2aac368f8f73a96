"""What a worker does about the runs of a worker that was killed on the same host.

Their processes may go on: they are watched, so that they can be cancelled. Those whose process is
gone are requeued at once. The runs of another worker that lives are left alone.
"""

import asyncio
import socket
from collections.abc import Collection
from contextlib import suppress
from uuid import UUID

import anyio.abc
import httpx
import psutil
from anyio.to_thread import run_sync
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, WorkerStatus
from prefect.exceptions import ObjectNotFound

from adspark.home.processes import ProcessId, is_alive, stop_process_trees
from deployments.execution.fork import kill_leftovers
from deployments.operations.leftover_processes import (
    find_folders,
    remove_folders,
    remove_left_folders,
)
from deployments.operations.worker_names import WORKER_LABEL, is_of_another
from orchestration.runs.flow_runs import ACTIVE, filter_runs, read_runs
from orchestration.runs.requeue import end_or_requeue, was_queued_since

_POLL = 2.0  # seconds between two looks at a run that was adopted
_PATIENCE = 10.0  # seconds between asking a cancelled run's process to end and killing it
_LOST = "Its worker was killed, and its process is gone."
_UNSTARTED = "Its worker was killed before it began."
# Its own last word is that it crashed, for nobody could tell it why it was to end.
CANCELLED = "Cancelled after its worker had been killed."
"""What is said of a run whose cancellation a killed worker has left to others."""


def identify(pid: int | None) -> str:
    """What a run's `infrastructure_pid` says: host, process, and when that was created."""
    if pid is None:
        return socket.gethostname()
    with suppress(psutil.NoSuchProcess):
        return f"{socket.gethostname()}:{pid}:{ProcessId.of(pid).created}"
    return f"{socket.gethostname()}:{pid}:0"


def is_here(run: FlowRun) -> bool:
    """Whether the run's process was started on this host."""
    return (run.infrastructure_pid or "").split(":")[0] == socket.gethostname()


def find_process(run: FlowRun) -> psutil.Process | None:
    """The process of a run of this host, if it still runs."""
    _, _, process = (run.infrastructure_pid or "").partition(":")
    pid, _, created = process.partition(":")
    return ProcessId(pid=int(pid), created=float(created)).find() if created else None


async def adopt(client: PrefectClient, group: anyio.abc.TaskGroup, pool: str, worker: str) -> None:
    """Watch over the runs that a worker of this pool has left on this host, and requeue the others;
    folders of runs that are gone are removed.

    Args:
        client: of Prefect's server; open as long as the group.
        group: in which the runs are watched.
        pool: name of the pool.
        worker: name of the worker that adopts.
    """
    await run_sync(remove_left_folders)
    for run in await _read_unfinished(client, pool):
        if is_here(run) and not is_of_another(run, worker, str(client.api_url)):
            group.start_soon(_watch, client, run)
    await requeue_unstarted(client, pool, worker)


async def requeue_unstarted(
    client: PrefectClient, pool: str, worker: str, *, but: Collection[UUID] = ()
) -> None:
    """Requeue what a killed worker had claimed and not yet started: what names this worker, or all
    where there is no other.

    Args:
        pool: name of the pool.
        worker: name of this worker.
        but: those of which it is known that they run.
    """
    is_alone = not await read_others(client, pool, worker)
    for run in await _read_unfinished(client, pool):
        if run.infrastructure_pid or run.id in but:
            continue
        if is_of_another(run, worker, str(client.api_url)):
            continue
        if is_alone or run.labels.get(WORKER_LABEL) == worker:
            with suppress(ObjectNotFound):  # it was deleted meanwhile
                await end_or_requeue(client, run, _UNSTARTED, cancelled=CANCELLED, tries=1)


async def read_others(client: PrefectClient, pool: str, worker: str) -> set[str]:
    """The names of the other workers of the pool that are alive.

    Args:
        pool: name of the work pool.
        worker: name of the one that asks.
    """
    workers = await client.read_workers_for_work_pool(pool)
    return {one.name for one in workers if one.status == WorkerStatus.ONLINE} - {worker}


async def _read_unfinished(client: PrefectClient, pool: str) -> list[FlowRun]:
    """The runs of a pool that somebody has claimed and that have not ended."""
    return await read_runs(client, filter_runs(types=ACTIVE), pools=[pool])


async def _watch(client: PrefectClient, run: FlowRun) -> None:
    """Wait until a run's process is gone, and see to it that the run has ended then; what was
    queued anew meanwhile may have another process, which is its worker's."""
    claimed, process, folders = run.state, find_process(run), find_folders(run.id)
    is_cancelled = is_queued_anew = False
    while process and is_alive(process):
        with suppress(ObjectNotFound, httpx.HTTPError):  # it was deleted; the server is away
            run = await client.read_flow_run(run.id)
        if run.state and run.state.is_cancelling():
            is_cancelled = True
            await run_sync(lambda one: stop_process_trees([one], timeout=_PATIENCE), process)
        await asyncio.sleep(_POLL)
    await run_sync(remove_folders, folders)
    with suppress(ObjectNotFound, httpx.HTTPError):
        states = await client.read_flow_run_states(run.id)
        is_queued_anew = claimed is not None and was_queued_since(states, claimed.id)
    if is_queued_anew:
        return
    await run_sync(kill_leftovers, run.id)
    # What the server does not hear now, reconcile finds.
    with suppress(ObjectNotFound, httpx.HTTPError):
        left = await client.read_flow_run(run.id)
        await end_or_requeue(client, left, _LOST, cancelled=CANCELLED, is_cancelled=is_cancelled)
