"""AdSpark's worker for pools of the type `process`: quick to start a run, gentle when it stops.

A run's process is forked (`execution.fork`). Runs that a killed worker has left on this host are
adopted (`orphans`).
"""

import anyio
import anyio.abc
from anyio.to_thread import run_sync
from prefect.client.schemas.objects import FlowRun, WorkPool
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult
from pydantic import JsonValue

from deployments.execution.fork import ENGINE, fork_run, start_server
from deployments.execution.run_executor import RunExecutor
from deployments.provisioning.jobs.variables import OwnJob
from deployments.worker.base import PoolWorker
from deployments.worker.orphans import adopt, identify


class ProcessJob(OwnJob, ProcessJobConfiguration):
    """A run's process, as every run has it."""

    @classmethod
    def own_values(cls, flow_run: FlowRun, work_pool: WorkPool) -> dict[str, JsonValue]:
        return {
            "name": flow_run.name,
            "command": ENGINE,
            "labels": {},
            "stream_output": True,
            "working_dir": None,
        }


class ProcessPoolWorker(PoolWorker, ProcessWorker):  # type: ignore[misc]  # `run` is ours
    """A worker of one pool on this host, whose runs are processes."""

    job_configuration = ProcessJob
    shows_submitting = False

    def __init__(self, pool: str, *, name: str, limit: int | None = None) -> None:
        super().__init__(pool, name=name, limit=limit)
        self._executors: list[RunExecutor] = []

    async def setup(self) -> None:
        await run_sync(start_server)
        await super().setup()

    async def execute(
        self,
        flow_run: FlowRun,
        configuration: ProcessJob,
        task_status: anyio.abc.TaskStatus[str | Exception],
    ) -> ProcessWorkerResult:
        environment = {
            name: value for name, value in configuration.env.items() if value is not None
        }
        executor = RunExecutor(self.client, flow_run, worker=self.name)
        self._executors.append(executor)
        try:
            await executor.execute(
                fork_run, environment, on_start=lambda pid: task_status.started(identify(pid))
            )
        finally:
            self._executors.remove(executor)
        return ProcessWorkerResult(status_code=0, identifier="")

    async def adopt_orphans(self, group: anyio.abc.TaskGroup) -> None:
        await adopt(self.client, group, self.pool, self.name)

    async def release_all(self) -> None:
        async with anyio.create_task_group() as group:
            for executor in self._executors:
                group.start_soon(executor.release)
