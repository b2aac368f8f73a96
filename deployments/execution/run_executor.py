"""One run in a process of its own, from its start until its last state is told.

It is cancelled as Prefect cancels, with its hooks; handed back, it is told so and queued again; and
what it has started, as a browser, ends with it. Why its process ended is told once, by who knows it
best, and never over an end that was told before.
"""

import tempfile
from collections.abc import Callable
from contextlib import suppress

import anyio
import anyio.abc
import httpx
from anyio.to_thread import run_sync
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_flow_run
from prefect.runner._control_channel import ControlChannel, ControlSignalStatus
from prefect.runner._flow_run_executor import FlowRunExecutorContext, ProcessStarter
from prefect.runner._process_manager import ProcessHandle
from prefect.runner._state_proposer import StateProposer
from prefect.states import Cancelled, Crashed

from adspark.maintenance.cgroup import MemoryBound
from adspark.settings import get_settings
from deployments.execution.endings import TOLD_TO_END, explain_end, explain_no_start, is_vague
from deployments.execution.fork_starter import kill_leftovers
from deployments.execution.output import RunOutput
from deployments.operations.leftover_processes import name_folder
from orchestration.requeue import end_or_requeue, was_queued_since
from orchestration.state_changes import change_state, change_while

_TIDY_UP = 10.0  # seconds that a run has between being handed back and being killed
_CANCELLED = "Cancelled while it was being started."

MakeStarter = Callable[[str, ControlChannel, RunOutput], ProcessStarter]


class CarriedRun:
    """A run that is carried out here.

    Args:
        client: of Prefect's server; open as long as the run.
        flow_run: it.
    """

    def __init__(self, client: PrefectClient, flow_run: FlowRun) -> None:
        self.is_handed_back = False
        self._client = client
        self._flow_run = flow_run
        self._context: FlowRunExecutorContext | None = None

    async def carry_out(
        self,
        make_starter: MakeStarter,
        *,
        worker: str,
        on_start: Callable[[int | None], None] = lambda _: None,
    ) -> int:
        """Start it and wait for its end.

        Args:
            make_starter: what starts its process, from a folder of its own to work in, from that
                over which it is told that it is to end, and from what takes its output.
            worker: who carries it out, as people know it.
            on_start: is told the process.

        Returns:
            0: how it ended has been told.
        """
        with tempfile.TemporaryDirectory(prefix=name_folder(self._flow_run.id)) as folder:
            output = RunOutput(folder)
            async with FlowRunExecutorContext() as context, anyio.create_task_group() as beside:
                starter = _WatchedStarter(make_starter(folder, context.control_channel, output))
                teller = _EndTeller(self._client, self, starter, output)
                context._state_proposer = teller
                executor = context.create_executor(
                    self._flow_run,
                    starter,
                    resolve_flow=load_flow_from_flow_run,
                    propose_submitting=False,
                )
                self._context = context
                beside.start_soon(output.follow)
                try:
                    async with anyio.create_task_group() as group:
                        handle = await group.start(executor.submit)
                        on_start(handle.pid)
                        beside.start_soon(_kill_unless_ended, starter, output)
                finally:
                    self._context = None
                    beside.cancel_scope.cancel()
            output.pass_on()
        await run_sync(kill_leftovers, self._flow_run.id)
        with suppress(ObjectNotFound):  # it was deleted meanwhile
            if not await self.is_current():
                return 0
            if self.is_handed_back:
                await self._requeue(f"Its worker {worker} was stopped.")
            else:
                await self._end_what_is_left(teller)
        return 0

    async def is_current(self) -> bool:
        """Whether the run has not been queued anew since it was taken, as after a suspension."""
        taken = self._flow_run.state
        states = await self._client.read_flow_run_states(self._flow_run.id)
        return taken is None or not was_queued_since(states, taken.id)

    async def hand_back(self) -> None:
        """End its process, which is told why, so that it leaves its state to us."""
        if self._context is None or self.is_handed_back:
            return
        told = await self._context.control_channel.signal(self._flow_run.id, "reschedule")
        if told is ControlSignalStatus.ALREADY_CONCLUDED:
            return
        self.is_handed_back = True
        knows = told is ControlSignalStatus.ACKNOWLEDGED
        await self._context.process_manager.kill(
            self._flow_run.id, grace_seconds=_TIDY_UP, force=not knows
        )

    async def _requeue(self, reason: str) -> None:
        left = await self._client.read_flow_run(self._flow_run.id)
        await end_or_requeue(self._client, left, reason, cancelled=_CANCELLED, unlimited=True)

    async def _end_what_is_left(self, teller: "_EndTeller") -> None:
        """Give a run a last state whose process is gone and has told none."""
        left = await self._client.read_flow_run(self._flow_run.id)
        if left.state and left.state.is_cancelling():
            cancelled: State = Cancelled(message=_CANCELLED)
            await change_while(
                self._client, left.id, cancelled, lambda state: state.is_cancelling()
            )
        else:
            await teller.tell_end(left)


