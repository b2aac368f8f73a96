"""One fetch in a process of its own, which tells as JSON what it took; started by `end_to_end`."""

import argparse
import asyncio
import gc
import re
import resource
import sys
import time
import tracemalloc
from pathlib import Path

from pydantic import BaseModel, SecretStr

from adspark.creatives.fetch import FetchSummary, fetch_query
from adspark.db.engine import Database
from adspark.serpapi.client import SerpApiClient
from adspark.serpapi.search_query import parse_query

_KIB = 1024


class Probe(BaseModel):
    """What one fetch took.

    `seconds` and `cpu_seconds` are of the fetch alone, `peak_rss` is of the whole process, in
    bytes. `heap_growth` is what Python's heap holds after the fetch and did not before, in bytes,
    where it was asked for: to trace it takes time and memory, so the other figures are then void.
    """

    pages: int
    rows: int
    seconds: float
    cpu_seconds: float
    peak_rss: int
    heap_growth: int | None


def main() -> None:
    """Fetch, and print the probe."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fetch_probe", description=__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--sandbox-url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--advertiser", required=True)
    parser.add_argument("--pages", type=int, required=True)
    parser.add_argument("--trace-heap", action="store_true")
    probe = asyncio.run(_probe(parser.parse_args()))
    sys.stdout.write(probe.model_dump_json())


async def _probe(arguments: argparse.Namespace) -> Probe:
    key = SecretStr(arguments.key)
    query, _ = parse_query(advertiser_ids=arguments.advertiser, region="US")
    async with (
        Database(arguments.database_url) as database,
        SerpApiClient(key, base_url=arguments.sandbox_url) as client,
    ):
        if arguments.trace_heap:
            tracemalloc.start()
        heap, wall, cpu = _heap(), time.perf_counter(), time.process_time()
        summary = await fetch_query(database, client, query, max_pages=arguments.pages)
        return Probe(
            pages=summary.pages,
            rows=_rows(summary),
            seconds=time.perf_counter() - wall,
            cpu_seconds=time.process_time() - cpu,
            heap_growth=_heap() - heap if arguments.trace_heap else None,
            peak_rss=peak_rss(),
        )


def _rows(summary: FetchSummary) -> int:
    return summary.new + summary.changed + summary.unchanged + summary.rejected


def _heap() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def peak_rss() -> int:
    """Bytes of this process; on Linux from /proc: `ru_maxrss` begins there with the parent's."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) * _KIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB


if __name__ == "__main__":
    main()
