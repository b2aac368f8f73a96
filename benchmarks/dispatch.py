"""`python -m benchmarks.dispatch`: from asking for a run to the first line of its flow.

Four workers on one server in one run, bytecode compiled for all: Prefect's process worker as
shipped, which polls every 10 s; the same, polling every second; the same, also woken by events
(`woken_probe`); and AdSpark's. So what polling costs and what starting an interpreter costs are
seen apart. Each gets the same flow, one run after another, at moments that are spread over the
longest interval. Beside that: the CPU that a worker takes at rest (AdSpark's process serves
four pools, the others one), how long a cancellation takes to
reach the flow, whose hooks run and whose time limit holds.
Exit code 1 says that AdSpark's took more than a third of the time of the one as shipped, or more
than half of the time of the one that is woken.
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelling
from prefect.workers.process import ProcessWorker
from rich.console import Console
from rich.table import Table

from adspark.home.running_stack import read_state
from benchmarks import woken_probe
from benchmarks.arguments import add_running_option, benchmark_parser
from benchmarks.first_line import deployed
from benchmarks.stack import Stack, stack_to_measure
from benchmarks.targets import Target, judge
from deployments.operations.runs.active import have_workers
from deployments.stack.local_stack import WORKERS

_MOST = {"stock": 0.333, "stock, woken": 0.5}  # share of their time
_OURS, _POOL = "adspark", "default"
_ATTEMPTS = 3
_STOCK = [sys.executable, "-m", "prefect", "worker", "start", "--pool"]


@dataclass(frozen=True)
class Peer:
    """A worker of Prefect's to be compared with.

    Attributes:
        pool: of its own.
        command: to which the pool is added.
        environment: more variables of its.
    """

    pool: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


_PEERS = {
    "stock": Peer("stock", _STOCK),
    "stock, 1 s": Peer("stock-1s", _STOCK, {"PREFECT_WORKER_QUERY_SECONDS": "1"}),
    "stock, woken": Peer("woken", [sys.executable, woken_probe.__file__]),
}


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        runs: of each worker.
        spread: seconds within which one is asked for; the worker as shipped polls that often.
        rest: seconds in which the workers' CPU at rest is measured.
        peers: which workers are compared with ours.
        is_full: whether a stock worker's cancelling and time limit are looked at beside ours.
    """

    runs: int
    spread: float = 10.0
    rest: float = 10.0
    peers: tuple[str, ...] = tuple(_PEERS)
    is_full: bool = True


QUICK = Size(runs=1, spread=0.0, rest=0.5, peers=("stock, woken",), is_full=False)


@dataclass
class Place:
    """A server with a worker of each kind, and the flow deployed to all of them."""

    client: PrefectClient
    deployments: dict[str, UUID]
    workers: dict[str, psutil.Process]
    folder: Path

    async def start(self, who: str, seconds: float = 0.0) -> tuple[FlowRun, Path, float]:
        """Ask for a run; returns it, the file of its first line, and when it was asked for."""
        file = self.folder / f"{who}-{time.time_ns()}"
        asked = time.time()
        run = await self.client.create_flow_run_from_deployment(
            self.deployments[who], parameters={"file": str(file), "seconds": seconds}
        )
        return run, file, asked

    async def seconds_to_first_line(self, who: str) -> float:
        """From asking for a run until its first line; a peer's run that does not complete is said
        and asked for again.

        Raises:
            RuntimeError: ours did not complete, or a peer's `_ATTEMPTS` times in a row.
        """
        for _ in range(1 if who == _OURS else _ATTEMPTS):
            run, file, asked = await self.start(who)
            ended = await self.until_ended(run)
            if ended.state_type is StateType.COMPLETED:
                return float(file.read_text()) - asked
            sys.stderr.write(f"{who}: the run ended as {ended.state!r}\n")
        raise RuntimeError(f"no run of {who} completed")

    async def until_ended(self, run: FlowRun) -> FlowRun:
        """The run at its end."""
        while not (run.state and run.state.is_final()):
            await asyncio.sleep(0.1)
            run = await self.client.read_flow_run(run.id)
        return run


