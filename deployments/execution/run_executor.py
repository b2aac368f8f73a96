"""One run in a process of its own, from its start until its last state is recorded.

A cancelled run is ended as Prefect ends it, with its hooks; a released one is requeued; and what
it has started, as a browser, ends with it. Why its process ended is recorded once, by who knows it
best, and never over an end that was recorded before.
"""

import tempfile
from collections.abc import Callable
from contextlib import suppress

import anyio
import httpx
from anyio.to_thread import run_sync
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_flow_run
from prefect.states import Cancelled, Crashed

from adspark.maintenance.cgroup import MemoryBound
from adspark.settings import get_settings
from deployments.execution.endings import TERMINATED, explain_end, explain_no_start, is_vague
from deployments.execution.fork import RunStarter, StartProcess, kill_leftovers
from deployments.execution.output import RunOutput
from deployments.operations.leftover_processes import name_folder
from orchestration.runs.requeue import end_or_requeue, was_queued_since
from orchestration.runs.state_changes import change_state, change_while
from orchestration.server.prefect_internals import (
    ControlSignalStatus,
    FlowRunExecutorContext,
    open_executor,
)

_TIDY_UP = 10.0  # seconds between releasing a run and killing its process
_CANCELLED = "Cancelled while it was being started."


class RunExecutor:
    """Executes a run in a process of this host.

    Args:
        client: of Prefect's server; open as long as the run.
        flow_run: the run, as its worker claimed it.
        worker: the name of that worker.
    """

    def __init__(self, client: PrefectClient, flow_run: FlowRun, *, worker: str) -> None:
        self._client = client
        self._flow_run = flow_run
        self._worker = worker
        self._memory = MemoryBound()
        self._is_released = False
        self._context: FlowRunExecutorContext | None = None
        self._starter: RunStarter | None = None
        self._output: RunOutput | None = None

    async def execute(
        self,
        start: StartProcess,
        environment: dict[str, str],
        *,
        on_start: Callable[[int | None], None] = lambda _: None,
    ) -> None:
        """Start the run's process, wait for its end, and record that.

        Args:
            start: what starts the process.
            environment: of the process.
            on_start: is called with the number of the process.
        """
        with tempfile.TemporaryDirectory(prefix=name_folder(self._flow_run.id)) as folder:
            output = self._output = RunOutput(folder)
            async with (
                open_executor(self._record_exit) as context,
                anyio.create_task_group() as beside,
            ):
                starter = RunStarter(start, environment, folder, context.control_channel)
                executor = context.create_executor(
                    self._flow_run,
                    starter,
                    resolve_flow=load_flow_from_flow_run,
                    propose_submitting=False,
                )
                self._context, self._starter = context, starter
                beside.start_soon(output.follow)
                beside.start_soon(self._kill_if_terminated)
                try:
                    async with anyio.create_task_group() as group:
                        handle = await group.start(executor.submit)
                        on_start(handle.pid)
                finally:
                    self._context = None
                    beside.cancel_scope.cancel()
            output.pass_on()
        await run_sync(kill_leftovers, self._flow_run.id)
        with suppress(ObjectNotFound):  # it was deleted meanwhile
            left = await self._client.read_flow_run(self._flow_run.id)
            if self._is_released and await self._is_current():
                await self._requeue(left)
            elif not _has_end(left.state) and await self._is_current():
                await self._record_end(left)

    async def release(self) -> None:
        """End the run's process so that the run is requeued; the process learns why it ends."""
        if self._context is None or self._is_released:
            return
        answer = await self._context.control_channel.signal(self._flow_run.id, "reschedule")
        if answer is ControlSignalStatus.ALREADY_CONCLUDED:
            return
        self._is_released = True
        await self._context.process_manager.kill(
            self._flow_run.id,
            grace_seconds=_TIDY_UP,
            force=answer is not ControlSignalStatus.ACKNOWLEDGED,
        )

    async def _is_current(self) -> bool:
        """Whether the run has not been queued anew since it was claimed, as after a suspension."""
        claimed = self._flow_run.state
        states = await self._client.read_flow_run_states(self._flow_run.id)
        return claimed is None or not was_queued_since(states, claimed.id)

    async def _requeue(self, left: FlowRun) -> None:
        reason = f"Its worker {self._worker} was stopped."
        await end_or_requeue(self._client, left, reason, cancelled=_CANCELLED, unlimited=True)

    async def _kill_if_terminated(self) -> None:
        """Kill a process that was sent SIGTERM and goes on: where Python raises from the signal's
        handler in a callback of the event loop, that is only logged."""
        if self._output is None or self._starter is None:
            return
        await self._output.terminated.wait()
        await anyio.sleep(get_settings().tidy_up_time)
        if self._starter.handle is not None:
            self._starter.handle.hard_kill()
            await run_sync(kill_leftovers, self._flow_run.id)

    async def _record_exit(self, _flow_run: FlowRun, message: str) -> State | None:
        """Record that the process ended badly, or why there is none (`RecordEnd`)."""
        # It was deleted meanwhile; or the server is away, and it is tried again at the end.
        with suppress(ObjectNotFound, httpx.HTTPError):
            if not self._is_released and await self._is_current():
                return await self._record(self._explain(message))
        return None

    async def _record_end(self, left: FlowRun) -> None:
        """Record an end of the run, whose process is gone and has left it so."""
        end: State = Cancelled(message=_CANCELLED)
        if left.state and left.state.is_cancelling():
            await change_while(self._client, left.id, end, State.is_cancelling)
        elif left.state and is_vague(left.state) and self._was_terminated:
            end = Crashed(message=TERMINATED)
            await change_state(self._client, left, end, replaces_end=True)
        else:
            await self._record(self._explain())

    @property
    def _was_terminated(self) -> bool:
        return self._output is not None and self._output.terminated.is_set()

    def _explain(self, message: str = "") -> State | None:
        """Why the process ended, or why there is none, which the message says where no error does;
        None where neither is known."""
        if self._starter is None or self._output is None:
            return None
        handle = self._starter.handle
        if handle is None:
            return explain_no_start(self._starter.error, message) if message else None
        if handle.returncode is None:
            return None
        self._output.pass_on()
        return explain_end(
            handle.returncode,
            was_terminated=self._was_terminated,
            memory=self._memory.limit,
            lacked_memory=self._memory.has_killed(),
            last_lines=self._output.last_lines,
        )

    async def _record(self, end: State | None) -> State | None:
        """Give the run this state unless it has ended; returns it where the run crashed by it."""
        if end is None:
            return None
        change = await change_while(
            self._client,
            self._flow_run.id,
            end,
            lambda state: state.is_pending() or state.is_running(),
        )
        return end if change.is_made and end.is_crashed() else None


def _has_end(state: State | None) -> bool:
    """Whether a run has an end that says why."""
    return state is not None and state.is_final() and not is_vague(state)
