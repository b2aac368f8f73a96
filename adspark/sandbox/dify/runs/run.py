"""Runs: tasks in the background that go on whether or not anybody listens."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from adspark.sandbox.settings import Clock

_USERS = uuid.UUID("2f0d6a52-64dc-4a3c-9f86-3c1d4f9e7a10")  # makes a user's own id from the name

Json = dict[str, object]


class Status(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass
class Counters:
    """Since the start. Every run that begins is taken for paid, however it ends."""

    uploads: int = 0
    runs: int = 0
    paid: int = 0
    succeeded: int = 0
    failed: int = 0
    stopped: int = 0
    running: int = 0
    downloads: int = 0


def make_user_id(user: str) -> str:
    """Dify's own id of a user."""
    return str(uuid.uuid5(_USERS, user))


@dataclass(eq=False)
class Run:
    """One run with its events so far."""

    workflow_id: str
    user: str
    inputs: Json
    clock: Clock
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: Status = Status.RUNNING
    good_status: str = "succeeded"
    outputs: Json | None = None
    files: list[Json] = field(default_factory=list)
    error: str | None = None
    total_tokens: int = 0
    total_steps: int = 0
    created_at: int = 0
    finished_at: int | None = None
    elapsed_time: float = 0.0
    events: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._changed = asyncio.Event()
        self.created_at = self.now()

    @property
    def is_over(self) -> bool:
        return self.status is not Status.RUNNING

    @property
    def shown_status(self) -> str:
        """How it is told; one that went well may be told under another name."""
        return self.good_status if self.status is Status.SUCCEEDED else str(self.status)

    def now(self) -> int:
        """Epoch seconds by the sandbox's clock."""
        return int(self.clock().timestamp())

    def tell(self, event: str, data: Json) -> None:
        """Add an event, which every listener gets."""
        self.add(
            {"event": event, "workflow_run_id": self.id, "task_id": self.task_id, "data": data}
        )

    def add(self, event: Json) -> None:
        """Add an event that is not about the workflow."""
        self.events.append(event)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait_for_change(self) -> None:
        """Until the next event."""
        await self._changed.wait()

    async def wait_for_end(self) -> None:
        """Until the run is over."""
        while not self.is_over:
            await self._changed.wait()

    def end(self, status: Status, error: str | None = None) -> None:
        """Note how it ended; telling the listeners is another matter."""
        self.status = status
        self.error = error
        self.finished_at = self.now()
        self.elapsed_time = round(self._loop.time() - self._began, 6)

    def forget_events(self) -> None:
        """All but the last; listeners have the list of before, so nobody else needs them."""
        self.events = self.events[-1:]

    def describe(self) -> Json:
        """The run as its detail shows it."""
        inputs = json.dumps(self.inputs, ensure_ascii=False)
        return self._summary() | {"inputs": inputs, "outputs": self.outputs or {}}

    def describe_behind(self) -> Json:
        """The run as its detail shows it where that has missed its end."""
        behind: Json = {"status": str(Status.RUNNING), "outputs": {}, "finished_at": None}
        return self.describe() | behind

    def describe_end(self) -> Json:
        """The data of its last event."""
        return self._summary() | {
            "outputs": self.outputs,
            "exceptions_count": 0,
            "files": self.files,
            "created_by": {"id": make_user_id(self.user), "user": self.user},
        }

    def last_event(self) -> Json:
        """What somebody who comes after the end is told."""
        return {
            "event": "workflow_finished",
            "workflow_run_id": self.id,
            "task_id": self.task_id,
            "data": self.describe_end(),
        }

    def _summary(self) -> Json:
        return {
            "id": self.id,
            "workflow_id": self.workflow_id,
            "status": self.shown_status,
            "error": self.error,
            "elapsed_time": self.elapsed_time,
            "total_tokens": self.total_tokens,
            "total_steps": self.total_steps,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
        }


class RunBox:
    """All runs of one sandbox."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._forget()

    def _forget(self) -> None:
        self.counters = Counters()
        self._runs: dict[str, Run] = {}
        self._by_task: dict[str, Run] = {}
        self._by_user: dict[str, list[Run]] = {}

    def reset(self) -> None:
        """Stop what runs and forget everything."""
        for run in list(self._runs.values()):
            self.stop(run)
        self._forget()

    def start(self, run: Run, perform: Callable[[Run], Awaitable[None]]) -> None:
        """Let it go on in the background; `perform` ends it."""
        self._runs[run.id] = self._by_task[run.task_id] = run
        self._by_user.setdefault(run.user, []).append(run)
        self.counters.runs += 1
        self.counters.running += 1
        self.counters.paid += 1
        self._tasks[run.id] = asyncio.create_task(self._perform(run, perform))

    def stop(self, run: Run) -> None:
        """End a run; one that is over stays as it is."""
        if run.is_over:
            return
        self._tasks.pop(run.id).cancel()
        run.end(Status.STOPPED, "Workflow execution was stopped by the user.")
        run.add(run.last_event())
        self._count_end(run)

    def find(self, run_id: str) -> Run | None:
        return self._runs.get(run_id)

    def find_task(self, task_id: str) -> Run | None:
        return self._by_task.get(task_id)

    def newest_first(self, user: str | None) -> Iterator[Run]:
        """Everybody's, or one user's."""
        runs = self._runs.values() if user is None else self._by_user.get(user, [])
        return reversed(runs)

    def describe(self) -> Mapping[str, object]:
        """The counters by name."""
        by_user = {user: len(runs) for user, runs in self._by_user.items()}
        return {**asdict(self.counters), "by_user": by_user}

    async def _perform(self, run: Run, perform: Callable[[Run], Awaitable[None]]) -> None:
        await perform(run)
        self._tasks.pop(run.id, None)
        self._count_end(run)

    def _count_end(self, run: Run) -> None:
        run.forget_events()
        self.counters.running -= 1
        name = str(run.status)
        setattr(self.counters, name, getattr(self.counters, name) + 1)
