"""Whole fetches, from the sandbox in a process of its own into the database, one page and many."""

import statistics
import subprocess
import sys
from collections.abc import Sequence

from pydantic import BaseModel

from benchmarks.fetch_probe import Probe
from benchmarks.sandbox import Sandbox, running_sandbox
from benchmarks.server import Server
from benchmarks.workload import PAGE_SIZE

_MS = 1000.0


class FetchResult(BaseModel):
    """Medians of fetches of so many pages, each in a fresh process with a fresh database."""

    pages: int
    runs: int
    peak_rss: int
    heap_growth: int
    pages_per_second: float
    rows_per_second: float
    client_cpu_ms_per_page: float


def measure_fetches(server: Server, *, sizes: Sequence[int], rounds: int) -> list[FetchResult]:
    """Fetches of each size, in turn; then each once more with Python's heap traced."""
    turns = [(size, trace) for trace in [False] * rounds + [True] for size in sizes]
    with running_sandbox(advertisers=len(turns), creatives=max(sizes) * PAGE_SIZE) as sandbox:
        probes = [
            _fetch(server, sandbox, advertiser, size, trace_heap=trace)
            for advertiser, (size, trace) in enumerate(turns, start=1)
        ]
    return [_summarise([probe for probe in probes if probe.pages == size]) for size in sizes]


def _fetch(
    server: Server, sandbox: Sandbox, advertiser: int, pages: int, *, trace_heap: bool
) -> Probe:
    name = server.clone()
    command = [
        *(sys.executable, "-m", "benchmarks.fetch_probe"),
        *("--database-url", server.url(name), "--sandbox-url", sandbox.url, "--key", sandbox.key),
        *("--advertiser", f"AR9{advertiser:019d}", "--pages", str(pages)),
        *(["--trace-heap"] if trace_heap else []),
    ]
    probe = Probe.model_validate_json(subprocess.check_output(command))
    server.drop(name)
    if (probe.pages, probe.rows) != (pages, pages * PAGE_SIZE):
        raise RuntimeError(f"asked for {pages} pages and got {probe.pages}, {probe.rows} rows")
    return probe


def _summarise(probes: list[Probe]) -> FetchResult:
    plain = [probe for probe in probes if probe.heap_growth is None]
    traced = [probe.heap_growth for probe in probes if probe.heap_growth is not None]
    return FetchResult(
        pages=plain[0].pages,
        runs=len(plain),
        peak_rss=int(statistics.median(probe.peak_rss for probe in plain)),
        heap_growth=int(statistics.median(traced)),
        pages_per_second=statistics.median(probe.pages / probe.seconds for probe in plain),
        rows_per_second=statistics.median(probe.rows / probe.seconds for probe in plain),
        client_cpu_ms_per_page=statistics.median(
            probe.cpu_seconds / probe.pages * _MS for probe in plain
        ),
    )
