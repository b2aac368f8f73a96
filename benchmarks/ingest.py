"""`python -m benchmarks.ingest`: what storing and fetching cost beside peers, with targets.

Everything is measured in one run against one embedded PostgreSQL, the contenders in turn, so that
what else the machine does falls on all of them. Exit code 1 says that a target was missed.

1. A page of 100 by AdSpark (rows, ledger, commit in a session) and by psycopg with SQL by hand for
   the same result. Its page goes over as arrays; with one JSON document, the fastest way known, it
   shows without a target what SQLAlchemy's session costs.
2. The same merge a row at a time, on three pages: a new, an unchanged, a changed one.
3. Whole fetches from a sandbox in another process, one page and many: memory must not grow.
"""

import asyncio
import sys
from dataclasses import dataclass

from pydantic import BaseModel
from rich.table import Table

from benchmarks.arguments import benchmark_parser
from benchmarks.end_to_end import FetchResult, measure_fetches
from benchmarks.server import Server, running_server
from benchmarks.storing import (
    StoringResult,
    compare_with_hand_written,
    compare_with_row_by_row,
    preload,
)
from benchmarks.tables import make_console, make_table
from benchmarks.targets import Target
from benchmarks.workload import Case

_LEAST_OF_HAND_WRITTEN = 0.8
_LEAST_OF_ROW_BY_ROW = 10.0
_MOST_RSS = 1.1
_MB = 1_000_000


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    pages: int
    row_by_row_rounds: int
    fetch_rounds: int
    fetch_pages: int


FULL = Size(rounds=20, pages=10, row_by_row_rounds=10, fetch_rounds=3, fetch_pages=500)
SMALLEST = Size(rounds=1, pages=2, row_by_row_rounds=1, fetch_rounds=1, fetch_pages=5)
QUICK = Size(rounds=6, pages=5, row_by_row_rounds=5, fetch_rounds=2, fetch_pages=50)


class Report(BaseModel):
    """All that was measured."""

    postgres: str
    hand_written: list[StoringResult]
    row_by_row: list[StoringResult]
    fetches: list[FetchResult]
    targets: list[Target]


def main() -> int:
    parser = benchmark_parser("ingest", __doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, 50 pages for 500")
    parser.add_argument("--smallest", action="store_true", help="one round, 5 pages")
    parser.add_argument("--json", action="store_true", help="one JSON document for the tables")
    arguments = parser.parse_args()
    size = SMALLEST if arguments.smallest else QUICK if arguments.quick else FULL
    report = _measure(size)
    if arguments.json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _show(report)
    return 0 if all(target.is_met for target in report.targets) else 1


def _measure(size: Size) -> Report:
    with running_server() as server:
        hand_written, row_by_row = asyncio.run(_compare(server, size))
        _say(f"Fetching 1 and {size.fetch_pages} pages …")
        fetches = measure_fetches(server, sizes=[1, size.fetch_pages], rounds=size.fetch_rounds)
        return Report(
            postgres=server.version(),
            hand_written=hand_written,
            row_by_row=row_by_row,
            fetches=fetches,
            targets=[
                *_storing_targets(hand_written),
                _row_by_row_target(row_by_row),
                _memory_target(*fetches),
            ],
        )


async def _compare(server: Server, size: Size) -> tuple[list[StoringResult], list[StoringResult]]:
    template = await preload(server)
    _say("Storing, beside SQL by hand …")
    hand_written = await compare_with_hand_written(
        server, template, rounds=size.rounds, pages=size.pages
    )
    _say("Storing, beside row by row …")
    row_by_row = await compare_with_row_by_row(server, template, rounds=size.row_by_row_rounds)
    return hand_written, row_by_row


def _storing_targets(results: list[StoringResult]) -> list[Target]:
    """Case by case, against the first peer."""
    return [
        Target(
            what=f"AdSpark / {peer.contender}, {case}",
            ratio=ours.rows_per_second / peer.rows_per_second,
            least=_LEAST_OF_HAND_WRITTEN,
        )
        for case, (ours, peer, *_) in _by_case(results).items()
    ]


def _row_by_row_target(results: list[StoringResult]) -> Target:
    """All cases together, against the first peer."""
    pairs = [(ours, peer) for ours, peer, *_ in _by_case(results).values()]
    return Target(
        what=f"AdSpark / {pairs[0][1].contender}, a page of each case",
        ratio=sum(peer.page_ms for _, peer in pairs) / sum(ours.page_ms for ours, _ in pairs),
        least=_LEAST_OF_ROW_BY_ROW,
    )


def _memory_target(one: FetchResult, many: FetchResult) -> Target:
    return Target(
        what=f"Peak RSS of {many.pages} pages / 1 page",
        ratio=many.peak_rss / one.peak_rss,
        most=_MOST_RSS,
    )


def _by_case(results: list[StoringResult]) -> dict[Case, list[StoringResult]]:
    """Each case's results, AdSpark first."""
    return {case: [result for result in results if result.case == case] for case in Case}


def _say(progress: str) -> None:
    sys.stderr.write(f"{progress}\n")


def _show(report: Report) -> None:
    console = make_console()
    console.print(_storing_table("Storing, beside SQL by hand", report.hand_written))
    console.print(_storing_table("Storing, beside row by row", report.row_by_row))
    console.print(_fetch_table(report.fetches))
    for target in report.targets:
        console.print(target.sentence)


def _storing_table(title: str, results: list[StoringResult]) -> Table:
    figures = ("ms", "client CPU ms", "round trips", "rows/s", "AdSpark is")
    title = f"{title}: a page of 100, medians of {results[0].pages}"
    table = make_table(title, ["page", "stored by"], figures)
    for case, (ours, *peers) in _by_case(results).items():
        for result in (ours, *peers):
            ratio = ours.rows_per_second / result.rows_per_second
            table.add_row(
                case if result is ours else "",
                result.contender,
                f"{result.page_ms:.2f}",
                f"{result.client_cpu_ms:.2f}",
                "?" if result.round_trips is None else str(result.round_trips),
                f"{result.rows_per_second:,.0f}",
                "" if result is ours else f"{ratio:.2f} × as fast",
                end_section=result is peers[-1],
            )
    return table


def _fetch_table(results: list[FetchResult]) -> Table:
    title = f"Whole fetches from the sandbox: fresh processes, medians of {results[0].runs}"
    figures = ("pages", "peak RSS MB", "Python heap grown MB", "pages/s", "rows/s",
               "client CPU ms a page")  # fmt: skip
    table = make_table(title, [], figures)
    for result in results:
        table.add_row(
            str(result.pages),
            f"{result.peak_rss / _MB:.1f}",
            f"{result.heap_growth / _MB:.2f}",
            f"{result.pages_per_second:.1f}",
            f"{result.rows_per_second:,.0f}",
            f"{result.client_cpu_ms_per_page:.1f}",
        )
    return table


if __name__ == "__main__":
    raise SystemExit(main())
