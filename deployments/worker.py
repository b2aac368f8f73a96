"""AdSpark's worker: Prefect's process worker, but quick to start a run and gentle when it stops.

- A run is forked (`run_process`), unless its job variables want a command or an environment of
  its own: then it gets a fresh interpreter, as with Prefect's worker.
- It is told of new runs by Prefect's events, and asks at once when a run has ended, so that it
  need not ask often.
- Told to stop, it takes no more runs, lets those that it has end, and hands back to the queue what
  is left after a while; what a killed worker left on this host it takes over.
- What a run has started, as a browser, ends with it.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from uuid import UUID

import anyio
import anyio.abc
from anyio.to_thread import run_sync
from prefect.client.schemas.objects import FlowRun
from prefect.flows import load_flow_from_flow_run
from prefect.runner._control_channel import ControlSignalStatus
from prefect.runner._flow_run_executor import FlowRunExecutorContext, ProcessStarter
from prefect.runner._starter_engine import EngineCommandStarter
from prefect.workers.base import BaseWorkerResult
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from deployments.run_process import ENGINE, start_server
from deployments.run_starter import ForkStarter, kill_leftovers
from deployments.takeover import identify, take_over
from tasks.redelivery import redeliver

_TIDY_UP = 10.0  # seconds that a run has between being handed back and being killed
_POLL = 0.2  # seconds between two looks at runs that are to end
_OF_PREFECT = "PREFECT_"  # variables that a forked run reads anew


class PoolWorker(ProcessWorker):
    """A worker of one pool on this host."""

    def __init__(self, pool: str, *, name: str) -> None:
        super().__init__(work_pool_name=pool, name=name, create_pool_if_not_found=False)
        self._runs: dict[UUID, FlowRunExecutorContext] = {}
        self._carried: set[UUID] = set()
        self._handed_back: set[UUID] = set()
        self._is_stopping = False
        self._has_taken_over = False
        self._turn = asyncio.Lock()
        self.wanted = asyncio.Event()

    @classmethod
    def __dispatch_key__(cls) -> str:
        """A name of its own; its type, and so the pools, are those of Prefect's process worker."""
        return "adspark-process"

    async def setup(self) -> None:
        """Start what runs are forked from."""
        await run_sync(start_server)
        await super().setup()

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Take runs, one question at a time; none once it is to stop.

        Before the first it cares for the runs of a worker that was killed.
        """
        async with self._turn:
            if self._is_stopping:
                return []
            if not self._has_taken_over and self._runs_task_group and self.pool_id:
                await take_over(self.client, self._runs_task_group, self._work_pool_name, self.name)
                self._has_taken_over = True
            return await super().get_and_submit_flow_runs()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[str] | None = None,  # type: ignore[override]
    ) -> ProcessWorkerResult:
        """Run it in a process of its own, to its end."""
        with tempfile.TemporaryDirectory(prefix="adspark-run-") as folder:
            async with FlowRunExecutorContext() as context:
                executor = context.create_executor(
                    flow_run,
                    self._starter(configuration, folder, context),
                    resolve_flow=load_flow_from_flow_run,
                    propose_submitting=False,
                )
                self._runs[flow_run.id] = context
                try:
                    async with anyio.create_task_group() as group:
                        handle = await group.start(executor.submit)
                        if task_status is not None:
                            task_status.started(identify(handle.pid))
                finally:
                    del self._runs[flow_run.id]
        await run_sync(kill_leftovers, flow_run.id)
        self.wanted.set()
        code = handle.returncode
        if flow_run.id in self._handed_back:
            left = await self.client.read_flow_run(flow_run.id)
            if left.state and (left.state.is_crashed() or not left.state.is_final()):
                await redeliver(self.client, left, f"Its worker {self.name} was stopped.")
            code = 0
        return ProcessWorkerResult(status_code=code or 0, identifier=str(handle.pid))

    @property
    def pool_id(self) -> UUID | None:
        """Prefect's id of the pool, once it is known."""
        return None if self._work_pool is None else self._work_pool.id

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
                left = self._runs.keys() - self._handed_back
                await asyncio.gather(*(self._hand_back(run_id) for run_id in left))
            await asyncio.sleep(_POLL)

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

    async def _hand_back(self, flow_run_id: UUID) -> None:
        """End the run's process, which is told why, so that it leaves its state to us."""
        context = self._runs[flow_run_id]
        told = await context.control_channel.signal(flow_run_id, "reschedule")
        if told is ControlSignalStatus.ALREADY_CONCLUDED:
            return
        self._handed_back.add(flow_run_id)
        knows = told is ControlSignalStatus.ACKNOWLEDGED
        await context.process_manager.kill(flow_run_id, grace_seconds=_TIDY_UP, force=not knows)

    def _starter(
        self, configuration: ProcessJobConfiguration, folder: str, context: FlowRunExecutorContext
    ) -> ProcessStarter:
        if configuration.command in (None, ENGINE) and not _has_own_environment(configuration):
            environment = _text_only(configuration.env) | {
                "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false"
            }
            return ForkStarter(environment, folder, context.control_channel)
        return EngineCommandStarter(
            command=configuration.command,
            cwd=configuration.working_dir or folder,
            env=configuration.env,
            stream_output=configuration.stream_output,
            control_channel=context.control_channel,
            isolate_process_group=True,
        )


def _has_own_environment(configuration: ProcessJobConfiguration) -> bool:
    """Whether its job variables change what modules may have read when they were imported."""
    own = {k: v for k, v in configuration.env.items() if not k.startswith(_OF_PREFECT)}
    mine = {k: v for k, v in os.environ.items() if not k.startswith(_OF_PREFECT)}
    return configuration.working_dir is not None or own != mine


def _text_only(environment: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if value is not None}
