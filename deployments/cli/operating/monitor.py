"""`adspark monitor`: pools, rates and searches as they change, live on a terminal.

Prefect is imported inside the command: it takes a second.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape

from adspark.db.configured import database_url
from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database
from adspark.errors import DatabaseUnavailableError
from adspark.settings import get_settings
from adspark.validation.bounds import SECONDS, Range
from deployments.cli.current_database import current_settings
from deployments.cli.runs.run import prefect_api_url
from deployments.terminal.numbers import finite
from deployments.terminal.output import out, print_error, print_json, seconds_or_minutes, table

if TYPE_CHECKING:
    from deployments.operations.monitoring import PoolActivity, RateUse, Snapshot

PAUSE = Range(0.5, 86_400)  # seconds


def monitor(
    seconds: Annotated[
        float | None,
        typer.Argument(
            min=SECONDS.least,
            max=SECONDS.most,
            callback=finite,
            help="Stop after so long; else at Ctrl-C.",
        ),
    ] = None,
    every: Annotated[
        float,
        typer.Option(
            min=PAUSE.least,
            max=PAUSE.most,
            callback=finite,
            metavar="SECONDS",
            help="Between two looks.",
        ),
    ] = 2.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON for each look.")
    ] = False,
) -> None:
    """Show what runs, waits, ends and fails, live; off a terminal one line a change."""
    settings = current_settings(get_settings())
    api_url = prefect_api_url()
    with suppress(KeyboardInterrupt), database_url(settings) as url, _view(as_json=as_json) as show:
        asyncio.run(_watch(api_url, url, seconds, every, show))


async def _watch(
    api_url: str, url: str, seconds: float | None, every: float, show: "Callable[[Snapshot], None]"
) -> None:
    from deployments.cli.follow import server  # noqa: PLC0415  (slow)
    from deployments.operations.monitoring import read_snapshot  # noqa: PLC0415  (slow)
    from deployments.operations.searches_left import SearchesLeft  # noqa: PLC0415  (slow)

    searches = SearchesLeft(current_settings(get_settings()))
    clock = asyncio.get_running_loop()
    end = None if seconds is None else clock.time() + seconds
    async with (
        Database(url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database,
        server(api_url) as client,
    ):
        while True:
            next_look = clock.time() + every
            try:
                show(await read_snapshot(client, database, searches=searches))
            except DatabaseUnavailableError as error:
                print_error(str(error))
                show(await read_snapshot(client, None))
            if end is not None and next_look > end:
                return
            await asyncio.sleep(next_look - clock.time())


@contextmanager
def _view(*, as_json: bool) -> "Iterator[Callable[[Snapshot], None]]":
    if as_json:
        yield print_json
    elif not out.is_terminal:
        yield _Lines()
    else:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda snapshot: live.update(_drawn(snapshot), refresh=True)


class _Lines:
    """One line for each pool that has changed."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __call__(self, snapshot: "Snapshot") -> None:
        told = {pool.name: _line(pool) for pool in snapshot.pools}
        told["rates"] = " · ".join(_below(snapshot))
        for name, line in told.items():
            if self._told.get(name) != line:
                out.print(f"{snapshot.at:%H:%M:%S} {line}", soft_wrap=True)
        self._told = told


def _drawn(snapshot: "Snapshot") -> RenderableType:
    title = f"Pools at {snapshot.at:%H:%M:%S} UTC"
    pools = table(title, [_cells(pool) for pool in snapshot.pools])
    return Group(pools, *(escape(line) for line in _below(snapshot)))


def _cells(pool: "PoolActivity") -> dict[str, object]:
    slots = "" if pool.slots is None else f"/{pool.slots}"
    return {
        "pool": pool.name + (" (paused)" if pool.is_paused else ""),
        "active": f"{pool.active}{slots}",
        "soon": pool.scheduled,
        "late": _late(pool),
        "done/min": f"{pool.a_minute:.1f}",
        "failed/h": pool.failed,
    }


def _line(pool: "PoolActivity") -> str:
    slots = "" if pool.slots is None else f"/{pool.slots}"
    paused = ", paused" if pool.is_paused else ""
    return (
        f"{pool.name}{paused}: {pool.active}{slots} active, {pool.scheduled} soon, "
        f"{_late(pool)} late, {pool.done} done in 5 min, {pool.failed} failed in 1 h"
    )


def _late(pool: "PoolActivity") -> str:
    if pool.oldest_late is None:
        return str(pool.late)
    return f"{pool.late} ({seconds_or_minutes(pool.oldest_late)})"


def _below(snapshot: "Snapshot") -> list[str]:
    told = [_rate(rate) for rate in snapshot.rates]
    if snapshot.searches_left is not None:
        told.append(f"searches left: {snapshot.searches_left}")
    if snapshot.searches_billed is not None:
        told.append(f"billed this month: {snapshot.searches_billed}")
    return told


def _rate(rate: "RateUse") -> str:
    limit = "" if rate.a_minute is None else f"/{rate.a_minute}"
    return f"{rate.name}: {rate.used}{limit} in the last minute"
