"""What all workers of ours have in common: how they ask for runs, and how they stop.

- One question for runs at a time; events and ended runs can ask for it (`wanted`).
- Told to stop, a worker takes no more runs, lets those that it has end, and hands back to the queue
  what is left after a while.
- Before it takes its first run it cares for those that a killed worker has left.
- It refuses a run that asks for a command or surroundings of its own (`job_variables`).
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
from prefect.client.schemas.objects import FlowRun, WorkPool
from prefect.exceptions import ObjectNotFound
from prefect.states import Failed
from prefect.workers.base import BaseWorker, BaseWorkerResult

from adspark.errors import ConfigurationError
from deployments.docker.health import show_life
from deployments.provisioning.job_variables import OwnJob
from orchestration.state_changes import change_while

_POLL = 0.2  # seconds between two looks at runs that are to end


class ServingWorker(BaseWorker[Any, Any, Any]):
    """A worker of one pool on this host; what carries runs out is mixed in.

    Attributes:
        takes_over_every: seconds between two looks for what killed workers have left; the first is
            before the first run.
    """

    takes_over_every = math.inf

    def __init__(self, pool: str, *, name: str, limit: int | None = None) -> None:
        super().__init__(
            work_pool_name=pool, name=name, limit=limit, create_pool_if_not_found=False
        )
        self.wanted = asyncio.Event()
        self._carried: set[UUID] = set()
        self._is_stopping = False
        self._takes_over_at = 0.0
        self._turn = asyncio.Lock()

    @classmethod
    def __dispatch_key__(cls) -> str:
        """Prefect keeps a register of worker classes; this one is nobody's worker by itself."""
        return "adspark"

    @property
    def pool_id(self) -> UUID | None:
        """Prefect's id of the pool, once it is known."""
        return None if self._work_pool is None else self._work_pool.id

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Take runs, one question at a time; none once it is to stop."""
        async with self._turn:
            if self._is_stopping:
                return []
            now = time.monotonic()
            if now >= self._takes_over_at and self._runs_task_group and self.pool_id:
                await self._take_over(self._runs_task_group)
                self._takes_over_at = now + self.takes_over_every
            taken = await super().get_and_submit_flow_runs()
            show_life()
            return taken

    async def run(
        self,
        flow_run: FlowRun,
        configuration: OwnJob,
        task_status: anyio.abc.TaskStatus[Any] | None = None,
    ) -> BaseWorkerResult:
        """Carry it out, unless it asks for what is not a run's to choose."""
        if configuration.refusal is None:
            return await self.carry_out(flow_run, configuration, task_status)
        self.get_flow_run_logger(flow_run).error(configuration.refusal)
        if task_status is not None:
            task_status.started(ConfigurationError(configuration.refusal))  # it has no process
        with suppress(ObjectNotFound):  # it was deleted meanwhile
            await change_while(
                self.client,
                flow_run.id,
                Failed(message=configuration.refusal),
                lambda state: not (state.is_final() or state.is_cancelling()),
            )
        return BaseWorkerResult(status_code=0, identifier="")

    @abstractmethod
    async def carry_out(
        self,
        flow_run: FlowRun,
        configuration: Any,  # noqa: ANN401  (of the worker's own kind)
        task_status: anyio.abc.TaskStatus[Any] | None,
    ) -> BaseWorkerResult:
        """Carry a run out to its end; `task_status` is told where."""

    async def drain(self, patience: float, is_hurried: Callable[[], bool]) -> None:
        """Take no more runs, wait for those that there are, hand back the rest.

        Args:
            patience: seconds to wait.
            is_hurried: whether waiting is to end at once.
        """
        self._is_stopping = True
        end = asyncio.get_running_loop().time() + patience
        while self._carried or self._submitting_flow_run_ids:
            if asyncio.get_running_loop().time() > end or is_hurried():
                await self._hand_back_all()
            await asyncio.sleep(_POLL)

    async def sync_with_backend(self) -> None:
        """As Prefect's; while its pool is deleted, the worker and its runs go on."""
        with suppress(ObjectNotFound):  # a warning has told it
            await super().sync_with_backend()

    def _record_work_pool_snapshot(self, work_pool: WorkPool) -> None:
        """As Prefect's; of a pool that was deleted and made again, cancellings are heard too."""
        if self._work_pool is not None and self._work_pool.id != work_pool.id:
            self._cancelling_observer = None  # the next synchronisation begins a new one
        super()._record_work_pool_snapshot(work_pool)

    @abstractmethod
    async def _take_over(self, group: anyio.abc.TaskGroup) -> None:
        """Care for the runs that a killed worker has left on this host."""

    @abstractmethod
    async def _hand_back_all(self) -> None:
        """End all runs that it has, so that they are queued again; called until there are none."""

    async def _submit_run_and_capture_errors(
        self,
        flow_run: FlowRun,
        task_status: anyio.abc.TaskStatus[int | Exception] | None = None,
    ) -> BaseWorkerResult | Exception:
        """As Prefect's, and known to `drain` until the run's last state is reported."""
        self._carried.add(flow_run.id)
        try:
            return await super()._submit_run_and_capture_errors(flow_run, task_status)
        finally:
            self._carried.discard(flow_run.id)
            self.wanted.set()
