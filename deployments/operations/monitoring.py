"""The system at one moment: pools, rate limits, and the searches left."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from pydantic import BaseModel

from adspark.db.engine import Database
from adspark.db.rate_limits import GENERATIONS, SEARCHES, count_uses
from adspark.watches.searches_left import SearchesLeft
from deployments.queue_classes import POOL_NAMES
from orchestration.runs.flow_runs import PAGE
from orchestration.server.pool_snapshot import PoolSnapshot, read_pools


class Rate(BaseModel):
    """A rate limit over all workers.

    Attributes:
        a_minute: None is no limit.
        used: in the last minute; None where the database was not read.
    """

    name: str
    a_minute: int | None
    used: int | None = None


class Snapshot(BaseModel):
    """The system at one moment; `searches_left` is None where it is not known."""

    at: datetime
    pools: list[PoolSnapshot]
    rates: list[Rate]
    searches_left: int | None = None
    searches_billed: int | None = None


async def read_snapshot(
    client: PrefectClient,
    database: Database | None,
    *,
    searches: SearchesLeft | None = None,
    failures: Iterable[FlowRun] | None = None,
    with_workers: bool = False,
) -> Snapshot:
    """Read the system as it is now.

    Args:
        client: of Prefect's server.
        database: None where it does not answer: rates and searches are left out.
        searches: asks for the searches that are left, at most once a minute; None leaves them out.
        failures: of the last day at least; None leaves what has ended out.
        with_workers: whether to count workers.

    Raises:
        DatabaseUnavailableError: Postgres does not answer.
    """
    pools, rates = await asyncio.gather(
        read_pools(
            client,
            POOL_NAMES,
            failures=failures,
            with_done=failures is not None,
            with_workers=with_workers,
        ),
        read_rates(client, database) if database is not None else _no_rates(),
    )
    snapshot = Snapshot(at=datetime.now(UTC), pools=pools, rates=rates)
    if searches is not None and database is not None:
        snapshot.searches_billed, snapshot.searches_left = await searches.read(database)
    return snapshot


async def read_rates(client: PrefectClient, database: Database | None = None) -> list[Rate]:
    """The limits as Prefect has them, and with a database how much of them is used.

    Raises:
        DatabaseUnavailableError: Postgres does not answer.
    """
    used: dict[str, int] | None = None
    if database is not None:
        async with database.session() as session:
            used = await count_uses(session)
    limits = {one.name: one for one in await client.read_global_concurrency_limits(limit=PAGE)}
    return [
        Rate(
            name=name,
            a_minute=limits[name].limit if name in limits and limits[name].active else None,
            used=None if used is None else used.get(name, 0),
        )
        for name in (SEARCHES, GENERATIONS)
    ]


async def _no_rates() -> list[Rate]:
    return []
