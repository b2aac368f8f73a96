"""`python -m benchmarks.limit`: how much of its rate limit AdSpark uses, and that it keeps it.

Two processes, three users each, take slots of one limit as fast as they get them, for ten windows.
The window is shortened from a minute to six seconds, so that a run takes one minute. Exit code 1
says that a window held more than the limit, or that less than 95 % of it were reached.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time

from adspark.db.engine import Database
from adspark.db.rate_limits import acquire_slot
from benchmarks.arguments import benchmark_parser
from benchmarks.server import running_server
from benchmarks.targets import Target, judge

_LIMIT = 10
_WINDOW = 6.0  # seconds
_WINDOWS = 10
_PROCESSES = 2
_USERS = 3
_LEAST = 0.95
_CLOCK_NOISE = 0.05  # seconds between the database's decision and the moment that a user notes


def main() -> int:
    """Measure, print, and judge; with an address, be one of the processes."""
    parser = benchmark_parser("limit", __doc__)
    parser.add_argument("--quick", action="store_true", help="two windows instead of ten")
    parser.add_argument("--use", metavar="DATABASE_URL", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.use:
        sys.stdout.write(json.dumps(asyncio.run(_use(arguments.use, arguments.seconds))))
        return 0
    windows = 2 if arguments.quick else _WINDOWS
    return judge(_targets_of(_measure(windows), windows))


def _measure(windows: int) -> list[float]:
    """The moments at which slots were taken, by anybody."""
    with running_server() as server:
        seconds = str(_WINDOW * windows)
        command = [sys.executable, "-m", "benchmarks.limit", "--seconds", seconds]
        processes = [
            subprocess.Popen([*command, "--use", server.url()], stdout=subprocess.PIPE, text=True)
            for _ in range(_PROCESSES)
        ]
        return sorted(
            moment for process in processes for moment in json.loads(process.communicate()[0])
        )


def _targets_of(moments: list[float], windows: int) -> list[Target]:
    within = [one for one in moments if one - moments[0] < _WINDOW * windows - _WINDOW / 2]
    most = max(
        sum(first <= one < first + _WINDOW - _CLOCK_NOISE for one in moments) for first in moments
    )
    return [
        Target(
            what=f"Slots taken in {windows} windows / allowed",
            ratio=len(within) / (_LIMIT * windows),
            least=_LEAST,
        ),
        Target(what="Most slots in any window / limit", ratio=most / _LIMIT, most=1.0),
    ]


async def _use(url: str, seconds: float) -> list[float]:
    """Take slots for so long, from the start of this process on."""
    until = time.time() + seconds
    moments: list[float] = []

    async def take() -> None:
        while time.time() < until:
            await acquire_slot(database, name="benchmark", limit=_LIMIT, window=_WINDOW)
            moments.append(time.time())

    async with Database(url) as database:
        await asyncio.gather(*(take() for _ in range(_USERS)))
    return moments


if __name__ == "__main__":
    raise SystemExit(main())
