"""`adspark top`: the system at a glance and in one's hands; what its keys do."""

import io
import signal
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec
from uuid import UUID

from prefect.client.schemas.objects import FlowRun
from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from adspark.text.counts import counted, it_or_them
from adspark.text.terminal import SafeConsole
from deployments.console.data import FILTERS
from deployments.console.dialogs import Ask, Confirm, Page
from deployments.console.screen import ConsoleScreen
from deployments.operations import pools
from deployments.operations.probe import probe
from deployments.operations.runs.active import cancel
from deployments.operations.runs.failures import retry_runs
from deployments.operations.runs.purge import Waiting, count_by_pool, find_waiting, purge
from deployments.operations.runs.report import read_report
from deployments.terminal.run_report import print_report

HELP = """\
1 2 3    pools, runs, failures
Enter    the runs of a pool; all about a run
p  r     pause the pool; resume it, which asks about late runs
d        drain it: pause, and wait until nothing runs
+  -     a slot more, a slot less
x        purge: cancel what waits in it and is due; asks
b        probe: send a harmless run through it
s        runs by state: all, running, waiting, failed, ended
/        runs with these words
c        cancel the run; asks
t        retry the run, or the group of failures; asks
g        look up a run by its id or name
q        quit

The menu of monitor_celery.py is here too:
1 full check: this screen and adspark status --check   2 workers: 1
3 active tasks: 2, s    4 queues: 1    5 test tasks: b    6 task status: g
7 monitor: 1            8 purge: x     9 exit: q
"""

_DUE = 0.001  # seconds: what is planned for later is not waiting
_LINES = 200  # of a run's log
_Arguments = ParamSpec("_Arguments")


