"""`adspark top`: the system at a glance and in one's hands, as a Textual application.

It reads from Prefect's server every two seconds; of one that goes away it says so, and retries.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import PrefectException
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.widgets import DataTable, Footer, Header, Static, TabbedContent, TabPane

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.text.terminal import SafeConsole
from deployments.console.data import (
    FAILURE_COLUMNS,
    FILTERS,
    POOL_COLUMNS,
    RUN_COLUMNS,
    Row,
    SlowView,
    View,
    failure_rows,
    headline,
    pool_rows,
    read_slow_view,
    read_view,
    run_rows,
)
from deployments.console.dialogs import Ask, Confirm, Page
from deployments.operations import pools
from deployments.operations.probe import probe
from deployments.operations.runs.active import cancel
from deployments.operations.runs.failures import retry_runs
from deployments.operations.runs.purge import Waiting, count_by_pool, find_waiting, purge
from deployments.operations.runs.report import read_report
from deployments.operations.searches_left import SearchesLeft
from deployments.terminal.output import counted
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

_PAUSE = 2.0  # seconds between two refreshes
_SLOW_PAUSE = 10.0  # seconds; workers beat every thirty
_ERRORS = (AdSparkError, httpx.HTTPError, PrefectException, RuntimeError)
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
        if (pool := app._chosen("pools")) is not None:
            with app._saying_errors():
                await act(app, pool, *args, **kwargs)

    return act_on_pool


class ConsoleApp(App[None]):
    """The console.

    Args:
        client: of Prefect's server; open as long as this runs.
        database: AdSpark's.
        searches: asks what the account has left, now and then.
    """

    TITLE = "AdSpark"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #headline { height: auto; padding: 0 1; }
    #away { height: auto; padding: 0 1; background: $error; display: none; }
    Screen { overflow: hidden; }
    TabbedContent, TabPane, DataTable { height: 1fr; }
    .dialog { width: 70; height: auto; padding: 1 2; border: thick $primary;
              background: $surface; }
    .dialog Horizontal { height: auto; margin-top: 1; }
    .dialog Button { margin-right: 2; }
    .page { padding: 1 2; background: $surface; }
    Confirm, Ask { align: center middle; }
    """
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
    ]

    def __init__(self, client: PrefectClient, database: Database, searches: SearchesLeft) -> None:
        super().__init__()
        self._client = client
        self._database = database
        self._searches = searches
        self._view: View | None = None
        self._slow = SlowView({}, [])
        self._pool: str | None = None
        self._narrowed = "all"
        self._words = ""

    def compose(self) -> ComposeResult:
        """Three tables under what is to be known."""
        yield Header()
        yield Static(id="away")
        yield Static("…", id="headline")
        with TabbedContent(id="tabs"):
            for name, columns in (
                ("pools", POOL_COLUMNS),
                ("runs", RUN_COLUMNS),
                ("failures", FAILURE_COLUMNS),
            ):
                with TabPane(name.capitalize(), id=name):
                    table: DataTable[Text] = DataTable(id=f"{name}-table", cursor_type="row")
                    table.add_columns(*columns)
                    yield table
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin with the pools."""
        self.action_show("pools")
        self._refresh_slowly()
        self.refresh_tables()

    @work(exclusive=True, group="refresh")
    async def refresh_tables(self) -> None:
        """Refresh now, and again and again: the next time a while after this one has ended."""
        while True:
            with suppress(NoMatches):  # the application is being closed
                await self._refresh_tables()
            await asyncio.sleep(_PAUSE)

    @work(exclusive=True, group="slow")
    async def _refresh_slowly(self) -> None:
        while True:
            with suppress(*_ERRORS):  # said by the other refresh
                self._slow = await read_slow_view(self._client)
            await asyncio.sleep(_SLOW_PAUSE)

    async def _refresh_tables(self) -> None:
        """Bring everything up to date, or say that the server is away."""
        away = self.query_one("#away", Static)
        try:
            self._view = await read_view(
                self._client,
                self._database,
                self._searches,
                pool=self._pool,
                narrowed=self._narrowed,
                flows=self._view.flows if self._view else {},
            )
        except _ERRORS as error:
            away.update(
                Text(f"Prefect's server does not answer ({type(error).__name__}); retrying")
            )
            away.display = True
            return
        away.display = False
        self._show(self._view)

    def _show(self, view: View) -> None:
        self.query_one("#headline", Static).update(headline(view, self._slow))
        self.sub_title = f"runs: {self._pool or 'all pools'}, {self._narrowed}" + (
            f", “{self._words}”" if self._words else ""
        )
        for name, rows in (
            ("pools", pool_rows(view, self._slow.workers)),
            ("runs", run_rows(view, self._words)),
            ("failures", failure_rows(view)),
        ):
            _fill(self.query_one(f"#{name}-table", DataTable), rows)

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(Page(Text(HELP)))

    # What is chosen

    def _chosen(self, name: str) -> str | None:
        """The key of the row under the cursor, where its table is shown."""
        table = self.query_one(f"#{name}-table", DataTable)
        if self.query_one("#tabs", TabbedContent).active != name or not table.row_count:
            return None
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value

    def action_show(self, name: str) -> None:
        """Show a table."""
        self.query_one("#tabs", TabbedContent).active = name
        self.query_one(f"#{name}-table", DataTable).focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter: the runs of a pool; all about a run; the newest of a group of failures."""
        key = str(event.row_key.value)
        if event.data_table.id == "pools-table":
            self._pool = key
            self.action_show("runs")
            self.refresh_tables()
        elif event.data_table.id == "runs-table":
            self._open(key)
        elif self._view:
            self._open(next(str(one.runs[0]) for one in self._view.failures if one.key == key))

    def action_narrow(self) -> None:
        """The next of the states, and all pools again after the last."""
        names = list(FILTERS)
        self._narrowed = names[(names.index(self._narrowed) + 1) % len(names)]
        if self._narrowed == "all":
            self._pool = None
        self.refresh_tables()

    @work
    async def action_find(self) -> None:
        """Only runs in which these words are."""
        words = await self.push_screen_wait(Ask("Runs with these words (none: all):"))
        self._words = words or ""
        self.action_show("runs")
        self.refresh_tables()

    # What is done

    @work
    @_on_pool
    async def action_pause(self, pool: str) -> None:
        """Pause the pool."""
        await pools.pause(self._client, pool)
        self._say(f"{pool} is paused")

    @work
    @_on_pool
    async def action_resume(self, pool: str) -> None:
        """Resume the pool, with what became late or without."""
        answer: str | None = "catch"
        if late := len(await pools.find_overdue(self._client, pool)):
            question = f"{late} runs of schedules should have begun in {pool} meanwhile."
            answers = {"catch": "Run them now", "skip": "Skip them"}
            answer = await self.push_screen_wait(Confirm(question, answers))
        if answer:
            await pools.resume(self._client, pool, skip_late=answer == "skip")
            self._say(f"{pool} is resumed")

    @work
    @_on_pool
    async def action_drain(self, pool: str) -> None:
        """Pause the pool and wait until it is empty."""
        self._say(f"{pool} is being drained")
        await pools.drain(self._client, pool, on_wait=lambda _: None)
        self._say(f"{pool} is paused and empty")

    @work
    @_on_pool
    async def action_scale(self, pool: str, more: int) -> None:
        """A slot more, or less."""
        shown = self._view.snapshot.pools if self._view else []
        slots = next((one.slots for one in shown if one.name == pool), None)
        if slots is None:
            self._say(f"{pool} has no bound; give it one with: adspark scale {pool} N")
            return
        wanted = max(1, slots + more)
        await pools.scale(self._client, pool, wanted)
        self._say(f"{pool}: {wanted} runs at once")

    @work
    @_on_pool
    async def action_purge(self, pool: str) -> None:
        """Cancel what waits in the pool though its time has come, after saying what."""
        found = await find_waiting(
            self._client, pools=[pool], states=list(Waiting), older_than=_DUE
        )
        waiting = ", ".join(f"{n} {name}" for name, n in count_by_pool(found).get(pool, {}).items())
        if not found:
            self._say(f"Nothing waits in {pool}")
        elif await self._agrees(f"Cancel what waits in {pool}: {waiting}?", "Cancel them"):
            self._say(f"{await purge(self._client, found)} runs were cancelled")

    @work
    @_on_pool
    async def action_probe(self, pool: str) -> None:
        """Send a harmless run through the pool."""
        self._say(f"A probe is on its way through {pool}")
        (result,) = await probe(self._client, [pool])
        if result.ok:
            times = f"begun after {result.seconds_to_start} s, ended after {result.seconds} s"
            self._say(f"{pool}: {times}")
        else:
            self._say(f"{pool}: {result.problem}", is_error=True)

    @work
    async def action_cancel(self) -> None:
        """Cancel the run."""
        run_id = self._chosen("runs")
        if run_id and await self._agrees(f"Cancel the run {run_id}?", "Cancel it"):
            with self._saying_errors():
                self._say(await cancel(self._client, UUID(run_id)))

    @work
    async def action_retry(self) -> None:
        """Retry the run, or the group of failures."""
        ids: list[UUID] = []
        if run_id := self._chosen("runs"):
            ids = [UUID(run_id)]
        elif (key := self._chosen("failures")) and self._view:
            ids = next(one.runs for one in self._view.failures if one.key == key)
        number = counted(len(ids), "run")
        if ids and await self._agrees(f"Retry {number}?", "Retry"):
            with self._saying_errors():
                retried = len(await retry_runs(self._client, ids))
                hint = "" if retried == len(ids) else "; for the others see a run's own page"
                self._say(f"Retrying {retried} of {number}{hint}")

    @work
    async def action_look_up(self) -> None:
        """All about a run of which one knows an id, its beginning, or a name."""
        if key := await self.push_screen_wait(Ask("Id of a run, its beginning, or its name:")):
            self._open(key)

    @work(exclusive=True, group="open")
    async def _open(self, key: str) -> None:
        with self._saying_errors():
            report = await read_report(self._client, key, log_lines=_LINES)
            width = max(40, self.size.width - 6)
            console = SafeConsole(
                file=io.StringIO(), record=True, width=width, color_system="standard"
            )
            print_report(report, console)
            self.push_screen(Page(Text.from_ansi(console.export_text(styles=True))))

    async def _agrees(self, question: str, answer: str) -> bool:
        """Whether a person says yes."""
        return await self.push_screen_wait(Confirm(question, {"yes": answer})) is not None

    def _say(self, message: str, *, is_error: bool = False) -> None:
        self.notify(message, severity="error" if is_error else "information", markup=False)

    @contextmanager
    def _saying_errors(self) -> Iterator[None]:
        """An error is said and stops nothing else; then all is refreshed."""
        try:
            yield
        except _ERRORS as error:
            self._say(str(error) or type(error).__name__, is_error=True)
        else:
            self.refresh_tables()


def _fill(table: "DataTable[Text]", rows: dict[str, Row]) -> None:
    """Bring a table up to date; the cursor stays on its row."""
    if list(rows) == [key.value for key in table.rows]:
        columns = list(table.columns)
        for key, row in rows.items():
            for column, cell in zip(columns, row, strict=True):
                if table.get_cell(key, column) != cell:
                    table.update_cell(key, column, cell, update_width=True)
        return
    at = table.cursor_row
    chosen = None
    if table.row_count:
        chosen = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
    table.clear()
    for key, row in rows.items():
        table.add_row(*row, key=key)
    if rows:
        names = list(rows)
        table.move_cursor(row=names.index(chosen) if chosen in rows else min(at, len(rows) - 1))
