"""`python -m benchmarks.dispatch`: from asking for a run to the first line of its flow.

AdSpark's worker against Prefect's own process worker with its settings as shipped, on one server in
one run, bytecode compiled for both. Each gets the same flow, one run after another, at moments that
are spread over the interval in which Prefect's worker asks for work. Beside that: how long a
cancellation takes to reach the flow, whose hooks run and whose time limit holds in both.
Exit code 1 says that it took more than a third of the time.
"""

import argparse
import asyncio
import importlib.util
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.flows import Flow
from prefect.states import Cancelling
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker
from rich.console import Console
from rich.table import Table

from benchmarks.stack import Stack, running_stack
from benchmarks.targets import Target
from deployments.operations.runs.active import has_worker

_MOST = 0.333
_SPREAD = 10.0  # seconds within which runs are asked for; the stock worker asks that often
_POOLS = {"stock": "stock", "adspark": "default"}
_FLOW = """
import asyncio, time
from pathlib import Path
from prefect import flow

def cancelled(flow, flow_run, state):
    Path(flow_run.parameters["file"] + ".hook").write_text(str(time.time()))

@flow(name="first-line", on_cancellation=[cancelled], timeout_seconds=8)
async def first_line(file: str, seconds: float = 0.0):
    Path(file).write_text(str(time.time()))
    await asyncio.sleep(seconds)
"""


@dataclass
class Place:
    """A server with a worker of each kind, and the flow deployed to both."""

    client: PrefectClient
    deployments: dict[str, UUID]
    folder: Path

    async def start(self, who: str, seconds: float = 0.0) -> tuple[FlowRun, Path, float]:
        """Ask for a run; returns it, the file of its first line, and when it was asked for."""
        file = self.folder / f"{who}-{time.time_ns()}"
        asked = time.time()
        run = await self.client.create_flow_run_from_deployment(
            self.deployments[who], parameters={"file": str(file), "seconds": seconds}
        )
        return run, file, asked

    async def until_ended(self, run: FlowRun) -> FlowRun:
        """The run at its end."""
        while not (run.state and run.state.is_final()):
            await asyncio.sleep(0.1)
            run = await self.client.read_flow_run(run.id)
        return run


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dispatch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=10, help="of each worker (default: 10)")
    arguments = parser.parse_args()
    with running_stack() as stack:
        seconds, kept = asyncio.run(_measure(stack, arguments.runs))
    targets = [
        Target(
            what="Seconds to the first line, AdSpark's worker / Prefect's (median)",
            ratio=statistics.median(seconds["adspark"]) / statistics.median(seconds["stock"]),
            most=_MOST,
        ),
    ]
    console = Console()
    table = Table("worker", "median s", "best s", "worst s", "cancelled after s", "hook", "limit")
    for who, measured in seconds.items():
        cells = (statistics.median(measured), min(measured), max(measured), kept[who].cancelling)
        words = (kept[who].hook, kept[who].limit)
        table.add_row(
            who, *(f"{one:.2f}" for one in cells), *("yes" if one else "NO" for one in words)
        )
    console.print(table)
    for target in targets:
        console.print(target.sentence)
    whole = all(one.hook and one.limit for one in kept.values())
    return 0 if whole and all(target.is_met for target in targets) else 1


@dataclass
class Kept:
    """What must not be lost: cancelling (seconds to its end), its hook, the time limit."""

    cancelling: float
    hook: bool
    limit: bool


async def _measure(stack: Stack, runs: int) -> tuple[dict[str, list[float]], dict[str, Kept]]:
    chance = random.Random(7)
    async with _place(stack) as place:
        seconds: dict[str, list[float]] = {who: [] for who in _POOLS}
        for _ in range(runs):
            for who, measured in seconds.items():
                await asyncio.sleep(chance.uniform(0.0, _SPREAD))
                run, file, asked = await place.start(who)
                await place.until_ended(run)
                measured.append(float(file.read_text()) - asked)
        return seconds, {who: await _look_at_the_rest(place, who) for who in _POOLS}


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
async def _place(stack: Stack) -> AsyncIterator[Place]:
    async with get_client() as client:
        stock = await _start_stock_worker(client, stack)
        yield Place(client, await _deploy(client, stack.home), stack.home)
        stock.terminate()


async def _start_stock_worker(client: PrefectClient, stack: Stack) -> subprocess.Popen[bytes]:
    """Prefect's worker for a pool as Prefect makes it."""
    template = ProcessWorker.get_default_base_job_template()
    pool = WorkPoolCreate(name=_POOLS["stock"], type="process", base_job_template=template)
    await client.create_work_pool(pool)
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", _POOLS["stock"]]
    with (stack.home / "stock.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=stack.environment, cwd=stack.home, stdout=log, stderr=log
        )
    while not await has_worker(_POOLS["stock"]):
        await asyncio.sleep(0.5)
    return process


async def _deploy(client: PrefectClient, home: Path) -> dict[str, UUID]:
    file = home / "code" / "first_line.py"
    file.parent.mkdir()
    file.write_text(_FLOW)
    spec = importlib.util.spec_from_file_location("first_line", file)
    if spec is None or spec.loader is None:
        raise RuntimeError("the flow cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    flow: Flow[..., None] = module.first_line
    flow_id = await client.create_flow(flow)
    return {
        who: await client.create_deployment(
            flow_id,
            who,
            work_pool_name=pool,
            path=str(file.parent),
            entrypoint="first_line.py:first_line",
            parameter_openapi_schema=parameter_schema(flow).model_dump(),
        )
        for who, pool in _POOLS.items()
    }


if __name__ == "__main__":
    sys.exit(main())
