"""The screen of `adspark top`: three tables that are refreshed, and what is chosen in them.

It reads from Prefect's server every two seconds; of one that goes away it says so, and retries.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound, PrefectException
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.css.query import NoMatches
from textual.widgets import DataTable, Footer, Header, Static, TabbedContent, TabPane

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.watches.searches_left import SearchesLeft
from deployments.console.data import (
    FAILURE_COLUMNS,
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
from deployments.console.dialogs import Confirm
from deployments.console.terminal_driver import TerminalDriver
from deployments.terminal.away import Away
from orchestration.server.client_settings import without_retries

_PAUSE = 2.0  # seconds between two refreshes
_SLOW_PAUSE = 10.0  # seconds; workers beat every thirty
_ERRORS = (AdSparkError, httpx.HTTPError, PrefectException, RuntimeError)
_TABLES = {"pools": POOL_COLUMNS, "runs": RUN_COLUMNS, "failures": FAILURE_COLUMNS}


class ConsoleScreen(App[None]):
    """What is seen; `ConsoleApp` adds what keys do.

    Args:
        client: of Prefect's server; open as long as this runs.
        database: AdSpark's.
        searches: fetches what the account has left, now and then.
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

    def __init__(self, client: PrefectClient, database: Database, searches: SearchesLeft) -> None:
        super().__init__(driver_class=TerminalDriver)
        self.client = client
        self._database = database
        self._searches = searches
        self.view: View | None = None
        self._slow = SlowView({}, [])
        self.pool: str | None = None
        self.narrowed = "all"
        self.words = ""
        self._server, self._postgres = Away("Prefect's server"), Away("PostgreSQL")

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static(id="away")
        yield Static("…", id="headline")
        with TabbedContent(id="tabs"):
            for name, columns in _TABLES.items():
                with TabPane(name.capitalize(), id=name):
                    table: DataTable[Text] = DataTable(id=f"{name}-table", cursor_type="row")
                    table.add_columns(*columns)
                    yield table
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.action_show("pools")
        self._refresh_slowly()
        self.refresh_tables()

    @work(exclusive=True, group="refresh")
    async def refresh_tables(self) -> None:
        """Refresh now, and again and again: the next time a while after this one has ended."""
        with without_retries():
            while True:
                with suppress(NoMatches):  # the application is being closed
                    await self._refresh_tables()
                await asyncio.sleep(_PAUSE)

    @work(exclusive=True, group="slow")
    async def _refresh_slowly(self) -> None:
        with without_retries():
            while True:
                with suppress(*_ERRORS):  # said by the other refresh
                    self._slow = await self.read_slowly()
                await asyncio.sleep(_SLOW_PAUSE)

    async def read(self) -> View:
        """What is shown, as it is now."""
        return await read_view(
            self.client,
            self._database,
            self._searches,
            pool=self.pool,
            narrowed=self.narrowed,
            flows=self.view.flows if self.view else {},
        )

    async def read_slowly(self) -> SlowView:
        """What is shown beside it and changes slowly."""
        return await read_slow_view(self.client)

    async def _refresh_tables(self) -> None:
        """Bring everything up to date, or say that the server is away."""
        away = self.query_one("#away", Static)
        try:
            self.view = await self.read()
        except _ERRORS as error:
            reason = type(error).__name__
            self._server.begin(reason)
            away.update(Text(self._server.describe(reason)))
            away.display = True
            return
        if answered := self._server.end():
            self.say(answered)
        self._show_database(away, self.view)
        self._show(self.view)

    def _show_database(self, away: Static, view: View) -> None:
        """Say that the database is away, and when it is back."""
        away.display = not view.database_answers
        if view.database_answers:
            if answered := self._postgres.end():
                self.say(answered)
            return
        self._postgres.begin("no connection")
        away.update(Text(self._postgres.describe("no connection")))

    def _show(self, view: View) -> None:
        self.query_one("#headline", Static).update(headline(view, self._slow))
        self.sub_title = f"runs: {self.pool or 'all pools'}, {self.narrowed}" + (
            f", “{self.words}”" if self.words else ""
        )
        for name, rows in (
            ("pools", pool_rows(view, self._slow.workers)),
            ("runs", run_rows(view, self.words)),
            ("failures", failure_rows(view)),
        ):
            _fill(self.query_one(f"#{name}-table", DataTable), rows)

    def chosen(self, name: str) -> str | None:
        """The key of the row under the cursor, where its table is shown."""
        table = self.query_one(f"#{name}-table", DataTable)
        if self.query_one("#tabs", TabbedContent).active != name or not table.row_count:
            return None
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value

    def action_show(self, name: str) -> None:
        """Show a table."""
        self.query_one("#tabs", TabbedContent).active = name
        self.query_one(f"#{name}-table", DataTable).focus()

    async def agrees(self, question: str, answer: str) -> bool:
        """Whether a person says yes."""
        return await self.push_screen_wait(Confirm(question, {"yes": answer})) is not None

    def say(self, message: str, *, is_error: bool = False) -> None:
        self.notify(message, severity="error" if is_error else "information", markup=False)

    @contextmanager
    def saying_errors(self) -> Iterator[None]:
        """An error is said and stops nothing else; then all is refreshed."""
        try:
            yield
        except ObjectNotFound:
            self.say("It was deleted from Prefect meanwhile.", is_error=True)
        except _ERRORS as error:
            self.say(str(error) or type(error).__name__, is_error=True)
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
