"""`adspark status`: how the system is, and what to do; exit code 1 where something is wrong."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from typer import Option

from adspark.errors import AdSparkError
from adspark.home.running_stack import is_starting, running_stack
from adspark.settings import get_settings
from adspark.text.terminal import plain
from deployments.cli.options import JsonOption
from deployments.cli.server import open_server
from deployments.terminal.output import out, print_json, print_line, print_note
from deployments.terminal.progress import progress
from deployments.terminal.tables import late_runs, table

if TYPE_CHECKING:
    from deployments.operations.full_check import FullCheck
    from deployments.operations.health import Health
    from orchestration.server.pool_health import Problem
    from orchestration.server.pool_snapshot import PoolSnapshot


def status(
    check: Annotated[
        bool, Option("--check", help="Everything: also the database and every deployment.")
    ] = False,
    probe: Annotated[
        bool, Option("--probe", help="Also send a harmless run through every pool, and time it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show workers, runs, queues and limits; exit code 1 says that a person should act."""
    problems = asyncio.run(_find_problems_here())
    try:
        with progress("Asking Prefect's server"):
            health, full = asyncio.run(_read(check=check or probe, with_probes=probe))
    except AdSparkError:
        if problems:  # why nobody answers
            _print_problems(problems)
        raise
    if is_starting(get_settings().home):
        print_note("The stack is being started; what is missing may still come.", style="none")
    health.problems[:0] = problems
    if as_json:
        from deployments.cli.operating.server_documents import (  # noqa: PLC0415  (slow)
            StatusDocument,
        )

        print_json(StatusDocument.of(health, check=full))
    else:
        _print(health, full)
    if not health.is_well or (full and full.problems):
        raise typer.Exit(1)


async def _find_problems_here() -> "list[Problem]":
    """What is wrong with the disks of the stack that runs here."""
    stack = running_stack(get_settings().home)
    if stack is None:
        return []
    from deployments.cli.database import current_settings  # noqa: PLC0415  (slow)
    from deployments.diagnosis.disk import find_disk_problems  # noqa: PLC0415  (slow)

    return await find_disk_problems(stack.home, current_settings())


async def _read(*, check: bool, with_probes: bool) -> "tuple[Health, FullCheck | None]":
    from deployments.operations.health import read_health  # noqa: PLC0415  (slow)

    async with open_server() as client:
        health = await read_health(client, version=await client.api_version())
        if not check:
            return health, None
        from deployments.cli.database import current_settings  # noqa: PLC0415  (slow)
        from deployments.operations.full_check import read_full_check  # noqa: PLC0415  (slow)

        # A pool that can take none is a problem already.
        able = [one.name for one in health.pools if one.workers and not one.begins_nothing]
        probed = able if with_probes else ()
        return health, await read_full_check(client, current_settings(), probed=probed)


def _print(health: "Health", full: "FullCheck | None") -> None:
    print_line(f"Prefect {health.version} at {health.server}")
    out.print(table("Pools", [_cells(pool) for pool in health.pools]))
    for rate in health.rates:
        bound = "no limit" if rate.a_minute is None else f"{rate.a_minute} a minute"
        out.print(f"{rate.name}: {bound}")
    if full:
        _print_full(full)
    for one in health.not_set_up:
        print_line(f"[yellow]Not set up:[/] {escape(str(one))}")
    problems = [*health.problems, *(full.problems if full else [])]
    lacks = any(one.is_essential for one in health.not_set_up)
    _print_problems(problems, "What is set up is well." if lacks else "Everything is well.")


def _print_full(full: "FullCheck") -> None:
    out.print(f"Database: {f'schema {full.database}' if full.database else 'does not answer'}")
    out.print(f"Deployments: {full.deployments} of {full.expected} ready")
    if full.probes:
        rows: list[dict[str, object]] = [
            {
                "pool": one.pool,
                "probe": "ok" if one.ok else "failed",
                "begun after": _seconds(one.seconds_to_start),
                "ended after": _seconds(one.seconds),
            }
            for one in full.probes
        ]
        out.print(table("Probes", rows))
        for one in full.probes:
            if one.answer:
                print_line(escape(f"{one.pool}: {one.answer}"))


def _print_problems(problems: "list[Problem]", otherwise: str = "") -> None:
    for problem in problems:
        line = escape(plain(f"{problem.what}: {problem.remedy}"))
        print_line(f"[bold red]![/] {line}")
    if not problems:
        out.print(f"[green]{otherwise}[/]")


def _seconds(number: float | None) -> str | None:
    return None if number is None else f"{number:.1f} s"


def _cells(pool: "PoolSnapshot") -> dict[str, object]:
    return {
        "pool": pool.name + (" (paused)" if pool.is_paused else ""),
        "workers": pool.workers,
        "active": pool.slots_in_use,
        "scheduled": pool.scheduled,
        "late": late_runs(pool.late, pool.oldest_late),
        "failed, 24 h": pool.failed_last_day,
    }
