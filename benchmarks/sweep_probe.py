"""One sweep in a process of its own, which tells as JSON what it took; started by `sweep`."""

import asyncio
import sys
import time

from pydantic import BaseModel

from benchmarks.fetch_probe import peak_rss
from flows.process_all_active_watches import process_all_active_watches


class Probe(BaseModel):
    """What a sweep took: of the flow, `seconds` and `cpu_seconds`; of the process, `peak_rss`."""

    seconds: float
    cpu_seconds: float
    peak_rss: int
    checked: int
    searches: int
    news: int


def main() -> None:
    """Sweep, and print the probe."""
    sys.stdout.write(asyncio.run(_probe()).model_dump_json() + "\n")


async def _probe() -> Probe:
    wall, cpu = time.perf_counter(), time.process_time()
    summary = await process_all_active_watches()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Probe(
        seconds=wall,
        cpu_seconds=cpu,
        peak_rss=peak_rss(),
        checked=summary.checked,
        searches=summary.searches_billed + summary.searches_cached,
        news=summary.events.news,
    )


if __name__ == "__main__":
    main()
