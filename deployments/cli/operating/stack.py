"""`adspark up`, `down`, `demo` and `sandbox`: the local stack for a person.

The stack itself is imported inside the commands: it brings Prefect, which takes a second.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from adspark.settings import Settings, get_settings
from adspark.validation.bounds import PORT
from deployments.environment.stack_settings import SANDBOX_DATA
from deployments.stack.control import start_detached, stop_stack
from deployments.terminal.output import out, print_activation

if TYPE_CHECKING:
    from deployments.stack.local_stack import LocalStack

_STYLES = {
    "ready": "green",
    "starting": "yellow",
    "waiting for room on the disk": "bold yellow",
    "died": "bold red",
    "stopped": "dim",
}


def up(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Recorded ads instead of SerpApi; data kept apart.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when it is ready; stop: adspark down.")
    ] = False,
    data: Annotated[str, typer.Option(hidden=True)] = SANDBOX_DATA,
) -> None:
    """Start the local stack: Postgres, Prefect's server and a worker for each pool."""
    folder = data if sandbox else None
    if detach:
        log = get_settings().home / "stack.log"
        out.print(f"Starting the stack (log: {log}) …", soft_wrap=True)
        state = start_detached(get_settings(), sandbox=folder)
        print_where(ui_url=state.ui_url, api_url=state.api_url, sandbox_url=state.sandbox_url)
        asyncio.run(print_not_set_up(state.api_url))
        out.print("Stop it with: adspark down")
    else:
        asyncio.run(_serve(get_settings(), sandbox=folder))


def down() -> None:
    """Stop the local stack."""
    settings = get_settings()
    if stop_stack(settings):
        out.print("Stopped.")
    else:
        out.print(f"No stack is running in {settings.home} (ADSPARK_HOME).", soft_wrap=True)


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=PORT.least, max=PORT.most, help="Default: ADSPARK_SANDBOX_PORT."),
    ] = None,
) -> None:
    """Serve the sandbox alone: a local SerpApi with recorded ads."""
    command = [sys.executable, "-P", "-m", "adspark.sandbox", "--host", host]
    command += ["--port", str(port or get_settings().sandbox_port)]
    with subprocess.Popen(command) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = process.wait()
    raise typer.Exit(code)


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the stack running, to look around.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Show it all: a stack on the sandbox, real ads fetched by deployment, what was stored."""
    from deployments.cli.operating.demo import run_demo  # noqa: PLC0415  (slow)

    run_demo(get_settings(), keep=keep, as_json=as_json)


def print_where(*, ui_url: str, api_url: str, sandbox_url: str | None) -> None:
    """Where a person looks next."""
    out.print(f"[bold green]Ready.[/] Prefect's UI: [link={ui_url}]{ui_url}[/link]")
    if sandbox_url:
        out.print(f"Sandbox instead of SerpApi: {sandbox_url}")
    out.print(f"For Prefect's own commands: export PREFECT_API_URL={api_url}")
    print_activation()


async def print_not_set_up(api_url: str) -> None:
    """What the stack cannot do, since nobody has told it a key."""
    from deployments.cli.follow import server  # noqa: PLC0415  (slow)
    from deployments.operations.health import read_not_set_up  # noqa: PLC0415  (slow)

    async with server(api_url) as client:
        for one in await read_not_set_up(client):
            out.print(f"[yellow]Not set up:[/] {escape(str(one))}", soft_wrap=True)


async def _serve(settings: Settings, *, sandbox: str | None) -> None:
    from deployments.stack.local_stack import LocalStack  # noqa: PLC0415  (slow)

    with _view() as show:
        stack = LocalStack(settings, sandbox=sandbox, on_change=show)
        serving = asyncio.create_task(_run_until_told(stack))
        _cancel_when_told(serving)
        try:
            await serving
        except asyncio.CancelledError:
            stopped = True
        else:
            stopped = False
    if stopped:
        out.print("Stopped; nothing is left running.")


async def _run_until_told(stack: "LocalStack") -> None:
    async with stack.running():
        state = stack.state
        print_where(ui_url=state.ui_url, api_url=state.api_url, sandbox_url=state.sandbox_url)
        await print_not_set_up(state.api_url)
        out.print("Stop it with Ctrl-C.")
        await stack.watch()


def _cancel_when_told(task: "asyncio.Task[None]") -> None:
    """End `task` at the first Ctrl-C or SIGTERM, or when the terminal is closed.

    Later ones do not cut its cleaning up short. Under `nohup` the terminal's end means nothing.
    """
    loop = task.get_loop()
    asked = False

    def cancel(*_: object) -> None:
        nonlocal asked
        if not asked:
            asked = True
            loop.call_soon_threadsafe(task.cancel)

    def cancel_unseen(*_: object) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):  # the terminal that showed them is gone
            os.dup2(nowhere, stream.fileno())
        cancel()

    signal.signal(signal.SIGINT, cancel)
    signal.signal(signal.SIGTERM, cancel)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, cancel_unseen)


class _View:
    """The processes as a live table on a terminal, as one line a change elsewhere."""

    def __init__(self, live: Live | None) -> None:
        self._live = live
        self._told: dict[str, str] = {}

    def __call__(self, stack: "LocalStack") -> None:
        with suppress(OSError):  # its log is on a full disk
            self._show(stack)

    def _show(self, stack: "LocalStack") -> None:
        if self._live:
            self._live.update(self._table(stack), refresh=True)
            return
        for one in stack.processes.values():
            if self._told.get(one.name, "waiting") != one.state:
                self._told[one.name] = one.state
                out.print(f"{one.name}: {one.state} {one.address}".rstrip(), soft_wrap=True)

    @staticmethod
    def _table(stack: "LocalStack") -> Table:
        table = Table("process", "state", "address", "log")
        for one in stack.processes.values():
            state = Text(one.state, style=_STYLES.get(one.state, ""))
            table.add_row(one.name, state, one.address, str(one.log or ""))
        return table


@contextmanager
def _view() -> Iterator[_View]:
    if not out.is_terminal:
        yield _View(None)
        return
    with Live(console=out, auto_refresh=False) as live:
        yield _View(live)
