"""`python -m benchmarks.sweep`: a sweep beside its ideal, and its memory as watches grow.

The flow process-all-active-watches runs in a process of its own against PostgreSQL, a Prefect
server and the sandbox, each in theirs, all on this machine. The baseline has been made before; one
watch in twenty has news. A search takes 200 ms, 20 are made at once, and the limit on searches a
minute is switched off. The ideal is what the searches alone take: searches x latency / 20.

With `--peer` a Celery worker (benchmarks/celery_peer) sweeps copies of the same database, in turns
with AdSpark. It needs the dependency group `celery-peer` and redis-server; the CPU time of the
latter is not counted, nor is that of Prefect's server.

Exit code 1 says that a target was missed.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping

import httpx
import psycopg
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from adspark.db.rates import SEARCHES
from adspark.serpapi.client import AT_ONCE
from benchmarks.arguments import benchmark_parser
from benchmarks.celery_peer.run import missing_parts, sweep_by_celery
from benchmarks.sandbox import Sandbox, running_sandbox
from benchmarks.server import Server, running_server
from benchmarks.sweep_probe import Probe
from benchmarks.sweep_report import OURS, PEER, Report, SweepResult, show_report, targets_of

_LATENCY = 0.2  # seconds a search
_NEWS_EVERY = 20  # watches
_ADS = 40  # of each advertiser
_ROUNDS = 2  # beside the peer
_JUDGED = 1000  # watches
_MS = 1000.0

_ADD_WATCHES = """
    INSERT INTO watch (user_id, name, advertiser_ids, political_ads, is_active)
    SELECT 1, 'watch ' || n, ARRAY['AR9' || lpad(n::text, 19, '0')], false, true
    FROM generate_series(1, %s) AS n
"""

_DIGEST = """
    SELECT (SELECT md5(string_agg(concat_ws('|', ad_creative_id, content_hash, first_shown,
                last_shown, target_domain, regions), ',' ORDER BY ad_creative_id)) FROM creative),
        (SELECT md5(string_agg(concat_ws('|', watch_id, ad_creative_id, content_hash, last_shown),
                ',' ORDER BY watch_id, ad_creative_id)) FROM watch_creative),
        (SELECT md5(string_agg(concat_ws('|', watch_id, ad_creative_id, kind, content_hash),
                ',' ORDER BY watch_id, ad_creative_id, kind)) FROM creative_event)
"""

Sweeper = Callable[[str, Sandbox], Probe]
"""Sweeps all due watches of the database at an address once."""


def main() -> int:
    parser = benchmark_parser("sweep", __doc__)
    parser.add_argument("--quick", action="store_true", help="without the sweep of 10,000 watches")
    parser.add_argument("--smallest", action="store_true", help="one sweep of 20 watches")
    parser.add_argument("--peer", action="store_true", help="a Celery worker beside it")
    parser.add_argument("--json", action="store_true", help="one JSON document for the table")
    arguments = parser.parse_args()
    if arguments.peer and (missing := missing_parts()):
        parser.error(
            f"--peer needs {', '.join(missing)}: uv sync --group celery-peer, and the package "
            f"redis-server of the system"
        )
    sizes = [100, _JUDGED] if arguments.quick else [100, _JUDGED, 10_000]
    report = _measure([20] if arguments.smallest else sizes, with_peer=arguments.peer)
    if arguments.json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        show_report(report)
    return 0 if all(target.is_met for target in report.targets) else 1


def _measure(sizes: list[int], *, with_peer: bool) -> Report:
    sweepers = {OURS: _sweep} | ({PEER: sweep_by_celery} if with_peer else {})
    with prefect_test_harness(server_startup_timeout=600), running_server() as server:
        asyncio.run(_switch_limit_off())
        sweeps = [one for size in sizes for one in _measure_sweeps(server, size, sweepers)]
        return Report(
            title=f"Sweeps, {_LATENCY * _MS:.0f} ms a search, {AT_ONCE} at once, PostgreSQL "
            f"{server.version()}",
            postgres=server.version(),
            sweeps=sweeps,
            targets=targets_of(sweeps, sizes),
        )


async def _switch_limit_off() -> None:
    async with get_client() as client:
        await client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(name=SEARCHES, limit=10, active=False)
        )


def _measure_sweeps(
    server: Server, watches: int, sweepers: Mapping[str, Sweeper]
) -> Iterator[SweepResult]:
    """Make the baseline once, and let each sweep copies of it, in turns."""
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
        stored = set()
        for _ in range(_ROUNDS if len(sweepers) > 1 else 1):
            for contender, sweeper in sweepers.items():
                sys.stderr.write(f"{watches:,} watches: {contender} ...\n")
                copy = server.clone(name)
                yield _measure_sweep(server, copy, sandbox, watches, contender, sweeper)
                stored.add(_digest(server.url(copy)))
                server.drop(copy)
        if len(stored) > 1:
            raise RuntimeError("AdSpark and its peer have stored different rows")
    server.drop(name)


def _measure_sweep(
    server: Server, name: str, sandbox: Sandbox, watches: int, contender: str, sweeper: Sweeper
) -> SweepResult:
    before = server.cpu_seconds()
    probe = sweeper(server.url(name), sandbox)
    postgres = server.cpu_seconds() - before
    expected = (watches, watches, watches // _NEWS_EVERY)
    if (probe.checked, probe.searches, probe.news) != expected:
        raise RuntimeError(f"expected {expected} checked, searches, news; got {probe}")
    return SweepResult(
        contender=contender,
        watches=watches,
        searches=probe.searches,
        news=probe.news,
        ideal=probe.searches * _LATENCY / AT_ONCE,
        seconds=probe.seconds,
        client_ms_per_watch=probe.cpu_seconds / watches * _MS,
        postgres_ms_per_watch=postgres / watches * _MS,
        peak_rss=probe.peak_rss,
    )


def _digest(url: str) -> str:
    """Of the ads, links and events: the same where the same is stored."""
    with psycopg.connect(url) as connection:
        row = connection.execute(_DIGEST).fetchone()
    return str(row)


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


if __name__ == "__main__":
    raise SystemExit(main())
