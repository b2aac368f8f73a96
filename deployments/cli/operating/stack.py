"""`adspark up`, `down` and `sandbox`: the local stack for a person."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from typer import Option

from adspark.errors import AdSparkError
from adspark.home.private_folder import make_home
from adspark.home.running_stack import (
    StackState,
    check_no_stack,
    describe_starting,
    is_starting,
)
from adspark.net.listening import open_listener
from adspark.settings import Settings, get_settings
from adspark.validation.bounds import PORT
from deployments.cli.operating.documents import ProcessDocument, StackReady, StackStopped
from deployments.cli.options import JsonOption
from deployments.cli.ranges import ranged
from deployments.environment.stack_settings import SANDBOX_DATA
from deployments.environment.termination import drop_output_of_terminal
from deployments.environment.unknown_settings import describe_unknown_settings
from deployments.stack.control import start_detached, stop_databases, stop_stack
from deployments.terminal.live import live_view
from deployments.terminal.output import (
    out,
    print_activation,
    print_json,
    print_line,
    print_note,
    print_warning,
)
from deployments.terminal.progress import progress
from deployments.terminal.tables import empty_table

if TYPE_CHECKING:
    from deployments.stack.local_stack import LocalStack

_STATE = 8  # characters of a line of a state
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
    as_json: Annotated[
        bool, Option("--json", help="Lines of JSON: each change, and when it is ready.")
    ] = False,
    data: Annotated[str, Option(hidden=True)] = SANDBOX_DATA,
) -> None:
    """Start the local stack: Postgres, Prefect's server, a worker for each pool, the gallery."""
    if unknown := describe_unknown_settings():
        print_warning(": ".join(unknown))
    folder = data if sandbox else None
    if not detach:
        asyncio.run(_serve(get_settings(), sandbox=folder, as_json=as_json))
        return
    settings = get_settings()
    check_no_stack(settings.home)
    make_home(settings.home)
    print_note(f"Starting the stack (log: {settings.home / 'stack.log'}) …", style="none")
    with progress("Starting"):
        state = start_detached(settings, sandbox=folder, on_wait=print_note)
    _print_ready(state, "adspark down", as_json=as_json)


def down(as_json: JsonOption = False) -> None:
    """Stop the local stack."""
    settings = get_settings()
    with progress("Stopping"):
        is_stopped = stop_stack(settings)
        is_database_used = stop_databases(settings.home)
    if as_json:
        print_json(StackStopped(changed=is_stopped))
    elif is_stopped:
        out.print("Stopped.")
    elif is_starting(settings.home):
        raise AdSparkError(describe_starting(settings.home))
    else:
        print_line(f"No stack is running in {settings.home} (ADSPARK_HOME).")
    if is_database_used:
        print_note(
            "PostgreSQL still serves another command, as adspark top; it stops with the last one.",
            style="none",
        )


def sandbox(
    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, ranged(PORT, help="Default: ADSPARK_SANDBOX_PORT.")] = None,
) -> None:
    """Serve the sandbox alone: a local SerpApi with recorded ads."""
    chosen = port or get_settings().sandbox_port
    setting = "--port or ADSPARK_SANDBOX_PORT" if port is None else "--port"
    # What its process would meet, said as every command says it.
    open_listener(host, chosen, purpose="the sandbox", setting=setting).close()
    command = [sys.executable, "-P", "-m", "adspark.sandbox", "--host", host]
    command += ["--port", str(chosen)]
    with subprocess.Popen(command) as process, suppress(KeyboardInterrupt):
        process.wait()  # the sandbox hears of Ctrl-C too, and ends
    raise typer.Exit(process.returncode)


def _print_ready(state: StackState, stop: str, *, as_json: bool) -> None:
    """The addresses, what the stack cannot do without a key, and how to stop it."""
    if as_json:
        print_json(StackReady.of(state))
        return
    gallery, runs = state.gallery_url, state.ui_url
    out.print(f"[bold green]Ready.[/] Gallery of ads: [link={gallery}]{gallery}[/link]")
    out.print(f"Runs, in Prefect's UI: [link={runs}]{runs}[/link]")
    if state.sandbox_url:
        out.print(f"Sandbox instead of SerpApi: {state.sandbox_url}")
    out.print(f"For Prefect's own commands: export PREFECT_API_URL={state.api_url}")
    print_activation()
    for one in state.not_set_up:
        print_line(f"[yellow]Not set up:[/] {escape(one)}")
    print_line(f"Stop it with: {stop}")


async def _serve(settings: Settings, *, sandbox: str | None, as_json: bool) -> None:
    from deployments.stack.local_stack import LocalStack  # noqa: PLC0415  (slow)

    view = _json_lines() if as_json else live_view(_draw, _describe)
    with view as show:
        is_home_named = False

        def show_change(stack: LocalStack) -> None:
            nonlocal is_home_named
            with suppress(OSError):  # its log is on a full disk
                if not is_home_named:  # it is made by now
                    is_home_named = True
                    print_note(f"Data and logs: {stack.state.home}", style="none")
                show(stack)

        stack = LocalStack(settings, sandbox=sandbox, on_change=show_change)
        serving = asyncio.create_task(_run_until_cancelled(stack, as_json=as_json))
        _cancel_at_signals(serving)
        await asyncio.wait({serving})
    if not serving.cancelled():
        serving.result()  # raises what has ended it
    elif as_json:
        print_json(StackStopped(changed=True))
    else:
        out.print("Stopped; nothing is left running.")


async def _run_until_cancelled(stack: "LocalStack", *, as_json: bool) -> None:
    async with stack.running():
        _print_ready(stack.state, "Ctrl-C", as_json=as_json)
        await stack.watch()


@contextmanager
def _json_lines() -> "Iterator[Callable[[LocalStack], None]]":
    """What is to be called when a state has changed: a line for each process that has another."""
    printed: dict[str, ProcessDocument] = {}

    def show(stack: "LocalStack") -> None:
        for one in stack.processes.values():
            document = ProcessDocument(
                name=one.name, state=one.state, address=one.address, log=one.log and str(one.log)
            )
            if printed.get(one.name) != document and one.state != "waiting":
                printed[one.name] = document
                print_json(document)

    yield show


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
        drop_output_of_terminal()
        cancel()

    signal.signal(signal.SIGINT, cancel)
    signal.signal(signal.SIGTERM, cancel)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, cancel_unseen)


def _draw(stack: "LocalStack") -> Table:
    table = empty_table()
    processes = stack.processes.values()
    # Data lie in the stack's folder, whose name stands above.
    addresses = [one.address.removeprefix(f"{stack.state.home}{os.sep}") for one in processes]
    longest = max((len(word) for one in addresses for word in one.split()), default=0)
    table.add_column("process", no_wrap=True)
    table.add_column("state", max_width=_STATE)
    table.add_column("address", min_width=longest, overflow="fold")
    table.add_column("log", no_wrap=True)
    for one, address in zip(processes, addresses, strict=True):
        state = Text(one.state, style=_STYLES.get(one.state, ""))
        table.add_row(one.name, state, address, one.log.name if one.log else "")
    return table


def _describe(stack: "LocalStack") -> dict[str, str]:
    return {
        one.name: f"{one.name}: {one.state} {one.address}".rstrip()
        for one in stack.processes.values()
        if one.state != "waiting"
    }
