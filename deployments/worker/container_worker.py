"""AdSpark's worker for pools of the type `docker`: Prefect's, whose runs are containers.

- What a run's container is comes from the settings of the worker alone (`container_job`).
- A container is removed by who has read how it ended, so that this is never missed; while Docker is
  away, it is waited for.
- Told to stop, the worker hands back what does not end in time: the container tells its run so.
- A worker that is killed leaves its containers running; another one watches over them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import anyio
import anyio.abc
import httpx
from anyio.to_thread import run_sync
from docker.models.containers import Container
from prefect.client.schemas.objects import FlowRun
from prefect.events import Event
from prefect.exceptions import InfrastructureNotFound, ObjectNotFound
from prefect_docker.worker import (
    DockerWorker,
    DockerWorkerJobConfiguration,
    DockerWorkerResult,
)

from deployments.execution.endings import explain_end
from deployments.provisioning.container_job import ContainerJob
from deployments.worker import docker_containers as containers
from deployments.worker.base import ServingWorker
from deployments.worker.orphans import CANCELLED, read_others, requeue_unstarted
from orchestration.requeue import end_or_requeue, was_queued_since
from orchestration.state_changes import change_while

_TIDY_UP = 20  # seconds between asking a container to end and killing it
_POLL = 1.0  # seconds between two looks at a container
_LOOK_AGAIN = 60.0  # seconds; a killed worker counts as alive for a minute and a half
_LOST = "Its container ended while nobody watched over it."
_REMOVED = "Its container was removed."
_AWAY = (*containers.TROUBLE, httpx.HTTPError)  # Docker or Prefect's server; asked again


class ContainerWorker(ServingWorker, DockerWorker):  # type: ignore[misc]  # `run` is ours
    """A worker of one pool on this host, whose runs are containers."""

    job_configuration = ContainerJob
    takes_over_every = _LOOK_AGAIN

    def __init__(self, pool: str, *, name: str, limit: int | None = None) -> None:
        super().__init__(pool, name=name, limit=limit)
        self._containers: dict[str, UUID] = {}
        self._stopped: set[str] = set()
        self._is_new = True

    @classmethod
    def __dispatch_key__(cls) -> str:
        """A name of its own; its type, and so the pools, are those of Prefect's docker worker."""
        return "adspark-docker"

    async def carry_out(
        self,
        flow_run: FlowRun,
        configuration: ContainerJob,
        task_status: anyio.abc.TaskStatus[str | Exception] | None,
    ) -> DockerWorkerResult:
        """Run it in a container of its own, to its end."""
        try:
            await DockerWorker.run(self, flow_run, configuration, task_status)
        except Exception as error:
            if configuration.container_id is None:
                raise
            # It goes on, and only who has followed its output does not.
            self._logger.warning("%s is followed no more: %s", flow_run.name, error)
        container_id = str(configuration.container_id)
        ended = await self._until_ended(container_id)
        taken = flow_run.state.id if flow_run.state else None
        code = await self._tell(flow_run.id, container_id, ended, taken)
        return DockerWorkerResult(status_code=code, identifier=container_id)

    def _create_and_start_container(
        self, configuration: DockerWorkerJobConfiguration
    ) -> tuple[Container, Event]:
        run_id = configuration.labels[containers.RUN]
        try:
            container, event = super()._create_and_start_container(configuration)
        except Exception:
            with suppress(*containers.TROUBLE):
                containers.remove_unstarted(run_id)
            raise
        self._containers[str(container.id)] = UUID(run_id)
        if isinstance(configuration, ContainerJob):
            configuration.begins(str(container.id))
        return container, event

    async def kill_infrastructure(
        self,
        infrastructure_pid: str,
        configuration: DockerWorkerJobConfiguration,
        grace_seconds: int = _TIDY_UP,
    ) -> None:
        """Stop the container of a run: that one alone, whatever the run says of itself.

        Raises:
            InfrastructureNotFound: it has none of that name.
        """
        container_id = self._parse_infrastructure_pid(infrastructure_pid)[1]
        run_id = configuration.labels[containers.RUN]
        if not await run_sync(containers.is_of_run, container_id, run_id):
            raise InfrastructureNotFound(f"{container_id} is not the container of run {run_id}.")
        await super().kill_infrastructure(infrastructure_pid, configuration, grace_seconds)

    async def _until_ended(
        self, container_id: str, look: Callable[[], Awaitable[None]] | None = None
    ) -> containers.Ended | None:
        """Wait for the end of a container and remove it.

        Args:
            look: what is to be done now and then meanwhile.

        Returns:
            How it ended; None where somebody else has removed it.
        """
        try:
            while True:
                try:
                    if not await run_sync(containers.is_running, container_id):
                        return await run_sync(containers.remove, container_id)
                    if look is not None:
                        await look()
                except _AWAY as error:
                    self._logger.warning("Container %s: %s", container_id[:12], error)
                await asyncio.sleep(_POLL)
        finally:
            self._containers.pop(container_id, None)

    async def _tell(
        self,
        run_id: UUID,
        container_id: str,
        ended: containers.Ended | None,
        taken: UUID | None = None,
    ) -> int:
        """Tell the server what only a container knows: why it died.

        Args:
            run_id: its run.
            container_id: itself, which is gone.
            ended: how it ended; None where somebody else has removed it.
            taken: the state in which its run was taken, where that is known; queued anew since, it
                is no longer this container's.

        Returns:
            What is left to be told, as an exit code.
        """
        if ended is None:
            run = await self.client.read_flow_run(run_id)
            await end_or_requeue(self.client, run, _REMOVED, cancelled=CANCELLED)
            return 0
        if ended.code == 0 or container_id in self._stopped:
            return ended.code
        states = await self.client.read_flow_run_states(run_id)
        if taken is not None and was_queued_since(states, taken):
            return 0
        end = explain_end(
            ended.code, memory=ended.limit, lacked_memory=ended.lacked_memory, told=ended.told
        )
        await change_while(
            self.client, run_id, end, lambda state: state.is_running() or state.is_pending()
        )
        return 0

    async def _hand_back_all(self) -> None:
        async with anyio.create_task_group() as group:
            for container_id in list(self._containers):
                group.start_soon(self._stop, container_id)

    async def _stop(self, container_id: str) -> None:
        self._stopped.add(container_id)
        with suppress(InfrastructureNotFound, *_AWAY):
            await run_sync(self._stop_container, container_id, _TIDY_UP)

    async def _take_over(self, group: anyio.abc.TaskGroup) -> None:
        watched = await read_others(self.client, self._work_pool_name, self.name)
        if not self._is_new:
            watched.add(self.name)
        try:
            found = await run_sync(containers.find_left, str(self.pool_id), watched)
        except _AWAY as error:
            if self._is_new:
                raise
            self._logger.warning("Docker does not tell what was left: %s", error)
            return
        for container_id, run_id in found.items():
            if container_id in self._containers:
                continue
            self._containers[container_id] = run_id
            self._carried.add(run_id)
            group.start_soon(self._watch_left, run_id, container_id)
        if self._is_new:  # later on, what has not begun is what this one is about to begin
            known = set(self._containers.values())
            await requeue_unstarted(self.client, self._work_pool_name, self.name, but=known)
            self._is_new = False

    async def _watch_left(self, run_id: UUID, container_id: str) -> None:
        """Wait for the end of a container that a killed worker has left."""
        is_cancelled = False

        async def look() -> None:
            nonlocal is_cancelled
            try:
                run = await self.client.read_flow_run(run_id)
            except ObjectNotFound:
                await self._stop(container_id)
                return
            if run.state and run.state.is_cancelling() and run.start_time is None:
                is_cancelled = True
                await self._stop(container_id)

        try:
            ended = await self._until_ended(container_id, look)
            # What the server does not hear now, reconcile finds.
            with suppress(ObjectNotFound, httpx.HTTPError):
                await self._tell(run_id, container_id, ended)
                if run_id not in self._containers.values():
                    left = await self.client.read_flow_run(run_id)
                    await end_or_requeue(
                        self.client, left, _LOST, cancelled=CANCELLED, is_cancelled=is_cancelled
                    )
        finally:
            self._carried.discard(run_id)
            self.wanted.set()
