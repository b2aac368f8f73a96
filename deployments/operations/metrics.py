"""What Prometheus is told: queues, runs, workers, limits, searches and variants.

Read at each scrape, and kept for a few seconds; a source that is down is told as `adspark_up 0` and
leaves its own figures out.
"""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterEndTime
from prefect.client.schemas.objects import StateType, WorkerStatus
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database
from adspark.errors import AdSparkError
from adspark.settings import Settings
from adspark.variants.lists import count_variants
from adspark.watches.budgets import count_searches
from deployments.operations.monitoring import Snapshot, read_snapshot
from deployments.operations.searches_left import SearchesLeft
from deployments.provisioning.flow_runs import in_state, read_runs

_FRESH = 5.0  # seconds for which figures hold, however many ask
_PATIENCE = 4.0  # seconds that each source has; Prometheus waits for 10
_HOUR = timedelta(hours=1)
_ENDED = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


class MetricsCollector(Collector):
    """The figures of one system.

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
        self._metrics: list[Metric] = []
        self._read_at: float | None = None

    def collect(self) -> Iterator[Metric]:
        """The figures, read anew where they are old."""
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > _FRESH:
                # A scrape comes again anyway; one that insists would only come too late.
                with temporary_settings(
                    {PREFECT_API_URL: self._api_url, PREFECT_CLIENT_MAX_RETRIES: 0}
                ):
                    self._metrics = asyncio.run(self._read())
                self._read_at = time.monotonic()
            yield from self._metrics

    async def _read(self) -> list[Metric]:
        up = GaugeMetricFamily("adspark_up", "Whether it answers.", labels=["source"])
        async with Database(self._database_url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database:
            stored = await _answer(_of_database(database))
            known, left = await asyncio.gather(
                _answer(_of_prefect(database if stored is not None else None)),
                _answer(self._of_account(database)),
            )
        up.add_metric(["database"], stored is not None)
        up.add_metric(["prefect"], known is not None)
        return [up, *(stored or ()), *(known or ()), *(left or ())]

    async def _of_account(self, database: Database) -> list[Metric]:
        left = (await self._searches.read(database)).left
        told = "Searches that SerpApi's account has left this month."
        return [] if left is None else [GaugeMetricFamily("adspark_searches_left", told, left)]


async def _answer(asked: Awaitable[list[Metric]]) -> list[Metric] | None:
    """What a source tells; None where it does not answer, or not in time."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await asked
    except (AdSparkError, PrefectException, httpx.HTTPError, OSError):  # time-outs are the last
        return None


async def _of_prefect(database: Database | None) -> list[Metric]:
    async with get_client() as client:
        snapshot, runs = await asyncio.gather(read_snapshot(client, database), _of_runs(client))
        return [*_of_snapshot(snapshot), await _of_workers(client, snapshot), *runs]


def _of_snapshot(snapshot: Snapshot) -> list[Metric]:
    columns = {
        "slots": ("Runs that the pool carries out at once.", "slots"),
        "paused": ("Whether the pool is paused.", "is_paused"),
        "runs_active": ("Runs that take a slot.", "active"),
        "runs_scheduled": ("Runs whose time is within ten minutes.", "scheduled"),
        "runs_late": ("Runs whose time has passed.", "late"),
        "late_oldest_seconds": ("How long the oldest late run has waited.", "oldest_late"),
    }
    metrics: list[Metric] = []
    for name, (told, attribute) in columns.items():
        family = GaugeMetricFamily(f"adspark_pool_{name}", told, labels=["pool"])
        for pool in snapshot.pools:
            value = getattr(pool, attribute)
            if value is not None or name == "late_oldest_seconds":
                family.add_metric([pool.name], float(value or 0))
        metrics.append(family)
    used = GaugeMetricFamily("adspark_rate_used", "Used in the last minute.", labels=["limit"])
    limits = GaugeMetricFamily("adspark_rate_limit", "Allowed in a minute.", labels=["limit"])
    for rate in snapshot.rates:
        used.add_metric([rate.name], rate.used)
        if rate.a_minute is not None:
            limits.add_metric([rate.name], rate.a_minute)
    return [*metrics, used, limits]


async def _of_workers(client: PrefectClient, snapshot: Snapshot) -> Metric:
    told = "Workers of the pool that are online."
    family = GaugeMetricFamily("adspark_pool_workers_online", told, labels=["pool"])
    for pool in snapshot.pools:
        workers = await client.read_workers_for_work_pool(pool.name)
        online = sum(one.status == WorkerStatus.ONLINE for one in workers)
        family.add_metric([pool.name], online)
    return family


async def _of_runs(client: PrefectClient) -> list[Metric]:
    """Runs that ended in the last hour, by flow and state, and how long they took."""
    wanted: FlowRunFilter = in_state(*_ENDED)
    wanted.end_time = FlowRunFilterEndTime(after_=datetime.now(UTC) - _HOUR)
    names = {flow.id: flow.name for flow in await client.read_flows()}
    counted: dict[tuple[str, str], int] = defaultdict(int)
    seconds: dict[str, list[float]] = defaultdict(list)
    for run in await read_runs(client, wanted):
        flow = names.get(run.flow_id, "")
        counted[flow, str(run.state_name)] += 1
        seconds[flow].append(run.total_run_time.total_seconds())
    runs = GaugeMetricFamily(
        "adspark_flow_runs_last_hour", "Runs that ended.", labels=["flow", "state"]
    )
    for key, number in counted.items():
        runs.add_metric(list(key), number)
    mean = GaugeMetricFamily(
        "adspark_flow_run_mean_seconds_last_hour", "Their mean duration.", labels=["flow"]
    )
    longest = GaugeMetricFamily(
        "adspark_flow_run_max_seconds_last_hour", "Their longest duration.", labels=["flow"]
    )
    for flow, durations in seconds.items():
        mean.add_metric([flow], sum(durations) / len(durations))
        longest.add_metric([flow], max(durations))
    return [runs, mean, longest]


async def _of_database(database: Database) -> list[Metric]:
    async with database.session() as session:
        # Of the month: a counter may begin again at 0, and must not fall otherwise, as the sum of
        # a ledger does that is cleaned up.
        counted = await count_searches(session)
        variants = await count_variants(session)
    told = "Searches since the month (UTC) began, when it begins again at 0."
    searches = CounterMetricFamily("adspark_searches", told, labels=["billing"])
    searches.add_metric(["billed"], counted.billed)
    searches.add_metric(["cached"], counted.cached)
    family = GaugeMetricFamily("adspark_variants", "Variants, by status.", labels=["status"])
    for status, number in variants.items():
        family.add_metric([status], number)
    return [searches, family]
