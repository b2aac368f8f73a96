"""What a worker does about the runs of a worker that was killed on the same host.

Their processes may go on: they are watched, so that they can be cancelled. Those whose process is
gone are given back to the queue at once.
"""

import asyncio
import socket
from contextlib import suppress

import anyio.abc
import psutil
from anyio.to_thread import run_sync
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType, WorkerStatus
from prefect.states import Cancelled

from deployments.run_starter import kill_leftovers
from deployments.stack_state import ProcessId, stop_process_trees
from tasks.redelivery import redeliver

_UNDER_WAY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_POLL = 2.0  # seconds between two looks at a run that was taken over
_PATIENCE = 10.0  # seconds between asking a cancelled run's process to end and killing it
_WORKER_LABEL = "prefect.worker.name"
_LOST = "Its worker was killed, and its process is gone."


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
    if not created:
        return None
    return ProcessId(pid=int(pid), created=float(created)).find()


async def take_over(
    client: PrefectClient, group: anyio.abc.TaskGroup, pool: str, worker: str
) -> None:
    """Care for the runs that a worker of this pool has left on this host.

    One that was taken, and of which it is not known where it was to run, is this worker's where it
    says so, or where there is no other worker.
    """
    others = await client.read_workers_for_work_pool(pool)
    is_alone = all(one.name == worker or one.status != WorkerStatus.ONLINE for one in others)
    runs = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNDER_WAY))
        ),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
    )
    for run in runs:
        if is_here(run):
            group.start_soon(_watch, client, run)
        elif not run.infrastructure_pid and (is_alone or run.labels.get(_WORKER_LABEL) == worker):
            await redeliver(client, run, "Its worker was killed before it began.")


async def _watch(client: PrefectClient, run: FlowRun) -> None:
    """Wait until a run's process is gone, and see to it that the run has ended then."""
    is_cancelled = False
    while process := find_process(run):
        run = await client.read_flow_run(run.id)
        if run.state and run.state.is_cancelling():
            is_cancelled = True
            await run_sync(lambda one: stop_process_trees([one], patience=_PATIENCE), process)
        await asyncio.sleep(_POLL)
    await run_sync(kill_leftovers, run.id)
    run = await client.read_flow_run(run.id)
    if is_cancelled or (run.state and run.state.is_cancelling()):
        # Its own last word is that it crashed, for nobody could tell it why it was to end.
        message = "Cancelled after its worker had been killed."
        await client.set_flow_run_state(run.id, Cancelled(message=message), force=True)
    elif is_here(run) and run.state and run.state.type in _UNDER_WAY:
        await redeliver(client, run, _LOST)
