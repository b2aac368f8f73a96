"""`python -m benchmarks.mcp`: the tools of assistants over a library of 100,000 ads.

The server is a process, asked by the protocol's own client on standard input and output, as
assistants start it. Each call is made again and again with other arguments, and 95 of a hundred
answers are held against 300 ms. Exit code 1 says that a limit was passed.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from rich.console import Console

from benchmarks.arguments import parse_scale
from benchmarks.gallery_workload import environment, fill_library, questions
from benchmarks.library_workload import Workload
from benchmarks.server import Server, running_server
from benchmarks.targets import Target, judge, p95

_ADS = 100_000
_PICTURES = 600  # of the newest ads
_ASKED = 200  # times each call
_MOST_MS = 300.0
_WARM = 3  # calls that are not counted
_CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("list_news", {"since": "day"}),
    ("list_news", {"since": "month", "limit": 100}),
    ("list_news", {"since": "week", "watch": "watch {watch}"}),
    ("search_ads", {"words": "{word}"}),
    ("search_ads", {"words": "{word}", "format": "image", "limit": 100}),
    ("search_ads", {"advertiser": ["AR{advertiser:020d}"], "region": "DE"}),
    ("search_ads", {"watch": "watch {watch}", "event": "new"}),
    ("search_ads", {"running": True, "sort": "longest"}),
    ("show_ad", {"ad": "CR{ad:020d}"}),
    ("show_ad", {"ad": "{pictured}"}),
    ("show_advertiser", {"advertiser": "AR{advertiser:020d}"}),
    ("show_advertiser", {"sort": "running"}),
    ("compare_advertisers", {"advertisers": ["AR{advertiser:020d}", "AR{other:020d}"]}),
    (
        "compare_advertisers",
        {
            "advertisers": [
                "AR{advertiser:020d}",
                "AR{other:020d}",
                "AR{third:020d}",
                "AR{fourth:020d}",
            ]
        },
    ),
    ("show_timeline", {"advertiser": "AR{advertiser:020d}", "period": "day", "limit": 366}),
    ("list_watches", {}),
    ("show_variants", {}),
    ("show_variants", {"variant": "{variant}"}),
    ("show_budget", {}),
    ("spend", {"act": "look_now", "watch": "watch {watch}"}),
    ("spend", {"act": "request_variants", "ads": ["CR{ad:020d}"], "prompt": "Red"}),
)


@dataclass(frozen=True)
class Asked:
    """What is asked for: of a library, ads whose pictures are kept, and how often."""

    workload: Workload
    pictured: list[str]
    times: int

    def values(self) -> Iterator[dict[str, Any]]:
        """What stands in the places of the arguments, for each time."""
        asked = questions(self.workload, self.times + _WARM)
        for values, pictured in zip(asked, cycle(self.pictured), strict=False):
            yield values | {"pictured": pictured}


def main() -> int:
    scale = parse_scale("mcp", __doc__)
    workload = Workload(_ADS // scale)
    with running_server() as server, tempfile.TemporaryDirectory() as folder:
        fill_library(server, workload, Path(folder), _PICTURES // scale)
        pictured = _pictured(server, _PICTURES // scale)
        asked = Asked(workload, pictured, max(_ASKED // scale, 5))
        took = asyncio.run(_ask_all(server, Path(folder), asked))
    console = Console()
    for call, times in took.items():
        console.print(
            f"{call}: median {statistics.median(times):.0f} ms, p95 {p95(times):.0f} ms",
            markup=False,
        )
    slowest = max(map(p95, took.values()))
    target = Target(what="Answer of a tool, p95 of 300 ms", ratio=slowest / _MOST_MS, most=1.0)
    return judge([target], console)


def _pictured(server: Server, count: int) -> list[str]:
    """The ads whose pictures are kept."""
    with psycopg.connect(server.url()) as connection:
        found = connection.execute(
            "SELECT ad_creative_id FROM creative "
            "ORDER BY first_shown DESC, ad_creative_id DESC LIMIT %s",
            (count,),
        )
        return [row[0] for row in found]


async def _ask_all(server: Server, folder: Path, asked: Asked) -> dict[str, list[float]]:
    """Milliseconds of each answer, by its call."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "deployments.cli.main", "mcp", "--allow-spending"],
        env=environment(server, folder),
    )
    async with Client(stdio_client(command)) as client:
        return {
            f"{tool} {arguments}": await _ask(client, tool, arguments, asked)
            for tool, arguments in _CALLS
        }


async def _ask(
    client: Client, tool: str, arguments: dict[str, object], asked: Asked
) -> list[float]:
    took = []
    for values in asked.values():
        filled = _fill(arguments, values)
        began = time.perf_counter()
        answer = await client.call_tool(tool, filled)
        took.append((time.perf_counter() - began) * 1000)
        if answer.is_error:
            raise RuntimeError(f"{tool} {filled}: {answer.content[0]}")
    return took[_WARM:]


def _fill(value: Any, values: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
    """The arguments with these values in their places."""
    if isinstance(value, dict):
        return {name: _fill(one, values) for name, one in value.items()}
    if isinstance(value, list):
        return [_fill(one, values) for one in value]
    if value == "{variant}":
        return values["variant"]
    return value.format(**values) if isinstance(value, str) else value


if __name__ == "__main__":
    raise SystemExit(main())