def main() -> int:
    parser = benchmark_parser("dispatch", __doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each worker (default: 10)")
    parser.add_argument(
        "--quick", action="store_true", help="one run of each; the ratios are not judged"
    )
    add_running_option(parser)
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else Size(arguments.runs)
    with stack_to_measure(is_running=arguments.running) as stack:
        seconds, rest, kept = asyncio.run(_measure(stack, size))
    medians = {who: statistics.median(measured) for who, measured in seconds.items()}
    console = Console()
    table = Table(
        *("worker", "median s", "best s", "worst s", "CPU at rest", "cancelled after s"),
        *("hook", "limit"),
    )
    for who, measured in seconds.items():
        cells = [f"{one:.2f}" for one in (medians[who], min(measured), max(measured))]
        found = kept[who].cells if who in kept else []
        table.add_row(who, *cells, f"{rest[who]:.1%}", *found)
    console.print(table)
    whole = all(one.hook and one.limit for one in kept.values())
    if arguments.quick:
        return 0 if whole else 1
    targets = [
        Target(
            what=f"Seconds to the first line, AdSpark's worker / {who} (median)",
            ratio=medians[_OURS] / medians[who],
            most=most,
        )
        for who, most in _MOST.items()
    ]
    return judge(targets, console) or int(not whole)


@dataclass
class Kept:
    """What must not be lost: cancelling (seconds to its end), its hook, the time limit."""

    cancelling: float
    hook: bool
    limit: bool

    @property
    def cells(self) -> list[str]:
        """For the table."""
        words = ["yes" if one else "NO" for one in (self.hook, self.limit)]
        return [f"{self.cancelling:.2f}", *words]


async def _measure(
    stack: Stack, size: Size
) -> tuple[dict[str, list[float]], dict[str, float], dict[str, Kept]]:
    """Seconds to the first line, share of a core at rest, and what is kept, by worker."""
    chance = random.Random(7)
    async with _place(stack, size.peers) as place:
        rest = await _measure_rest(place.workers, size.rest)
        seconds: dict[str, list[float]] = {who: [] for who in place.deployments}
        for _ in range(size.runs):
            for who, measured in seconds.items():
                await asyncio.sleep(chance.uniform(0.0, size.spread))
                measured.append(await place.seconds_to_first_line(who))
        full = ["stock", _OURS] if size.is_full else [_OURS]
        return seconds, rest, {who: await _look_at_the_rest(place, who) for who in full}


async def _measure_rest(workers: dict[str, psutil.Process], seconds: float) -> dict[str, float]:
    """The share of a core that each worker takes while there is nothing to do."""
    before = {who: sum(worker.cpu_times()[:2]) for who, worker in workers.items()}
    await asyncio.sleep(seconds)
    return {
        who: (sum(worker.cpu_times()[:2]) - before[who]) / seconds
        for who, worker in workers.items()
    }


async def _look_at_the_rest(place: Place, who: str) -> Kept:
    run, file, _ = await place.start(who, seconds=300.0)
    while not file.exists():
        await asyncio.sleep(0.05)
    began = time.time()
    await place.client.set_flow_run_state(run.id, Cancelling())
    run = await place.until_ended(run)
    cancelling = time.time() - began
    late, _, _ = await place.start(who, seconds=300.0)
    late = await place.until_ended(late)
    return Kept(
        cancelling=cancelling,
        hook=run.state_type is StateType.CANCELLED and Path(f"{file}.hook").exists(),
        limit=late.state_name == "TimedOut",
    )


@asynccontextmanager
async def _place(stack: Stack, names: Sequence[str]) -> AsyncIterator[Place]:
    async with get_client() as client, AsyncExitStack() as started:
        peers = {name: _PEERS[name] for name in names}
        processes = await asyncio.gather(*(_start(client, stack, peer) for peer in peers.values()))
        workers = dict(zip(peers, processes, strict=True))
        for name, worker in workers.items():
            started.push_async_callback(client.delete_work_pool, peers[name].pool)
            started.callback(worker.terminate)
        state = read_state(stack.home)
        ours = state.parts[WORKERS].find() if state else None
        if ours is None:
            raise RuntimeError("AdSpark's workers do not run")
        pools = {who: peer.pool for who, peer in peers.items()} | {_OURS: _POOL}
        deployments = await started.enter_async_context(deployed(client, stack.home, pools))
        yield Place(client, deployments, {**workers, _OURS: ours}, stack.home)


async def _start(client: PrefectClient, stack: Stack, peer: Peer) -> psutil.Popen:
    """Prefect's worker for a pool as Prefect makes it."""
    template = ProcessWorker.get_default_base_job_template()
    await client.create_work_pool(
        WorkPoolCreate(name=peer.pool, type="process", base_job_template=template)
    )
    with (stack.home / f"{peer.pool}.log").open("wb") as log:
        process = psutil.Popen(
            [*peer.command, peer.pool], env=stack.environment | peer.environment,
            cwd=stack.home, stdout=log, stderr=log,
        )  # fmt: skip
    while not await have_workers([peer.pool]):
        await asyncio.sleep(0.5)
    return process


if __name__ == "__main__":
    sys.exit(main())
