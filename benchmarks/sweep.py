"""`python -m benchmarks.sweep`: a sweep beside its ideal, and its memory as watches grow.

The flow process-all-active-watches runs in a process of its own against PostgreSQL, a Prefect
server and the sandbox, each in theirs, all on this machine. The baseline has been made before; one
watch in twenty has news. A search takes 200 ms, 20 are made at once, and the limit on searches a
minute is switched off. The ideal is what the searches alone take: searches x latency / 20.

Exit code 1 says that a target was missed.
"""

import asyncio
import os
import subprocess
import sys
import time

import httpx
import psycopg
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from adspark.db.rate_limits import SEARCHES
from adspark.serpapi.client import AT_ONCE
from benchmarks.arguments import benchmark_parser
from benchmarks.sandbox import Sandbox, running_sandbox
from benchmarks.server import Server, running_server
from benchmarks.sweep_probe import Probe
from benchmarks.targets import Target

_LATENCY = 0.2  # seconds a search
_NEWS_EVERY = 20  # watches
_ADS = 40  # of each advertiser
_MOST_OF_IDEAL = 1.3
_MOST_RSS = 1.25
_JUDGED = 1000  # watches
_MS = 1000.0
_MB = 1_000_000

_ADD_WATCHES = """
    INSERT INTO watch (user_id, name, advertiser_ids, political_ads, is_active)
    SELECT 1, 'watch ' || n, ARRAY['AR9' || lpad(n::text, 19, '0')], false, true
    FROM generate_series(1, %s) AS n
"""


class SweepResult(BaseModel):
    """A measured sweep of so many watches; seconds, but for the times of one watch."""

    watches: int
    searches: int
    news: int
    ideal: float
    seconds: float
    client_ms_per_watch: float
    postgres_ms_per_watch: float
    peak_rss: int

    @property
    def ratio(self) -> float:
        """Of the ideal."""
        return self.seconds / self.ideal


class Report(BaseModel):
    """All that was measured."""

    postgres: str
    sweeps: list[SweepResult]
    targets: list[Target]


def main() -> int:
    """Measure, print, and judge."""
    parser = benchmark_parser("sweep", __doc__)
    parser.add_argument("--quick", action="store_true", help="without the sweep of 10,000 watches")
    parser.add_argument("--smallest", action="store_true", help="sweeps of 20 and 40 watches")
    parser.add_argument("--json", action="store_true", help="one JSON document for the table")
    arguments = parser.parse_args()
    sizes = [100, _JUDGED] if arguments.quick else [100, _JUDGED, 10_000]
    report = _measure([20, 40] if arguments.smallest else sizes)
    if arguments.json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _show(report)
    return 0 if all(target.is_met for target in report.targets) else 1


def _measure(sizes: list[int]) -> Report:
    with prefect_test_harness(server_startup_timeout=600), running_server() as server:
        asyncio.run(_switch_limit_off())
        sweeps = [_measure_sweep(server, size) for size in sizes]
        judged = sweeps[1]
        return Report(
            postgres=server.version(),
            sweeps=sweeps,
            targets=[
                Target(
                    what=f"Sweep of {judged.watches:,} watches / ideal",
                    ratio=judged.ratio,
                    most=_MOST_OF_IDEAL,
                ),
                Target(
                    what=f"Peak RSS of {sizes[-1]:,} watches / {sizes[0]:,}",
                    ratio=sweeps[-1].peak_rss / sweeps[0].peak_rss,
                    most=_MOST_RSS,
                ),
            ],
        )


async def _switch_limit_off() -> None:
    async with get_client() as client:
        await client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(name=SEARCHES, limit=10, active=False)
        )


def _measure_sweep(server: Server, watches: int) -> SweepResult:
    sys.stderr.write(f"{watches:,} watches: baseline ...\n")
    name = server.clone()
    url = server.url(name)
    with running_sandbox(advertisers=watches, creatives=_ADS, cached_for=0) as sandbox:
        with psycopg.connect(url) as connection:
            connection.execute(_ADD_WATCHES, [watches])
        _sweep(url, sandbox)
        _make_news(sandbox, watches)
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE watch SET due_at = now()")
        server.settle(name)
        sys.stderr.write(f"{watches:,} watches: sweep ...\n")
        before = server.cpu_seconds()
        probe = _sweep(url, sandbox)
        postgres = server.cpu_seconds() - before
    server.drop(name)
    expected = (watches, watches, watches // _NEWS_EVERY)
    if (probe.checked, probe.searches, probe.news) != expected:
        raise RuntimeError(f"expected {expected} checked, searches, news; got {probe}")
    return SweepResult(
        watches=watches,
        searches=probe.searches,
        news=probe.news,
        ideal=probe.searches * _LATENCY / AT_ONCE,
        seconds=probe.seconds,
        client_ms_per_watch=probe.cpu_seconds / watches * _MS,
        postgres_ms_per_watch=postgres / watches * _MS,
        peak_rss=probe.peak_rss,
    )


def _sweep(database_url: str, sandbox: Sandbox) -> Probe:
    environment = os.environ | {
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "ADSPARK_DATABASE_URL": database_url,
        "ADSPARK_SERPAPI_URL": sandbox.url,
        "ADSPARK_SERPAPI_KEY": sandbox.key,
        "ADSPARK_SWEEP_TIME_LIMIT": "3600",
        "ADSPARK_SWEEP_SHARD_SIZE": "100000",
    }
    command = [sys.executable, "-m", "benchmarks.sweep_probe"]
    output = subprocess.check_output(command, env=environment, text=True)
    return Probe.model_validate_json(output.splitlines()[-1])


def _make_news(sandbox: Sandbox, watches: int) -> None:
    """A launch for every so many-th advertiser, and a latency for all searches from now on."""
    now = int(time.time())
    changes = [
        {
            "action": "add",
            "row": {
                "advertiser_id": f"AR9{number:019d}",
                "advertiser": f"Sandbox Advertiser {number}",
                "ad_creative_id": f"CR{number:020d}",
                "format": "text",
                "image": f"/archive/simgad/{number}",
                "first_shown": now,
                "last_shown": now,
            },
        }
        for number in range(_NEWS_EVERY, watches + 1, _NEWS_EVERY)
    ]
    with httpx.Client(base_url=sandbox.url, timeout=60) as client:
        client.put("/sandbox/changes", json=changes).raise_for_status()
        latency = {"kind": "latency", "seconds": _LATENCY}
        client.put("/sandbox/faults", json=[latency]).raise_for_status()


def _show(report: Report) -> None:
    console = Console(width=None if sys.stdout.isatty() else 110)
    table = Table(
        title=f"Sweeps, {_LATENCY * _MS:.0f} ms a search, {AT_ONCE} at once, PostgreSQL "
        f"{report.postgres}",
        title_justify="left",
    )
    headings = ("watches", "searches", "news", "ideal s", "s", "of ideal", "client CPU ms a watch",
                "PostgreSQL CPU ms a watch", "peak RSS MB")  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="right")
    for sweep in report.sweeps:
        table.add_row(
            f"{sweep.watches:,}",
            f"{sweep.searches:,}",
            f"{sweep.news:,}",
            f"{sweep.ideal:.1f}",
            f"{sweep.seconds:.1f}",
            f"{sweep.ratio:.2f} ×",
            f"{sweep.client_ms_per_watch:.1f}",
            f"{sweep.postgres_ms_per_watch:.1f}",
            f"{sweep.peak_rss / _MB:.0f}",
        )
    console.print(table)
    for target in report.targets:
        console.print(target.sentence)


if __name__ == "__main__":
    raise SystemExit(main())
