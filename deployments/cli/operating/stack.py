"""`adspark up`, `down`, `demo` and `sandbox`: the local stack for a person."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from typer import Option

from adspark.home.running_stack import StackState
from adspark.settings import Settings, get_settings
from adspark.validation.bounds import PORT
from deployments.cli.options import EndsWithJsonOption
from deployments.cli.ranges import ranged
from deployments.cli.server import open_server
from deployments.environment.stack_settings import SANDBOX_DATA
from deployments.stack.control import start_detached, stop_stack
from deployments.terminal.live import live_view
from deployments.terminal.output import (
    empty_table,
    out,
    print_activation,
    print_line,
    print_waiting,
)

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
        bool, Option("--sandbox", help="Recorded ads instead of SerpApi; data kept apart.")
    ] = False,
    detach: Annotated[
        bool, Option("--detach", "-d", help="Return when it is ready; stop: adspark down.")
    ] = False,
    data: Annotated[str, Option(hidden=True)] = SANDBOX_DATA,
) -> None:
    """Start the local stack: Postgres, Prefect's server, a worker for each pool, the gallery."""
    folder = data if sandbox else None
    if not detach:
        asyncio.run(_serve(get_settings(), sandbox=folder))
        return
    print_line(f"Starting the stack (log: {get_settings().home / 'stack.log'}) …")
    state = start_detached(get_settings(), sandbox=folder, on_wait=print_waiting)
    asyncio.run(_print_ready(state))
    out.print("Stop it with: adspark down")


def down() -> None:
    """Stop the local stack."""
    settings = get_settings()
    if stop_stack(settings):
        out.print("Stopped.")
    else:
        print_line(f"No stack is running in {settings.home} (ADSPARK_HOME).")


def sandbox(
    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, ranged(PORT, help="Default: ADSPARK_SANDBOX_PORT.")] = None,
) -> None:
    """Serve the sandbox alone: a local SerpApi with recorded ads."""
    command = [sys.executable, "-P", "-m", "adspark.sandbox", "--host", host]
    command += ["--port", str(port or get_settings().sandbox_port)]
    with subprocess.Popen(command) as process, suppress(KeyboardInterrupt):
        process.wait()  # the sandbox hears of Ctrl-C too, and ends
    raise typer.Exit(process.returncode)


def demo(
    keep: Annotated[
        bool, Option("--keep", help="Leave the stack running, to look around.")
    ] = False,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Show it all: a stack on the sandbox, real ads fetched by deployment, what was stored."""
    from deployments.cli.operating.demo import run_demo  # noqa: PLC0415  (slow)

    run_demo(get_settings(), keep=keep, as_json=as_json)


async def _print_ready(state: StackState) -> None:
    """The addresses, and what the stack cannot do without a key."""
    from deployments.operations.health import read_not_set_up  # noqa: PLC0415  (slow)

    gallery, runs = state.gallery_url, state.ui_url
    out.print(f"[bold green]Ready.[/] Gallery of ads: [link={gallery}]{gallery}[/link]")
    out.print(f"Runs, in Prefect's UI: [link={runs}]{runs}[/link]")
    if state.sandbox_url:
        out.print(f"Sandbox instead of SerpApi: {state.sandbox_url}")
    out.print(f"For Prefect's own commands: export PREFECT_API_URL={state.api_url}")
    print_activation()
    async with open_server(state.api_url) as client:
        for one in await read_not_set_up(client):
            print_line(f"[yellow]Not set up:[/] {escape(str(one))}")


async def _serve(settings: Settings, *, sandbox: str | None) -> None:
    from deployments.stack.local_stack import LocalStack  # noqa: PLC0415  (slow)

    with live_view(_draw, _describe) as show:

        def show_change(stack: LocalStack) -> None:
            with suppress(OSError):  # its log is on a full disk
                show(stack)

        stack = LocalStack(settings, sandbox=sandbox, on_change=show_change)
        serving = asyncio.create_task(_run_until_cancelled(stack))
        _cancel_at_signals(serving)
        await asyncio.wait({serving})
    if serving.cancelled():
        out.print("Stopped; nothing is left running.")
    else:
        serving.result()  # raises what has ended it


async def _run_until_cancelled(stack: "LocalStack") -> None:
    async with stack.running():
        await _print_ready(stack.state)
        out.print("Stop it with Ctrl-C.")
        await stack.watch()


def _cancel_at_signals(task: "asyncio.Task[None]") -> None:
    """End `task` at the first Ctrl-C or SIGTERM, or when the terminal is closed, unless under
    `nohup`; later ones do not cut its cleaning up short."""
    loop = task.get_loop()
    is_cancelled = False

    def cancel(*_: object) -> None:
        nonlocal is_cancelled
        if not is_cancelled:
            is_cancelled = True
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


def _draw(stack: "LocalStack") -> Table:
    table = empty_table()
    for heading in ("process", "state", "address", "log"):
        table.add_column(heading)
    for one in stack.processes.values():
        state = Text(one.state, style=_STYLES.get(one.state, ""))
        table.add_row(one.name, state, one.address, str(one.log or ""))
    return table


def _describe(stack: "LocalStack") -> dict[str, str]:
    return {
        one.name: f"{one.name}: {one.state} {one.address}".rstrip()
        for one in stack.processes.values()
        if one.state != "waiting"
    }
