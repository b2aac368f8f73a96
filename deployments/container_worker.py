"""AdSpark's worker for pools of the type `docker`: Prefect's, whose runs are containers.

- A run's container gets the settings of the worker (`.env`), but no key: those are in blocks.
- A container is removed by who has read how it ended, so that this is never missed.
- Told to stop, the worker hands back what does not end in time: the container tells its run so.
- A worker that is killed leaves its containers running; the next one watches over them.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import anyio
import anyio.abc
from anyio.to_thread import run_sync
from docker.client import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container
from prefect.client.schemas.objects import FlowRun
from prefect.events import Event
from prefect.exceptions import InfrastructureNotFound
from prefect.states import Crashed
from prefect_docker.worker import (
    DockerWorker,
    DockerWorkerJobConfiguration,
    DockerWorkerResult,
)

from adspark.settings import get_settings
from deployments.serving_worker import ServingWorker
from deployments.stack_settings import public_environment
from deployments.takeover import read_others, requeue_unstarted, settle
from tasks.redelivery import out_of_memory

_RUN = "io.prefect.flow-run-id"
_POOL = "io.prefect.work-pool-name"
_WORKER = "io.prefect.worker-name"
_KILLED = 137
_TIDY_UP = 20  # seconds between asking a container to end and killing it
_POLL = 2.0  # seconds between two looks at a container that was taken over
_LOST = "Its container ended while nobody watched over it."


@dataclass(frozen=True)
class Ended:
    """How a container ended.

    Attributes:
        code: its exit code.
        lacked_memory: whether it was killed at its bound.
        limit: that bound in bytes; None is none.
    """

    code: int
    lacked_memory: bool
    limit: int | None


class ContainerJob(DockerWorkerJobConfiguration):
    """A run's container, with the settings of its worker."""

    def _base_environment(self) -> dict[str, str]:  # type: ignore[override]
        ours = public_environment(get_settings())
        return {**super()._base_environment(), **ours}  # type: ignore[no-untyped-call]


class ContainerWorker(ServingWorker, DockerWorker):
    """A worker of one pool on this host, whose runs are containers."""

    job_configuration = ContainerJob

    def __init__(self, pool: str, *, name: str, limit: int | None = None) -> None:
        super().__init__(pool, name=name, limit=limit)
        self._containers: dict[UUID, str] = {}

    @classmethod
    def __dispatch_key__(cls) -> str:
        """A name of its own; its type, and so the pools, are those of Prefect's docker worker."""
        return "adspark-docker"

    async def run(
        self,
        flow_run: FlowRun,
        configuration: DockerWorkerJobConfiguration,
        task_status: anyio.abc.TaskStatus[str] | None = None,  # type: ignore[override]
    ) -> DockerWorkerResult:
        """Run it in a container of its own, to its end."""
        try:
            result = await super().run(flow_run, configuration, task_status)
            ended = await run_sync(self._remove, self._containers[flow_run.id])
        finally:
            self._containers.pop(flow_run.id, None)
        return DockerWorkerResult(
            status_code=await self._tell(flow_run.id, ended), identifier=result.identifier
        )

    def _create_and_start_container(
        self, configuration: DockerWorkerJobConfiguration
    ) -> tuple[Container, Event]:
        container, event = super()._create_and_start_container(configuration)
        self._containers[UUID(configuration.labels[_RUN])] = str(container.id)
        return container, event

    async def _tell(self, run_id: UUID, ended: Ended | None) -> int:
        """Tell the server why a container was killed, if that was memory; returns what is left to
        be told as an exit code."""
        if ended is None:
            return _KILLED
        if ended.code == _KILLED and ended.lacked_memory:
            crashed = Crashed(message=out_of_memory(ended.limit))  # type: ignore[var-annotated]
            await self.client.set_flow_run_state(run_id, crashed, force=True)
            return 0
        return ended.code

    async def _hand_back_all(self) -> None:
        async with anyio.create_task_group() as group:
            for container_id in self._containers.values():
                group.start_soon(self._stop, container_id)

    async def _stop(self, container_id: str) -> None:
        with suppress(InfrastructureNotFound):
            await run_sync(self._stop_container, container_id, _TIDY_UP)

    async def _take_over(self, group: anyio.abc.TaskGroup) -> None:
        others = await read_others(self.client, self._work_pool_name, self.name)
        found = await run_sync(self._find_left, others)
        for run_id, container_id in found.items():
            self._containers[run_id] = container_id
            self._carried.add(run_id)
            group.start_soon(self._watch_left, run_id, container_id)
        await requeue_unstarted(self.client, self._work_pool_name, self.name, but=found)

    async def _watch_left(self, run_id: UUID, container_id: str) -> None:
        """Wait for the end of a container that a killed worker has left."""
        try:
            is_cancelled = False
            while await run_sync(self._is_running, container_id):
                run = await self.client.read_flow_run(run_id)
                if run.state and run.state.is_cancelling() and run.start_time is None:
                    is_cancelled = True
                    await self._stop(container_id)
                await asyncio.sleep(_POLL)
            await self._tell(run_id, await run_sync(self._remove, container_id))
            await settle(self.client, run_id, _LOST, cancelled=is_cancelled)
        finally:
            self._containers.pop(run_id, None)
            self._carried.discard(run_id)
            self.wanted.set()

    # What is asked of the engine, in threads

    @contextmanager
    def _engine(self) -> Iterator[DockerClient]:
        client = self._get_client()  # type: ignore[no-untyped-call]
        try:
            yield client
        finally:
            client.close()

    def _find_left(self, others: set[str]) -> dict[UUID, str]:
        """The containers of this pool on this host that no living worker watches over."""
        wanted = {"label": f"{_POOL}={self._work_pool_name}"}
        with self._engine() as engine:
            return {
                UUID(one.labels[_RUN]): str(one.id)
                for one in engine.containers.list(all=True, filters=wanted)
                if one.labels.get(_WORKER) not in others
            }

    def _is_running(self, container_id: str) -> bool:
        with self._engine() as engine, suppress(NotFound):
            return engine.containers.get(container_id).status in {"created", "running", "paused"}
        return False

    def _remove(self, container_id: str) -> Ended | None:
        """Read how a container ended, and remove it; None where it is gone already."""
        with self._engine() as engine, suppress(NotFound):
            container = engine.containers.get(container_id)
            code = int(container.wait()["StatusCode"])
            container.reload()
            state, host = container.attrs["State"], container.attrs["HostConfig"]
            container.remove(force=True)
            return Ended(code, bool(state.get("OOMKilled")), host.get("Memory") or None)
        return None
