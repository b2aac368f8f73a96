"""AdSpark's worker: Prefect's process worker, but quick to start a run and gentle when it stops.

A run is forked (`run_process`), unless its job variables want an environment of its own: then it
gets a fresh interpreter, as with Prefect's worker. Any other command is refused (`job_variables`).
Runs that a killed worker has left on this host are taken over (`takeover`).
"""

import os
import sys

import anyio.abc
from anyio.to_thread import run_sync
from prefect.client.schemas.objects import FlowRun, WorkPool
from prefect.runner._control_channel import ControlChannel
from prefect.runner._flow_run_executor import ProcessStarter
from prefect.runner._starter_engine import EngineCommandStarter
from prefect.utilities.processutils import command_to_string
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult
from pydantic import JsonValue

from deployments.execution.fork import ENGINE, fork_run, start_server
from deployments.execution.fork_starter import ForkStarter
from deployments.execution.output import RunOutput
from deployments.execution.run_executor import CarriedRun
from deployments.provisioning.job_variables import OwnJob
from deployments.worker.base import ServingWorker
from deployments.worker.orphans import identify, take_over

_OWN_ENGINE = command_to_string([sys.executable, "-m", "deployments.execution.engine"])
_OF_PREFECT = "PREFECT_"  # variables that a forked run reads anew


class ProcessJob(OwnJob, ProcessJobConfiguration):
    """A run's process, as every run has it."""

    @classmethod
    def own_values(cls, flow_run: FlowRun, work_pool: WorkPool) -> dict[str, JsonValue]:
        """What the worker gives to a run, by the names of job variables."""
        return {
            "name": flow_run.name,
            "command": ENGINE,
            "labels": {},
            "stream_output": True,
            "working_dir": None,
        }


class PoolWorker(ServingWorker, ProcessWorker):  # type: ignore[misc]  # `run` is ours
    """A worker of one pool on this host, whose runs are processes."""

    job_configuration = ProcessJob

    def __init__(self, pool: str, *, name: str, limit: int | None = None) -> None:
        super().__init__(pool, name=name, limit=limit)
        self._runs: list[CarriedRun] = []

    @classmethod
    def __dispatch_key__(cls) -> str:
        """A name of its own; its type, and so the pools, are those of Prefect's process worker."""
        return "adspark-process"

    async def setup(self) -> None:
        """Start what runs are forked from."""
        await run_sync(start_server)
        await super().setup()

    async def carry_out(
        self,
        flow_run: FlowRun,
        configuration: ProcessJob,
        task_status: anyio.abc.TaskStatus[str | Exception] | None,
    ) -> ProcessWorkerResult:
        """Run it in a process of its own, to its end."""
        started = ""

        def tell(pid: int | None) -> None:
            nonlocal started
            started = identify(pid)
            if task_status is not None:
                task_status.started(started)

        carried = CarriedRun(self.client, flow_run)
        self._runs.append(carried)
        try:
            code = await carried.carry_out(
                lambda folder, control, output: _starter(configuration, folder, control, output),
                worker=self.name,
                on_start=tell,
            )
        finally:
            self._runs.remove(carried)
        return ProcessWorkerResult(status_code=code, identifier=started)

    async def _take_over(self, group: anyio.abc.TaskGroup) -> None:
        await take_over(self.client, group, self._work_pool_name, self.name)

    async def _hand_back_all(self) -> None:
        async with anyio.create_task_group() as group:
            for run in self._runs:
                group.start_soon(run.hand_back)


def _starter(
    configuration: ProcessJob,
    folder: str,
    control: ControlChannel,
    output: RunOutput,
) -> ProcessStarter:
    if not _has_own_environment(configuration):
        environment = _text_only(configuration.env) | {
            "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false"
        }
        return ForkStarter(environment, folder, control, fork_run)
    return EngineCommandStarter(
        command=_OWN_ENGINE,
        cwd=folder,
        env=configuration.env,
        stream_output=(output, output),  # type: ignore[arg-type]  # what can be written to
        control_channel=control,
        isolate_process_group=True,
    )


def _has_own_environment(configuration: ProcessJob) -> bool:
    """Whether its job variables change what modules may have read when they were imported."""
    own = {k: v for k, v in configuration.env.items() if not k.startswith(_OF_PREFECT)}
    mine = {k: v for k, v in os.environ.items() if not k.startswith(_OF_PREFECT)}
    return own != mine


def _text_only(environment: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if value is not None}