def _on_pool(
    act: Callable[Concatenate["ConsoleApp", str, _Arguments], Awaitable[None]],
) -> Callable[Concatenate["ConsoleApp", _Arguments], Coroutine[Any, Any, None]]:
    """Give an action the pool under the cursor; nothing is done where there is none."""

    @wraps(act)
    async def act_on_pool(
        app: "ConsoleApp", /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> None:
        if (pool := app.chosen("pools")) is not None:
            with app.saying_errors():
                await act(app, pool, *args, **kwargs)

    return act_on_pool


class ConsoleApp(ConsoleScreen):
    """The console: the screen and its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show('pools')", "Pools"),
        Binding("2", "show('runs')", "Runs"),
        Binding("3", "show('failures')", "Failures"),
        Binding("p", "pause", "Pause"),
        Binding("r", "resume", "Resume"),
        Binding("d", "drain", "Drain", show=False),
        Binding("plus", "scale(1)", "Slots", show=False),
        Binding("minus", "scale(-1)", "Slot −", show=False),  # noqa: RUF001
        Binding("x", "purge", "Purge", show=False),
        Binding("b", "probe", "Probe", show=False),
        Binding("s", "narrow", "State", show=False),
        Binding("slash", "find", "Find", show=False),
        Binding("c", "cancel", "Cancel"),
        Binding("t", "retry", "Retry"),
        Binding("g", "look_up", "Look up", show=False),
        Binding("question_mark", "help", "Help"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def action_interrupt(self) -> None:
        """Ctrl-C, wherever one is: end as every command does."""
        self.exit(return_code=128 + signal.SIGINT)

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(Page(Text(HELP)))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter: the runs of a pool; all about a run; the newest of a group of failures."""
        key = str(event.row_key.value)
        if event.data_table.id == "pools-table":
            self.pool = key
            self.action_show("runs")
            self.refresh_tables()
        elif event.data_table.id == "runs-table":
            self._open(key)
        elif self.view:
            self._open(next(str(one.runs[0]) for one in self.view.failures if one.key == key))

    def action_narrow(self) -> None:
        """The next of the states, and all pools again after the last."""
        names = list(FILTERS)
        self.narrowed = names[(names.index(self.narrowed) + 1) % len(names)]
        if self.narrowed == "all":
            self.pool = None
        self.refresh_tables()

    @work
    async def action_find(self) -> None:
        """Only runs in which these words are."""
        words = await self.push_screen_wait(Ask("Runs with these words (none: all):"))
        self.words = words or ""
        self.action_show("runs")
        self.refresh_tables()

    @work
    @_on_pool
    async def action_pause(self, pool: str) -> None:
        """Pause the pool."""
        await pools.pause(self.client, pool)
        self.say(f"{pool} is paused")

    @work
    @_on_pool
    async def action_resume(self, pool: str) -> None:
        """Resume the pool, with what became late or without."""
        answer: str | None = "catch"
        if late := len(await pools.find_overdue(self.client, pool)):
            question = f"{counted(late, 'run')} of schedules should have begun in {pool} meanwhile."
            answers = {"catch": f"Run {it_or_them(late)} now", "skip": f"Skip {it_or_them(late)}"}
            answer = await self.push_screen_wait(Confirm(question, answers))
        if answer:
            await pools.resume(self.client, pool, skip_late=answer == "skip")
            self.say(f"{pool} is resumed")

    @work
    @_on_pool
    async def action_drain(self, pool: str) -> None:
        """Pause the pool and wait until it is empty."""
        self.say(f"{pool} is being drained")

        def say_who_waits(left: list[FlowRun]) -> None:
            runs = counted(len(left), "run")
            self.say(f"{runs} left in {pool}, and no worker of it is online; c cancels a run")

        await pools.drain(self.client, pool, on_wait=lambda _: None, on_no_worker=say_who_waits)
        self.say(f"{pool} is paused and empty")

    @work
    @_on_pool
    async def action_scale(self, pool: str, more: int) -> None:
        """A slot more, or less."""
        shown = self.view.snapshot.pools if self.view else []
        slots = next((one.slots for one in shown if one.name == pool), None)
        if slots is None:
            self.say(f"{pool} has no bound; give it one with: adspark scale {pool} N")
            return
        wanted = max(1, slots + more)
        await pools.scale(self.client, pool, wanted)
        self.say(f"{pool}: {counted(wanted, 'run')} at once")

    @work
    @_on_pool
    async def action_purge(self, pool: str) -> None:
        """Cancel what waits in the pool though its time has come, after saying what."""
        found = await find_waiting(self.client, pools=[pool], states=list(Waiting), older_than=_DUE)
        waiting = ", ".join(f"{n} {name}" for name, n in count_by_pool(found).get(pool, {}).items())
        if not found:
            self.say(f"Nothing waits in {pool}")
        elif await self.agrees(f"Cancel what waits in {pool}: {waiting}?", "Cancel them"):
            self.say(f"Cancelled {counted(await purge(self.client, found), 'run')}")

    @work
    @_on_pool
    async def action_probe(self, pool: str) -> None:
        """Send a harmless run through the pool."""
        self.say(f"A probe is on its way through {pool}")
        (result,) = await probe(self.client, [pool])
        if result.ok:
            times = f"begun after {result.seconds_to_start} s, ended after {result.seconds} s"
            self.say(f"{pool}: {times}")
        else:
            self.say(f"{pool}: {result.problem}", is_error=True)

    @work
    async def action_cancel(self) -> None:
        """Cancel the run."""
        run_id = self.chosen("runs")
        if run_id and await self.agrees(f"Cancel the run {run_id}?", "Cancel it"):
            with self.saying_errors():
                self.say(await cancel(self.client, UUID(run_id)))

    @work
    async def action_retry(self) -> None:
        """Retry the run, or the group of failures."""
        ids: list[UUID] = []
        if run_id := self.chosen("runs"):
            ids = [UUID(run_id)]
        elif (key := self.chosen("failures")) and self.view:
            ids = next(one.runs for one in self.view.failures if one.key == key)
        number = counted(len(ids), "run")
        if ids and await self.agrees(f"Retry {number}?", "Retry"):
            with self.saying_errors():
                retried = len(await retry_runs(self.client, ids))
                hint = "" if retried == len(ids) else "; for the others see a run's own page"
                self.say(f"Retrying {retried} of {number}{hint}")

    @work
    async def action_look_up(self) -> None:
        """All about a run of which one knows an id, its beginning, or a name."""
        if key := await self.push_screen_wait(Ask("Id of a run, its beginning, or its name:")):
            self._open(key)

    @work(exclusive=True, group="open")
    async def _open(self, key: str) -> None:
        with self.saying_errors():
            report = await read_report(self.client, key, log_lines=_LINES)
            width = max(40, self.size.width - 6)
            console = SafeConsole(
                file=io.StringIO(), record=True, width=width, color_system="standard"
            )
            print_report(report, console)
            self.push_screen(Page(Text.from_ansi(console.export_text(styles=True))))
