"""The system at one moment: pools, rate limits, and the searches left."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from pydantic import BaseModel

from adspark.db.engine import Database
from adspark.db.rate_limits import count_uses
from adspark.watches.searches_left import SearchesLeft
from deployments.operations.rates import Rate, read_rates
from deployments.queue_classes import POOL_NAMES
from orchestration.server.pool_snapshot import PoolSnapshot, read_pools


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
) -> Snapshot:
    """Read the system as it is now.

    Args:
        database: None where it does not answer: rates and searches are left out.
        searches: asks for the searches that are left, at most once a minute; None leaves them out.
        failures: of the last day at least; None leaves what has ended out.

    Raises:
        DatabaseUnavailableError: Postgres does not answer.
    """
    pools, rates = await asyncio.gather(
        read_pools(
            client,
            POOL_NAMES,
            failures=failures,
            with_done=failures is not None,
        ),
        _read_rates(client, database),
    )
    snapshot = Snapshot(at=datetime.now(UTC), pools=pools, rates=rates)
    if searches is not None and database is not None:
        snapshot.searches_billed, snapshot.searches_left = await searches.read(database)
    return snapshot


async def _read_rates(client: PrefectClient, database: Database | None) -> list[Rate]:
    if database is None:
        return []
    async with database.session() as session:
        return await read_rates(client, used=await count_uses(session))
