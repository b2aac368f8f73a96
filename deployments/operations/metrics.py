"""Metrics for Prometheus: queues, runs, workers, limits, searches and variants.

Read at each scrape, and kept for a few seconds; of a source that is down there is only
`adspark_up 0`.
"""

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import TERMINAL_STATES, FlowRun
from prefect.exceptions import PrefectException
from prometheus_client import Metric
from prometheus_client.registry import Collector

from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database
from adspark.db.rate_limits import count_uses
from adspark.db.rates import GENERATIONS, SEARCHES
from adspark.errors import AdSparkError
from adspark.settings import Settings
from adspark.variants.batches.lists import count_batches
from adspark.variants.budget import count_generations, read_budgets
from adspark.variants.lists import count_variants
from adspark.watches.budgets import count_searches
from adspark.watches.searches_left import SearchesLeft
from deployments.operations import metric_families as families
from deployments.operations.rates import read_rates
from deployments.queue_classes import POOL_NAMES
from orchestration.runs.flow_runs import filter_runs, read_flow_names, read_pages
from orchestration.server.client_settings import without_retries
from orchestration.server.pool_snapshot import PoolSnapshot, read_pools

_FRESH = 5.0  # seconds for which metrics hold, however many scrapes there are
_PATIENCE = 4.0  # seconds that each source has; Prometheus waits for 10
_HOUR = timedelta(hours=1)
_OVERLAP = timedelta(minutes=1)  # in which the server may learn late of an end


