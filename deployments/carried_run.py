"""One run in a process of its own, from its start until its last state is told.

It is cancelled as Prefect cancels, with its hooks; handed back, it is told so and queued again; and
what it has started, as a browser, ends with it.
"""

import tempfile
from collections.abc import Callable

import anyio
from anyio.to_thread import run_sync
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import load_flow_from_flow_run
from prefect.runner._control_channel import ControlChannel, ControlSignalStatus
from prefect.runner._flow_run_executor import FlowRunExecutorContext, ProcessStarter
from prefect.states import Cancelled, Crashed

from adspark.memory_bound import count_kills, read_limit
from deployments.run_starter import kill_leftovers
from tasks.redelivery import out_of_memory, redeliver

_TIDY_UP = 10.0  # seconds that a run has between being handed back and being killed
_KILLED = -9


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
        make_starter: Callable[[str, ControlChannel], ProcessStarter],
        *,
        worker: str,
        on_start: Callable[[int | None], None] = lambda _: None,
    ) -> int:
        """Start it and wait for its end.

        Args:
            make_starter: what starts its process, from a folder of its own to work in, and from
                that over which it is told that it is to end.
            worker: who carries it out, as people know it.
            on_start: is told the process.

        Returns:
            The exit code; 0 also where its state has been told already.
        """
        kills = count_kills()
        with tempfile.TemporaryDirectory(prefix="adspark-run-") as folder:
            async with FlowRunExecutorContext() as context:
                executor = context.create_executor(
                    self._flow_run,
                    make_starter(folder, context.control_channel),
                    resolve_flow=load_flow_from_flow_run,
                    propose_submitting=False,
                )
                self._context = context
                try:
                    async with anyio.create_task_group() as group:
                        handle = await group.start(executor.submit)
                        on_start(handle.pid)
                finally:
                    self._context = None
        await run_sync(kill_leftovers, self._flow_run.id)
        if self.is_handed_back:
            await self._requeue(f"Its worker {worker} was stopped.")
            return 0
        if handle.returncode == _KILLED and count_kills() > kills:
            crashed: State = Crashed(message=out_of_memory(read_limit()))
            await self._client.set_flow_run_state(self._flow_run.id, crashed, force=True)
            return 0
        return handle.returncode or 0

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
        if left.state and left.state.is_cancelling():
            cancelled: State = Cancelled(message="Cancelled while it was being started.")
            await self._client.set_flow_run_state(left.id, cancelled, force=True)
        elif left.state and (left.state.is_crashed() or not left.state.is_final()):
            await redeliver(self._client, left, reason, however_often=True)
