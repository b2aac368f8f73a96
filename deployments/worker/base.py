"""What all workers of ours have in common: how they poll for runs, and how they stop.

- One poll at a time; events and ended runs request one (`wake`).
- At SIGTERM a worker claims no more runs, lets those that it has end, and releases what is left
  after a while, so that it is requeued.
- Before it claims its first run it adopts those that a killed worker has left.
- It refuses a run that wants a command or surroundings of its own (`job_variables`).
"""

import asyncio
import math
import time
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.workers.base import BaseWorker, BaseWorkerResult

from adspark.errors import ConfigurationError
from deployments.provisioning.jobs.variables import OwnJob
from orchestration.runs.state_changes import refuse
from orchestration.server.prefect_internals import WorkerHooks

_POLL = 0.2  # seconds between two looks at runs that are to end
_HEALTHY = 2.0  # seconds between polls, of which Prefect lets 30 be missed


class PoolWorker(WorkerHooks, BaseWorker[Any, Any, Any]):
    """A worker of one pool on this host; what executes runs is mixed in.

    Attributes:
        pool: its name.
        wake: set when there may be runs to claim.
        adopts_every: seconds between two looks for what killed workers have left; the first is
            before the first run.
    """

    adopts_every = math.inf

    def __init__(self, pool: str, *, name: str, limit: int | None = None) -> None:
        super().__init__(
            work_pool_name=pool, name=name, limit=limit, create_pool_if_not_found=False
        )
        self.pool = pool
        self.wake = asyncio.Event()
        self.active: set[UUID] = set()
        self._without_slot: set[UUID] = set()
        self._is_stopping = False
        self._adopts_at = 0.0
        self._turn = asyncio.Lock()

    @classmethod
    def __dispatch_key__(cls) -> str:
        """A name in Prefect's register of workers; the types, and so the pools, are Prefect's."""
        return f"adspark-{cls.__name__}"

    @property
    def is_polling(self) -> bool:
        """Whether the server has answered a poll within the last minute."""
        return self.is_worker_still_polling(query_interval_seconds=_HEALTHY)

    @property
    def may_claim(self) -> bool:
        """Whether its own runs leave a slot of the pool; the end of one of them wakes it."""
        return self.pool_limit is None or len(self.active - self._without_slot) < self.pool_limit

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Claim runs, one poll at a time; none once it is to stop."""
        async with self._turn:
            if self._is_stopping:
                return []
            now = time.monotonic()
            if now >= self._adopts_at and self.run_group and self.pool_id:
                await self.adopt_orphans(self.run_group)
                self._adopts_at = now + self.adopts_every
            return await super().get_and_submit_flow_runs()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: OwnJob,
        task_status: anyio.abc.TaskStatus[Any] | None = None,
    ) -> BaseWorkerResult:
        """Execute it, unless it wants what is not a run's to choose.

        Args:
            flow_run: what to execute.
            configuration: of its job.
            task_status: told where it runs, once it does.
        """
        status = task_status or anyio.TASK_STATUS_IGNORED
        self.active.add(flow_run.id)
        if configuration.refusal is None:
            return await self.execute(flow_run, configuration, status)
        self.get_flow_run_logger(flow_run).error(configuration.refusal)
        status.started(ConfigurationError(configuration.refusal))  # it has no process
        await refuse(self.client, flow_run.id, configuration.refusal)
        return BaseWorkerResult(status_code=0, identifier="")

    def on_slot_freed(self, flow_run_id: UUID) -> None:
        """Poll at once for a run in the place of one whose end is recorded: here or on another
        host. Its process may take a moment more."""
        if flow_run_id in self.active:
            self._without_slot.add(flow_run_id)
        self.wake.set()

    def on_run_ended(self, flow_run_id: UUID) -> None:
        """Poll at once for a run in its place."""
        self.active.discard(flow_run_id)
        self._without_slot.discard(flow_run_id)
        self.wake.set()

    async def drain(self, patience: float, is_hurried: Callable[[], bool]) -> None:
        """Claim no more runs, wait some seconds for those that there are, release the rest.

        They are also released once `is_hurried` returns True.
        """
        self._is_stopping = True
        end = time.monotonic() + patience
        while self.active or self.is_submitting:
            if time.monotonic() > end or is_hurried():
                await self.release_all()
            await asyncio.sleep(_POLL)

    async def sync_with_backend(self) -> None:
        """As Prefect's; while its pool is deleted, the worker and its runs go on."""
        with suppress(ObjectNotFound):  # a warning has said it
            await super().sync_with_backend()

    @abstractmethod
    async def execute(
        self,
        flow_run: FlowRun,
        configuration: Any,  # noqa: ANN401  (of the worker's own kind)
        task_status: anyio.abc.TaskStatus[Any],
    ) -> BaseWorkerResult:
        """Execute a run to its end, and report where it runs to `task_status`.

        Args:
            flow_run: what to execute.
            configuration: of its job.
            task_status: told where it runs, once it does.
        """

    @abstractmethod
    async def adopt_orphans(self, group: anyio.abc.TaskGroup) -> None:
        """Watch over the runs that a killed worker has left on this host."""

    @abstractmethod
    async def release_all(self) -> None:
        """End all runs that it has, so that they are requeued; called until there are none."""
