"""`adspark monitor`: pools, rates and searches as they change, live on a terminal."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Annotated

from rich.console import Group, RenderableType
from rich.markup import escape
from typer import Option

from adspark.db.engine import Database
from adspark.errors import AdSparkError, DatabaseUnavailableError
from adspark.validation.bounds import SECONDS, Range
from deployments.cli.database import current_settings, open_database
from deployments.cli.ranges import ranged, ranged_argument
from deployments.cli.server import open_server
from deployments.queue_classes import POOL_NAMES
from deployments.terminal.away import Away
from deployments.terminal.live import live_view
from deployments.terminal.output import print_json, print_note, print_warning
from deployments.terminal.tables import late_runs, table
from orchestration.server.client_settings import without_retries

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from deployments.operations.monitoring import Snapshot
    from orchestration.server.pool_snapshot import PoolSnapshot

PAUSE = Range(0.5, 86_400)  # seconds


def monitor(
    seconds: Annotated[
        float | None, ranged_argument(SECONDS, help="Stop after so long; else at Ctrl-C.")
    ] = None,
    every: Annotated[float, ranged(PAUSE, metavar="SECONDS", help="Between two looks.")] = 2.0,
    as_json: Annotated[bool, Option("--json", help="One line of JSON for each look.")] = False,
) -> None:
    """Show what runs, waits, ends and fails, live; off a terminal one line a change."""
    view = live_view(_draw, _describe, lambda snapshot: f"{snapshot.at:%H:%M:%S} ")
    with suppress(KeyboardInterrupt), nullcontext(_print_json) if as_json else view as show:
        asyncio.run(_watch(seconds, every, show))


async def _watch(seconds: float | None, every: float, show: "Callable[[Snapshot], None]") -> None:
    from adspark.watches.searches_left import SearchesLeft  # noqa: PLC0415  (slow)
    from deployments.operations.monitoring import read_snapshot  # noqa: PLC0415  (slow)
    from orchestration.runs.flow_runs import read_failed_runs  # noqa: PLC0415  (slow)

    searches = SearchesLeft(current_settings())
    server, postgres = Away("Prefect's server"), Away("PostgreSQL")
    clock = asyncio.get_running_loop()
    end = None if seconds is None else clock.time() + seconds
    has_looked = False

    async def look(client: "PrefectClient", database: Database) -> None:
        failures = await read_failed_runs(client, pools=POOL_NAMES)
        try:
            snapshot = await read_snapshot(client, database, searches=searches, failures=failures)
            _tell(postgres.end())
        except DatabaseUnavailableError as error:
            _tell(postgres.begin(type(error).__name__), is_away=True)
            snapshot = await read_snapshot(client, None, failures=failures)
        _tell(server.end())
        show(snapshot)

    with without_retries():
        async with open_database() as database:
            while True:
                try:
                    async with open_server() as client:
                        while True:
                            next_look = clock.time() + every
                            await look(client, database)
                            has_looked = True
                            if end is not None and next_look > end:
                                return
                            await asyncio.sleep(next_look - clock.time())
                except AdSparkError as error:
                    if not has_looked:  # it was never there
                        raise
                    _tell(server.begin(type(error.__cause__ or error).__name__), is_away=True)
                if end is not None and clock.time() + every > end:
                    return
                await asyncio.sleep(every)


def _tell(message: str | None, *, is_away: bool = False) -> None:
    if message is not None:
        print_warning(message) if is_away else print_note(message, style="green")


def _print_json(snapshot: "Snapshot") -> None:
    from deployments.cli.operating.server_documents import (  # noqa: PLC0415  (slow)
        SnapshotDocument,
    )

    print_json(SnapshotDocument.of(snapshot))


def _describe(snapshot: "Snapshot") -> dict[str, str]:
    lines = {pool.name: _line(pool) for pool in snapshot.pools}
    return lines | {"rates": " · ".join(_below(snapshot))}


def _draw(snapshot: "Snapshot") -> RenderableType:
    title = f"Pools at {snapshot.at:%H:%M:%S} UTC"
    pools = table(title, [_cells(pool) for pool in snapshot.pools])
    return Group(pools, *(escape(line) for line in _below(snapshot)))


def _cells(pool: "PoolSnapshot") -> dict[str, object]:
    return {
        "pool": pool.name + (" (paused)" if pool.is_paused else ""),
        "active": pool.slots_in_use,
        "scheduled": pool.scheduled,
        "late": late_runs(pool.late, pool.oldest_late),
        "done/min": f"{pool.done_a_minute:.1f}",
        "failed/h": pool.failed_last_hour,
    }


def _line(pool: "PoolSnapshot") -> str:
    paused = ", paused" if pool.is_paused else ""
    return (
        f"{pool.name}{paused}: {pool.slots_in_use} active, {pool.scheduled} scheduled, "
        f"{late_runs(pool.late, pool.oldest_late)} late, {pool.done} done in 5 min, "
        f"{pool.failed_last_hour} failed in 1 h"
    )


def _below(snapshot: "Snapshot") -> list[str]:
    lines = []
    for rate in snapshot.rates:
        limit = "" if rate.a_minute is None else f"/{rate.a_minute}"
        lines.append(f"{rate.name}: {rate.used}{limit} in the last minute")
    if snapshot.searches_left is not None:
        lines.append(f"searches left: {snapshot.searches_left}")
    if snapshot.searches_billed is not None:
        lines.append(f"billed this month: {snapshot.searches_billed}")
    return lines
