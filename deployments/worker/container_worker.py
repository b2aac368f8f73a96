"""AdSpark's worker for pools of the type `docker`: Prefect's, whose runs are containers.

- What a run's container is comes from the settings of the worker alone (`container_job`).
- A container is removed by who has read how it ended, so that this is never missed; while Docker is
  away, it is waited for.
- At SIGTERM the worker stops what does not end in time: the container requeues its run.
- A worker that is killed leaves its containers running; another one adopts them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
import httpx
from anyio.to_thread import run_sync
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import InfrastructureNotFound, ObjectNotFound
from prefect.logging import get_logger
from prefect_docker.worker import DockerWorker, DockerWorkerJobConfiguration, DockerWorkerResult

from deployments.provisioning.jobs.container import ContainerJob
from deployments.worker import docker_containers as containers
from deployments.worker.base import PoolWorker
from deployments.worker.orphans import CANCELLED, read_others, requeue_unstarted
from orchestration.runs.optional import read_optional
from orchestration.runs.requeue import end_or_requeue, was_queued_since
from orchestration.runs.state_changes import change_while

_TIDY_UP = 20  # seconds between asking a container to end and killing it
_POLL = 1.0  # seconds between two looks at a container
_LOOK_AGAIN = 60.0  # seconds; a killed worker counts as alive for a minute and a half
_LOST = "Its container ended while no worker watched over it."
_REMOVED = "Its container was removed."
_AWAY = (*containers.TROUBLE, httpx.HTTPError)  # Docker or Prefect's server; asked again
_log = get_logger("adspark.worker")


class ContainerPoolWorker(PoolWorker, DockerWorker):  # type: ignore[misc]  # `run` is ours
    """A worker of one pool on this host, whose runs are containers."""

    job_configuration = ContainerJob
    adopts_every = _LOOK_AGAIN

    def __init__(self, pool: str, *, name: str, limit: int | None = None) -> None:
        super().__init__(pool, name=name, limit=limit)
        self._containers: dict[str, UUID] = {}
        self._stopped: set[str] = set()
        self._is_new = True

    async def execute(
        self,
        flow_run: FlowRun,
        configuration: ContainerJob,
        task_status: anyio.abc.TaskStatus[str | Exception],
    ) -> DockerWorkerResult:
        pid = ""

        def begin(infrastructure_pid: str) -> None:
            nonlocal pid
            pid = infrastructure_pid
            self._containers[_container_of(pid)] = flow_run.id
            task_status.started(pid)

        status: Any = SimpleNamespace(started=begin)
        try:
            await DockerWorker.run(self, flow_run, configuration, status)
        except Exception as error:
            if not pid:
                with suppress(*containers.TROUBLE):
                    await run_sync(containers.remove_unstarted, str(flow_run.id))
                raise
            # It goes on, and only who has followed its output does not.
            _log.warning("%s is followed no more: %s", flow_run.name, error)
        container_id = _container_of(pid)
        ended = await self._until_ended(container_id)
        claimed = flow_run.state.id if flow_run.state else None
        code = 0
        with suppress(ObjectNotFound):  # the run was deleted meanwhile
            code = await self._record(flow_run.id, container_id, ended, claimed)
        return DockerWorkerResult(status_code=code, identifier=pid)

    async def kill_infrastructure(
        self,
        infrastructure_pid: str,
        configuration: DockerWorkerJobConfiguration,
        grace_seconds: int = _TIDY_UP,
    ) -> None:
        """As Prefect's: stop the container of a run, but that one alone, whatever the run says.

        Args:
            infrastructure_pid: host and id of the container, as it was reported.
            configuration: of its job.
            grace_seconds: between SIGTERM and SIGKILL.

        Raises:
            InfrastructureNotFound: the run has no such container.
        """
        container_id = _container_of(infrastructure_pid)
        run_id = configuration.labels[containers.RUN]
        if not await run_sync(containers.is_of_run, container_id, run_id):
            raise InfrastructureNotFound(f"{container_id} is not the container of run {run_id}.")
        await super().kill_infrastructure(infrastructure_pid, configuration, grace_seconds)

    async def release_all(self) -> None:
        async with anyio.create_task_group() as group:
            for container_id in list(self._containers):
                group.start_soon(self._stop, container_id)

    async def adopt_orphans(self, group: anyio.abc.TaskGroup) -> None:
        """Watch over containers whose worker is gone; a new worker also requeues what has none."""
        watched = await read_others(self.client, self.pool, self.name)
        if not self._is_new:
            watched.add(self.name)
        try:
            found = await run_sync(containers.find_left, str(self.pool_id), watched)
        except _AWAY as error:
            if self._is_new:
                raise
            _log.warning("Docker does not answer what was left: %s", error)
            return
        for container_id, run_id in found.items():
            if container_id not in self._containers:
                self._containers[container_id] = run_id
                self.active.add(run_id)
                group.start_soon(self._watch_orphan, run_id, container_id)
        if self._is_new:  # later on, what has not begun is what this one is about to begin
            known = set(self._containers.values())
            await requeue_unstarted(self.client, self.pool, self.name, but=known)
            self._is_new = False

    async def _until_ended(
        self, container_id: str, look: Callable[[], Awaitable[None]] | None = None
    ) -> containers.Ended | None:
        """Wait for the end of a container, look at its run meanwhile, and remove it; returns how it
        ended, or None where somebody else has removed it."""
        try:
            while True:
                try:
                    if not await run_sync(containers.is_running, container_id):
                        return await run_sync(containers.remove, container_id)
                    if look is not None:
                        await look()
                except _AWAY as error:
                    _log.warning("Container %s: %s", container_id[:12], error)
                await asyncio.sleep(_POLL)
        finally:
            self._containers.pop(container_id, None)

    async def _record(
        self,
        run_id: UUID,
        container_id: str,
        ended: containers.Ended | None,
        claimed: UUID | None = None,
    ) -> int:
        """Record why a container died, unless its run was queued anew since it was claimed; returns
        an exit code that is not recorded yet, or 0."""
        if ended is None:
            run = await self.client.read_flow_run(run_id)
            await end_or_requeue(self.client, run, _REMOVED, cancelled=CANCELLED)
            return 0
        if ended.code == 0 or container_id in self._stopped:
            return ended.code
        states = await self.client.read_flow_run_states(run_id)
        if claimed is not None and was_queued_since(states, claimed):
            return 0
        await change_while(
            self.client, run_id, ended.state, lambda state: state.is_running() or state.is_pending()
        )
        return 0

    async def _stop(self, container_id: str) -> None:
        self._stopped.add(container_id)
        with suppress(*_AWAY):
            await run_sync(containers.stop, container_id, _TIDY_UP)

    async def _watch_orphan(self, run_id: UUID, container_id: str) -> None:
        """Wait for the end of a container that a killed worker has left."""
        is_cancelled = False

        async def look() -> None:
            nonlocal is_cancelled
            run = await read_optional(self.client.read_flow_run(run_id))
            if run is None:
                await self._stop(container_id)
            elif run.state and run.state.is_cancelling() and run.start_time is None:
                is_cancelled = True
                await self._stop(container_id)

        try:
            ended = await self._until_ended(container_id, look)
            # What the server does not hear now, reconcile finds.
            with suppress(ObjectNotFound, httpx.HTTPError):
                await self._record(run_id, container_id, ended)
                if run_id not in self._containers.values():
                    left = await self.client.read_flow_run(run_id)
                    await end_or_requeue(
                        self.client, left, _LOST, cancelled=CANCELLED, is_cancelled=is_cancelled
                    )
        finally:
            self.on_run_ended(run_id)


def _container_of(infrastructure_pid: str) -> str:
    """The id of a container, which stands after Docker's address."""
    return infrastructure_pid.rpartition(":")[2]
