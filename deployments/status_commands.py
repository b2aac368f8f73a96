"""`adspark status`: how the system is, and what should be done; exit code 1 where something should.

Prefect is imported inside the command: it takes a second.
"""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from deployments.fetch_commands import prefect_api_url
from deployments.output import out, print_json, table

if TYPE_CHECKING:
    from deployments.health import Health, PoolHealth


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show workers, runs, queues and limits; exit code 1 says that a person should act."""
    health = asyncio.run(_read())
    print_json(health) if as_json else _print(health)
    if not health.is_well:
        raise typer.Exit(1)


async def _read() -> "Health":
    from deployments.following import server  # noqa: PLC0415  (slow)
    from deployments.health import read_health  # noqa: PLC0415  (slow)

    async with server(prefect_api_url()) as client:
        return await read_health(client)


def _print(health: "Health") -> None:
    out.print(f"Prefect {health.version} at {health.server}", soft_wrap=True)
    out.print(table("Pools", [_cells(pool) for pool in health.pools]))
    for rate in health.rates:
        told = "no limit" if rate.a_minute is None else f"{rate.a_minute} a minute"
        out.print(f"{rate.name}: {told}")
    for problem in health.problems:
        out.print(
            f"[bold red]![/] {escape(problem.what)}: {escape(problem.remedy)}", soft_wrap=True
        )
    if health.is_well:
        out.print("[green]Everything is well.[/]")


def _cells(pool: "PoolHealth") -> dict[str, object]:
    slots = "" if pool.slots is None else f"/{pool.slots}"
    oldest = "" if pool.oldest_late is None else f" ({pool.oldest_late:.0f} s)"
    return {
        "pool": pool.name + (" (paused)" if pool.is_paused else ""),
        "workers": pool.workers,
        "running": f"{pool.running + pool.pending}{slots}",
        "scheduled": pool.scheduled,
        "late": f"{pool.late}{oldest}",
        "failed, 24 h": pool.failed,
    }