class MetricsCollector(Collector):
    """The metrics of one system.

    Args:
        settings: for what SerpApi's account has left.
        api_url: of Prefect's server.
        database_url: of AdSpark's database.
    """

    def __init__(self, settings: Settings, *, api_url: str, database_url: str) -> None:
        self._api_url = api_url
        self._database_url = database_url
        self._searches = SearchesLeft(settings)
        self._lock = threading.Lock()
        self._ended = EndedRuns()
        self._runner = asyncio.Runner()  # one event loop, so that the client can be kept
        self._client: PrefectClient | None = None
        self._metrics: list[Metric] = []
        self._read_at: float | None = None

    def collect(self) -> Iterator[Metric]:
        """The metrics, read again where they are older than a few seconds."""
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > _FRESH:
                # A scrape comes again anyway; one that insists would only come too late.
                with without_retries(self._api_url):
                    self._metrics = self._runner.run(self._read())
                self._read_at = time.monotonic()
            yield from self._metrics

    def close(self) -> None:
        """Close the client of Prefect's server."""
        with self._lock, self._runner:
            if self._client is not None:
                self._runner.run(self._client.__aexit__(None, None, None))

    async def _read(self) -> list[Metric]:
        async with Database(self._database_url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database:
            stored, known, left = await asyncio.gather(
                _or_none(_of_database(database)),
                _or_none(self._of_prefect()),
                _or_none(self._of_account(database)),
            )
        up = {("database",): stored is not None, ("prefect",): known is not None}
        return [families.UP.gauge(up), *(stored or ()), *(known or ()), *(left or ())]

    async def _of_account(self, database: Database) -> list[Metric]:
        left = (await self._searches.read(database)).left
        return [] if left is None else [families.SEARCHES_LEFT.gauge({(): left})]

    async def _of_prefect(self) -> list[Metric]:
        if self._client is None:
            self._client = await get_client().__aenter__()
        await self._ended.update(self._client)  # first alone: it fetches the client's CSRF token
        pools, rates = await asyncio.gather(
            read_pools(self._client, POOL_NAMES, with_workers=True), read_rates(self._client)
        )
        limits = {(one.name,): one.a_minute for one in rates if one.a_minute is not None}
        limit = families.RATE_LIMIT.gauge(limits)
        return [*_of_pools(pools), limit, *self._ended.metrics()]


async def _or_none(source: Awaitable[list[Metric]]) -> list[Metric] | None:
    """The metrics of a source; None where it does not answer, or not in time."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await source
    except (AdSparkError, PrefectException, httpx.HTTPError, OSError):  # time-outs are the last
        return None


class EndedRuns:
    """Runs that ended in the last hour, of which each scrape reads only the latest."""

    def __init__(self) -> None:
        self._runs: dict[UUID, FlowRun] = {}
        self._flows: dict[UUID, str] = {}
        self._began = datetime.now(UTC)  # when the first of the pages was read that are being read
        self._until = self._began - _HOUR  # of what ended before, all has been read
        self._since = self._until  # of what ended later, pages are being read,
        self._offset = 0  # and so many runs of it have been

    async def update(self, client: PrefectClient) -> None:
        """Read what ended since the last time, and forget what ended more than an hour ago.

        What it has read is kept where it is interrupted, and the next call goes on from there.
        """
        now = datetime.now(UTC)
        an_hour_ago = now - _HOUR
        self._runs = {
            key: run
            for key, run in self._runs.items()
            if run.end_time and run.end_time > an_hour_ago
        }
        if not self._offset:
            self._began, self._since = now, max(an_hour_ago, self._until - _OVERLAP)
        wanted = filter_runs(types=TERMINAL_STATES, ended_after=self._since)
        async for page in read_pages(client, wanted, pools=POOL_NAMES, offset=self._offset):
            unknown = {run.flow_id for run in page} - self._flows.keys()
            self._flows |= await read_flow_names(client, unknown)
            self._runs |= {run.id: run for run in page}
            self._offset += len(page)
        ends = [run.end_time for run in self._runs.values() if run.end_time]
        self._until = min(self._began, max(ends, default=an_hour_ago))
        self._offset = 0

    def metrics(self) -> list[Metric]:
        """Their number by flow and state, and how long they took, in seconds."""
        seconds: dict[str, list[float]] = defaultdict(list)
        counts: Counter[tuple[str, str]] = Counter()
        for run in self._runs.values():
            flow = self._flows.get(run.flow_id, "")
            counts[flow, run.state_name or ""] += 1
            seconds[flow].append(run.total_run_time.total_seconds())
        return [
            families.RUNS.gauge(counts),
            families.MEAN.gauge({(flow,): fmean(times) for flow, times in seconds.items()}),
            families.LONGEST.gauge({(flow,): max(times) for flow, times in seconds.items()}),
        ]


def _of_pools(pools: Sequence[PoolSnapshot]) -> list[Metric]:
    missing = set(POOL_NAMES) - {pool.name for pool in pools}
    metrics: list[Metric] = []
    for shown in families.POOLS:
        values = {(pool.name,): getattr(pool, shown.of_pool or "") for pool in pools}
        if shown.of_pool == "oldest_late":  # None: no run is late
            values = {key: value or 0 for key, value in values.items()}
        if shown.of_pool == "workers":
            values |= {(name,): 0 for name in missing}
        known = {key: float(value) for key, value in values.items() if value is not None}
        metrics.append(shown.gauge(known))
    return metrics


async def _of_database(database: Database) -> list[Metric]:
    async with database.session() as session:
        # Of the month: a counter may begin again at 0, and must not fall otherwise, as the sum of
        # a ledger does that is cleaned up.
        counted = await count_searches(session)
        variants = await count_variants(session)
        batches = await count_batches(session)
        generations = await count_generations(session)
        budgets = await read_budgets(session)
        uses = await count_uses(session)
    return [
        families.SEARCHES.counter({("billed",): counted.billed, ("cached",): counted.cached}),
        families.VARIANTS.gauge({(status,): number for status, number in variants.items()}),
        families.BATCHES.gauge({(status,): number for status, number in batches.items()}),
        families.GENERATIONS.counter({(): generations}),
        families.GENERATIONS_LEFT.gauge({(str(one.user_id),): one.left or 0 for one in budgets}),
        families.RATE_USED.gauge({(name,): uses.get(name, 0) for name in (SEARCHES, GENERATIONS)}),
    ]