async def _kill_unless_ended(starter: "_WatchedStarter", output: RunOutput) -> None:
    """Kill a run that was sent SIGTERM and goes on.

    Python raises from the handler of a signal wherever it happens to be. Where that is in a
    callback of the event loop, the exception is logged and the run would go on.
    """
    await output.told_to_end.wait()
    await anyio.sleep(get_settings().tidy_up_time)
    if starter.handle is not None:
        await run_sync(starter.handle.hard_kill)


class _WatchedStarter:
    """A starter whose process is known from its start on, or why there is none."""

    def __init__(self, starter: ProcessStarter) -> None:
        self.handle: ProcessHandle | None = None
        self.error: Exception | None = None
        self._starter = starter

    async def start(
        self,
        flow_run: FlowRun,
        task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Start it, and wait for its end."""

        try:
            await self._starter.start(flow_run, task_status=_Noted(self, task_status))
        except Exception as error:
            self.error = error
            raise


class _Noted(anyio.abc.TaskStatus[ProcessHandle]):
    """Hands a process on, and notes it."""

    def __init__(self, starter: _WatchedStarter, then: anyio.abc.TaskStatus[ProcessHandle]) -> None:
        self._starter = starter
        self._then = then

    def started(self, value: ProcessHandle | None = None) -> None:
        """It runs."""
        self._starter.handle = value
        if value is not None:
            self._then.started(value)


class _EndTeller(StateProposer):
    """Says why a run's process ended, in place of Prefect, which knows only its exit code."""

    def __init__(
        self,
        client: PrefectClient,
        run: CarriedRun,
        starter: _WatchedStarter,
        output: RunOutput,
    ) -> None:
        super().__init__(client=client)
        self._run = run
        self._starter = starter
        self._output = output
        self._memory = MemoryBound()

    async def propose_crashed(self, flow_run: FlowRun, message: str) -> State | None:
        """Tell the end of a process, or why there is none.

        Returns:
            The state, where the run crashed: its hooks are called.
        """
        if self._run.is_handed_back:
            return None
        # It was deleted meanwhile; or the server is away, and it is told once more at the end.
        with suppress(ObjectNotFound, httpx.HTTPError):
            if self._starter.handle is None:
                return await self._tell(flow_run, explain_no_start(self._starter.error, message))
            if await self._run.is_current():
                return await self.tell_end(flow_run)
        return None

    async def tell_end(self, flow_run: FlowRun) -> State | None:
        """Give the run the state that its process's end asks for, unless it has ended.

        Raises:
            ObjectNotFound: the run was deleted.
        """
        handle = self._starter.handle
        if handle is None or handle.returncode is None:
            return None
        self._output.pass_on()
        if flow_run.state and is_vague(flow_run.state) and self._output.told_to_end.is_set():
            told: State = Crashed(message=TOLD_TO_END)
            await change_state(self._client, flow_run, told, replaces_end=True)
            return None
        end = explain_end(
            handle.returncode,
            was_told_to_end=self._output.told_to_end.is_set(),
            memory=self._memory.limit,
            lacked_memory=self._memory.has_killed(),
            told=self._output.last_lines,
        )
        return await self._tell(flow_run, end)

    async def _tell(self, flow_run: FlowRun, end: State) -> State | None:
        change = await change_while(
            self._client, flow_run.id, end, lambda state: state.is_pending() or state.is_running()
        )
        return end if change.is_made and end.is_crashed() else None
