"""`python -m benchmarks.export`: a library taken out in every format, and what memory that takes.

Each format is written in a process of its own, first a tenth of the ads, then all of them. CSV is
held against a bare COPY of the same columns by psycopg, turn about; every format's memory (the
highest RSS of the process) after all ads against that after a tenth of them. Exit code 1 says that
a target was missed.
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
from adspark.library.filters.definition import AdFilters
from adspark.media.store import MediaStore
from benchmarks.arguments import benchmark_parser
from benchmarks.library_workload import Workload
from benchmarks.server import Server, running_server
from benchmarks.targets import Target, judge

_ADS, _ROUNDS = 1_000_000, 3
_QUICK_ADS, _QUICK_ROUNDS = 2_000, 1
_MOST_TIME = 2.0
_MOST_GROWTH = 1.3  # from a tenth of the ads to all
_MB = 1024


def main() -> int:
    """Measure, print, and judge; with an address, be one of the processes."""
    parser = benchmark_parser("export", __doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 ads, one round")
    parser.add_argument("--export", nargs=3, metavar=("FEW_URL", "URL", "FILE"),
                        help=argparse.SUPPRESS)  # fmt: skip
    arguments = parser.parse_args()
    if arguments.export:
        sys.stdout.write(json.dumps(asyncio.run(_export(*arguments.export))))
        return 0
    ads, rounds = (_QUICK_ADS, _QUICK_ROUNDS) if arguments.quick else (_ADS, _ROUNDS)
    with running_server() as server, tempfile.TemporaryDirectory(prefix="adspark-") as folder:
        targets = _measure(server, Path(folder), ads, rounds)
    return judge(targets)


def _measure(server: Server, folder: Path, ads: int, rounds: int) -> list[Target]:
    few, many = server.clone(), server.clone()
    for name, number in ((few, ads // 10), (many, ads)):
        Workload(number).fill(server.url(name))
        server.settle(name)
    urls = (server.url(few), server.url(many))
    copy = asyncio.run(_bare_copy(urls[1]))
    bare, csv = list[float](), list[float]()
    for _ in range(rounds):
        bare.append(_copy(urls[1], copy, folder / "bare.csv"))
        found = _run(*urls, folder / "ads.csv")
        csv.append(found["seconds"])
    targets = [Target(what="CSV / bare COPY, seconds", ratio=min(csv) / min(bare), most=_MOST_TIME)]
    for one in Format:
        if one is not Format.CSV:
            found = _run(*urls, folder / f"ads{one}")
        Console().print(
            f"{one}: {ads:,} ads in {found['seconds']:.1f} s, {found['peak'] / _MB:.0f} MB "
            f"(after a tenth: {found['few'] / _MB:.0f} MB)"
        )
        what = f"Memory of {one}, all ads / a tenth"
        targets.append(Target(what=what, ratio=found["peak"] / found["few"], most=_MOST_GROWTH))
    return targets


def _run(few: str, many: str, file: Path) -> dict[str, float]:
    """Seconds of the export of all ads, and the process's highest RSS in kB after each."""
    command = [sys.executable, "-m", "benchmarks.export", "--export", few, many, str(file)]
    found: dict[str, float] = json.loads(subprocess.check_output(command))
    file.unlink()
    return found


async def _export(few: str, many: str, file: str) -> dict[str, float]:
    folder = Path(file).parent
    target = find_target(file, home=folder, base=folder)
    request = ExportRequest(replaces=True)
    peaks = list[float]()
    for url in (few, many):
        async with Database(url) as database:
            await database.check_server()
            began = time.perf_counter()
            await export_ads(database, MediaStore(str(folder / "media")), target, request)
            seconds = time.perf_counter() - began
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return {"seconds": seconds, "few": peaks[0], "peak": peaks[1]}


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
