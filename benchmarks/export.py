"""`python -m benchmarks.export`: a library taken out in every format, and what memory that takes.

Each export runs in a process of its own. CSV is held against a bare COPY of the same columns by
psycopg, turn about; every format's memory (the highest RSS of the process) at all ads against that
at a tenth of them. Exit code 1 says that a target was missed.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from rich.console import Console

from adspark.db.engine import Database
from adspark.export.columns import COLUMNS
from adspark.export.formats import Format
from adspark.export.reading import driver_statement
from adspark.export.run import ExportRequest, export_ads
from adspark.export.selection import Selection, select_ads
from adspark.export.target import find_target
from adspark.library.filters import AdFilters
from adspark.media.store import MediaStore
from benchmarks.arguments import benchmark_parser
from benchmarks.library_workload import Workload
from benchmarks.server import Server, running_server
from benchmarks.targets import Target

_ADS, _ROUNDS = 1_000_000, 3
_QUICK_ADS, _QUICK_ROUNDS = 2_000, 1
_MOST_TIME = 2.0
_MOST_GROWTH = 1.3  # from a tenth of the ads to all
_MB = 1024


def main() -> int:
    """Measure, print, and judge; with an address, be one of the processes."""
    parser = benchmark_parser("export", __doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 ads, one round")
    parser.add_argument("--export", nargs=2, metavar=("DATABASE_URL", "FILE"),
                        help=argparse.SUPPRESS)  # fmt: skip
    arguments = parser.parse_args()
    if arguments.export:
        sys.stdout.write(json.dumps(asyncio.run(_export(*arguments.export))))
        return 0
    ads, rounds = (_QUICK_ADS, _QUICK_ROUNDS) if arguments.quick else (_ADS, _ROUNDS)
    with running_server() as server, tempfile.TemporaryDirectory(prefix="adspark-") as folder:
        targets = _measure(server, Path(folder), ads, rounds)
    for target in targets:
        Console().print(target.sentence)
    return 0 if all(target.is_met for target in targets) else 1


def _measure(server: Server, folder: Path, ads: int, rounds: int) -> list[Target]:
    few, many = server.clone(), server.clone()
    for name, number in ((few, ads // 10), (many, ads)):
        Workload(number).fill(server.url(name))
        server.settle(name)
    url = server.url(many)
    copy = asyncio.run(_bare_copy(url))
    took: dict[str, list[float]] = {"bare": [], "csv": []}
    for _ in range(rounds):
        took["bare"].append(_copy(url, copy, folder / "bare.csv"))
        took["csv"].append(_run(url, folder / "ads.csv")["seconds"])
    what = "CSV / bare COPY, seconds"
    targets = [Target(what=what, ratio=min(took["csv"]) / min(took["bare"]), most=_MOST_TIME)]
    for one in Format:
        first = _run(server.url(few), folder / f"few{one}")
        last = _run(url, folder / f"many{one}")
        Console().print(
            f"{one}: {ads:,} ads in {last['seconds']:.1f} s, "
            f"{last['peak'] / _MB:.0f} MB (a tenth: {first['peak'] / _MB:.0f} MB)"
        )
        what = f"Memory of {one}, all ads / a tenth"
        ratio = last["peak"] / first["peak"]
        targets.append(Target(what=what, ratio=ratio, most=_MOST_GROWTH))
    return targets


def _run(url: str, file: Path) -> dict[str, float]:
    """Seconds of an export and the process's highest RSS in kB."""
    command = [sys.executable, "-m", "benchmarks.export", "--export", url, str(file)]
    found: dict[str, float] = json.loads(subprocess.check_output(command))
    file.unlink()
    return found


async def _export(url: str, file: str) -> dict[str, float]:
    folder = Path(file).parent
    target = find_target(file, home=folder, base=folder)
    async with Database(url) as database:
        await database.check_version()
        began = time.perf_counter()
        await export_ads(database, MediaStore(str(folder / "media")), target, ExportRequest())
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


async def _bare_copy(url: str) -> str:
    """The statement that a person would write: the same columns, in no order, nothing guarded."""
    columns = ", ".join(f"{one.value} AS {one.name}" for one in COLUMNS)
    async with Database(url) as database, database.session() as session:
        chosen = await select_ads(session, query="", filters=AdFilters())
        select = Selection(chosen.tables, "1").statement(columns).removesuffix(" ORDER BY 1")
        _, statement = await driver_statement(session, f"COPY ({select}) TO STDOUT (FORMAT csv)")
    return statement


def _copy(url: str, statement: str, file: Path) -> float:
    began = time.perf_counter()
    values = {"user_id": 1, "pictures": None}
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(statement, values) as copy,
        file.open("wb") as output,
    ):
        for row in copy:
            output.write(row)
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
