"""`python -m benchmarks.runs`: the first start, runs a minute of a pool of two, and their cost.

Runs of a flow that does nothing go through the pool `default`: a batch that is all there is, then
one with others queued behind it, which are late already: the server records that once of each run,
and that takes as long whatever else it does. The pool is paused until all of a batch is queued.
What is reported: seconds of the stack's first start, and its memory then; runs a minute, between
the first lines of the first and of the last of a batch; seconds of CPU a run of each part of the
stack; and how long `adspark status` takes while the others wait.
Exit code 1 says that those which wait slowed the batch down to less than 0.8 times its speed.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from rich.console import Console
from rich.table import Table

from adspark.home.running_stack import read_state
from benchmarks.arguments import add_running_option, benchmark_parser
from benchmarks.first_line import deployed
from benchmarks.stack import ADSPARK, Stack, stack_to_measure
from benchmarks.targets import Target, judge
from orchestration.runs.flow_runs import count_runs, filter_runs

_POOL = "default"
_LEAST = 0.8  # share of the speed with none waiting
_LATE = filter_runs(states=["Late"])


@dataclass(frozen=True)
class Measured:
    """Of one batch of runs.

    Attributes:
        per_minute: first lines a minute.
        cpu: seconds a run, by part of the stack.
    """

    per_minute: float
    cpu: dict[str, float]


def main() -> int:
    parser = benchmark_parser("runs", __doc__)
    parser.add_argument("--runs", type=int, default=60, help="in a batch (default: 60)")
    parser.add_argument("--waiting", type=int, default=500, help="that wait (default: 500)")
    parser.add_argument("--quick", action="store_true", help="2 runs, 2 that wait; not judged")
    add_running_option(parser)
    arguments = parser.parse_args()
    runs, waiting = (2, 2) if arguments.quick else (arguments.runs, arguments.waiting)
    with stack_to_measure(is_running=arguments.running) as stack:
        processes, megabytes = stack.memory()
        alone, beside, status = asyncio.run(_measure(stack, runs, waiting))
    console = Console()
    first = f"First start: {stack.start:.1f} s; " if stack.start else ""
    console.print(f"{first}{processes} processes, {megabytes:.0f} MB (PSS)")
    table = Table("beside them wait", "runs a minute", "CPU s a run", "of it")
    for count, one in ((0, alone), (waiting, beside)):
        shares = ", ".join(f"{name} {spent:.2f}" for name, spent in one.cpu.items())
        table.add_row(str(count), f"{one.per_minute:.0f}", f"{sum(one.cpu.values()):.2f}", shares)
    console.print(table)
    console.print(f"adspark status with {waiting} waiting: {statistics.median(status):.2f} s")
    if arguments.quick:
        return 0
    target = Target(
        what=f"Runs a minute with {waiting} waiting / with none",
        ratio=beside.per_minute / alone.per_minute,
        least=_LEAST,
    )
    return judge([target], console)


async def _measure(stack: Stack, runs: int, waiting: int) -> tuple[Measured, Measured, list[float]]:
    """A batch alone, one while others wait, and seconds of each call of `adspark status`."""
    async with get_client() as client, deployed(client, stack.home, {_POOL: _POOL}) as made:
        deployment = made[_POOL]
        await _carry_out(client, deployment, stack, 2)  # what is loaded once is loaded
        alone = await _carry_out(client, deployment, stack, runs)
        beside = await _carry_out(client, deployment, stack, runs, waiting)
    return alone, beside, [_time_status(stack) for _ in range(1 if runs < 10 else 3)]


async def _carry_out(
    client: PrefectClient, deployment: UUID, stack: Stack, runs: int, waiting: int = 0
) -> Measured:
    """A batch, begun once all of it is queued; with others that wait, once all are late."""
    folder = stack.home / f"lines-{time.time_ns()}"
    folder.mkdir()
    await _set_paused(client, is_paused=True)
    for number in range(runs + waiting):
        file = str(folder / str(number))
        await client.create_flow_run_from_deployment(deployment, parameters={"file": file})
    while waiting and await count_runs(client, _LATE, _POOL) < runs + waiting:
        await asyncio.sleep(1)
    spent = _cpu(stack)
    await _set_paused(client, is_paused=False)
    while len(lines := _lines(folder)) < runs:
        await asyncio.sleep(0.2)
    now = _cpu(stack)
    now.subtract(spent)
    return Measured(
        per_minute=60 * (len(lines) - 1) / (lines[-1] - lines[0]),
        cpu={name: cpu / len(lines) for name, cpu in now.items() if cpu / len(lines) >= 0.005},
    )


async def _set_paused(client: PrefectClient, *, is_paused: bool) -> None:
    await client.update_work_pool(_POOL, WorkPoolUpdate(is_paused=is_paused))


def _lines(folder: Path) -> list[float]:
    """When the runs so far had their first line, in seconds since 1970."""
    return sorted(float(text) for one in folder.iterdir() if (text := one.read_text()))


def _cpu(stack: Stack) -> "Counter[str]":
    """Seconds of CPU so far, by part of the stack; of runs that have ended too."""
    state = read_state(stack.home)
    spent: Counter[str] = Counter()
    for name, process_id in state.parts.items() if state else ():
        if (process := process_id.find()) is None:
            continue
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # a run has ended; its parent has its time
                times = one.cpu_times()
                spent[name] += sum(times[:4]) if name == "workers" else sum(times[:2])  # type: ignore[assignment]
    return spent


def _time_status(stack: Stack) -> float:
    """Seconds of one call; it may exit with 1, for runs that wait are late."""
    began = time.monotonic()
    subprocess.run(
        [*ADSPARK, "status"], env=stack.environment, cwd=stack.home, check=False,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
