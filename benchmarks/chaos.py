"""`python -m benchmarks.chaos`: how much is done while workers are killed and PostgreSQL restarts.

The same load twice on one stack, each time for the same minutes: 50 runs on each of four pools,
fetches, watches, variants and more watches. The first time nothing happens. The second time a
worker gets SIGKILL every few seconds, every second time with all its runs, and halfway PostgreSQL
is ended at once and started again. What is compared is effects a minute: pages stored, watches
saved, variants completed. Afterwards nothing may be left behind: every run is Completed, by itself
or, where it was killed too often to be run again by itself, after `adspark retry --all`; and what
SerpApi, Dify and the database have counted shows each effect once. Exit code 1 says that it does
not, or that less than 80 % of the effects were reached.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import psycopg
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.states import Scheduled

from adspark.db.embedded import postgres_folder
from adspark.home.running_stack import read_state
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from benchmarks.arguments import benchmark_parser
from benchmarks.stack import Stack, running_stack
from benchmarks.targets import Target, judge
from deployments.stack.local_stack import WORKERS
from flows.save_watch import save_watch

_PAGES = 3  # of a fetch
_ADS = 250  # of an advertiser, in as many pages
_DATABASE_PATIENCE = 120.0  # seconds for PostgreSQL to be there again
_LEAST = 0.8
_PEACE, _KILLS = "in peace", "under kills"


@dataclass(frozen=True)
class Size:
    """How much is done: runs of a pool and seconds of a phase, seconds between two deaths.

    Attributes:
        settling: seconds in which reconcile may put a crashed run back before it is done by hand.
        patience: seconds for the rest, once nobody is killed any more.
        phases: what is done, in this order.
    """

    each: int
    seconds: float
    every: tuple[float, float]
    latency: float
    generation: float
    settling: float = 60.0
    patience: float = 600.0
    phases: tuple[str, ...] = (_PEACE, _KILLS)

    @property
    def total(self) -> int:
        """Runs of a pool in all phases."""
        return len(self.phases) * self.each

    @property
    def advertisers(self) -> int:
        """Of all phases, and one whose ads are there from the start."""
        return self.total + 1


QUICK = Size(
    each=1,
    seconds=6.0,
    every=(1.5, 2.5),
    latency=0.1,
    generation=0.5,
    settling=3.0,
    patience=180.0,
    phases=(_KILLS,),
)


@dataclass
class Toll:
    """What was killed, and how the runs took it."""

    workers: int = 0
    runs: int = 0
    restarts: int = 0
    by_hand: int = 0


@dataclass
class Phase:
    """One time of the load: its runs at the end, effects a minute in its time, and how many seconds
    the rest took."""

    runs: list[FlowRun]
    a_minute: float
    waited: float


def main() -> int:
    """Do it, print, and judge."""
    parser = benchmark_parser("chaos", __doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of a phase (default: 10)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--quick", action="store_true", help="1 run of a pool, 6 s, with kills alone; no ratio"
    )
    arguments = parser.parse_args()
    size = Size(50, arguments.minutes * 60, (5.0, 15.0), latency=1.0, generation=4.0)
    size = QUICK if arguments.quick else size
    sandbox = SandboxSettings(
        generated_advertisers=size.advertisers,
        creatives_per_advertiser=_ADS,
        latency=size.latency,
        generation_seconds=size.generation,
    )
    with (
        serve(sandbox) as url,
        running_stack(
            ADSPARK_SERPAPI_URL=url,
            ADSPARK_SERPAPI_KEY="sandbox-key",
            ADSPARK_SEARCHES_PER_MINUTE="600",
            ADSPARK_DIFY_URL=f"{url}/v1",
            ADSPARK_DIFY_KEY="app-sandbox",
            ADSPARK_TRUSTED_HOSTS=url.removeprefix("http://"),
            ADSPARK_RETRY_DELAYS="2,4,8",
        ) as stack,
    ):
        asyncio.run(_pause_sweeps())
        stack.adspark("fetch", _advertiser(size.advertisers), "--max-pages", str(_PAGES), "--json")
        toll = Toll()
        print("the stack runs, and has its first ads", flush=True)
        phases = {
            name: asyncio.run(_carry_out(stack, size, name, toll, random.Random(arguments.seed)))
            for name in size.phases
        }
        effects = _count(stack, url, size)
    good = _report(size, toll, phases, effects)
    if arguments.quick:
        return 0 if good else 1
    quiet, chaos = phases[_PEACE].a_minute, phases[_KILLS].a_minute
    target = Target(
        what="Effects under kills / in peace", ratio=chaos / quiet if quiet else 0.0, least=_LEAST
    )
    print(f"effects a minute: {quiet:.1f} {_PEACE}, {chaos:.1f} {_KILLS}")
    return judge([target]) or int(not good)


async def _pause_sweeps() -> None:
    """Let no schedule sweep the watches, whose searches would be counted as well."""
    async with get_client() as client:
        sweep = "process-all-active-watches"
        found = await client.read_deployment_by_name(f"{sweep}/{sweep}")
        await client.pause_deployment(found.id)


def _report(
    size: Size, toll: Toll, phases: dict[str, Phase], effects: dict[str, tuple[int, int]]
) -> bool:
    """Print what was suffered and what came of it; returns whether all is there, and once."""
    print(f"workers: killed {toll.workers} times")
    print(f"PostgreSQL: ended {toll.restarts} times")
    print(f"runs that were killed with one: {toll.runs}; put back by hand: {toll.by_hand}")
    good = True
    for name, phase in phases.items():
        again = sum(run.run_count > 1 for run in phase.runs)
        states = dict(Counter(run.state_name for run in phase.runs))
        print(f"{name}: begun more than once: {again} of {len(phase.runs)} runs; "
              f"ended {phase.waited:.0f} s after its time: {states}")  # fmt: skip
        good = good and states == {"Completed": 4 * size.each}
    for what, (is_so, should) in effects.items():
        print(f"{'once' if is_so == should else 'WRONG':8}{what}: {is_so} (should be {should})")
        good = good and is_so == should
    return good


async def _carry_out(
    stack: Stack, size: Size, name: str, toll: Toll, chance: random.Random
) -> Phase:
    """Queue the load, do what is to be suffered for its time, and wait for the rest."""
    number = size.phases.index(name)
    tag = f"chaos-{number}"
    async with get_client() as client:
        before = await _effects(stack)
        await _queue(client, stack, size, number, tag)
        began = time.monotonic()
        if name == _KILLS:
            await _suffer(stack, size, toll, chance)
        await asyncio.sleep(max(0.0, began + size.seconds - time.monotonic()))
        effects = await _effects(stack) - before
        last = time.monotonic()
        a_minute = 60 * effects / (last - began)
        runs = await _read(client, tag)
        while any(not run.state or not run.state.is_completed() for run in runs):
            if time.monotonic() - last > size.patience:
                _print_unfinished(stack, runs)
                break
            are_over = all(run.state and run.state.is_final() for run in runs)
            if are_over and not await _is_settling(tag, size.settling):
                toll.by_hand += sum(not run.state.is_completed() for run in runs if run.state)
                stack.adspark("retry", "--all", "--yes")
            await asyncio.sleep(1.0)
            runs = await _read(client, tag)
        return Phase(runs, a_minute, time.monotonic() - last)


def _print_unfinished(stack: Stack, runs: list[FlowRun]) -> None:
    """What is left after all patience, and what the stack says of itself."""
    for run in runs:
        if run.state and not run.state.is_completed():
            print(f"left: {run.work_pool_name} {run.id} {run.state.name}: {run.state.message}")
    print(stack.adspark("status"), stack.log(), sep="\n", flush=True)


async def _suffer(stack: Stack, size: Size, toll: Toll, chance: random.Random) -> None:
    """Kill workers until the time is over, and once PostgreSQL."""
    began = time.monotonic()
    while True:
        pause = chance.uniform(*size.every)
        if time.monotonic() + pause > began + size.seconds:
            return
        await asyncio.sleep(pause)
        _kill(stack, chance, toll)
        if not toll.restarts and time.monotonic() > began + size.seconds / 3:
            _end_postgres(stack)
            toll.restarts += 1


def _end_postgres(stack: Stack) -> None:
    """End PostgreSQL at once, as a power cut would; the stack starts it again."""
    pid = (postgres_folder(stack.home) / "data" / "postmaster.pid").read_text().split()[0]
    os.kill(int(pid), signal.SIGQUIT)


async def _is_settling(tag: str, seconds: float) -> bool:
    """Give reconcile the time in which it would put a crashed run back."""
    await asyncio.sleep(seconds)
    async with get_client() as client:
        return any(not run.state or not run.state.is_final() for run in await _read(client, tag))


def _kill(stack: Stack, chance: random.Random, toll: Toll) -> None:
    """Kill the process of the workers, and half of the times a run of theirs with it."""
    state = read_state(stack.home)
    workers = state.parts[WORKERS].find() if state else None
    if workers is None:
        return
    runs = _runs_of(workers) if chance.random() < 0.5 else []
    for process in [*chance.sample(runs, min(1, len(runs))), workers]:
        process.kill()
    toll.workers += 1
    toll.runs += min(1, len(runs))


def _runs_of(worker: psutil.Process) -> list[psutil.Process]:
    """Its runs: what its forkserver has forked."""
    runs = []
    for one in worker.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if one.ppid() != worker.pid and "forkserver" in " ".join(one.cmdline()):
                runs.append(one)
    return runs


async def _queue(client: PrefectClient, stack: Stack, size: Size, phase: int, tag: str) -> None:
    """The runs for each pool, spread over the time."""
    watches = await client.create_deployment(
        await client.create_flow(save_watch),
        "maintenance",
        work_pool_name="maintenance",
        entrypoint="flows.save_watch.save_watch",
        pull_steps=[],
        tags=["adspark"],
    )
    named = {
        name: (await client.read_deployment_by_name(f"{name}/{name}")).id
        for name in ("fetch-creatives", "save-watch", "generate-ad-variant")
    }
    with psycopg.connect(stack.database_url) as connection:
        rows = connection.execute("SELECT ad_creative_id FROM creative ORDER BY 1").fetchall()
    for one in range(size.each):
        number = phase * size.each + one
        at = datetime.now(UTC) + timedelta(seconds=0.8 * size.seconds * one / size.each)
        fetch = {"advertiser_ids": [_advertiser(number + 1)], "max_pages": _PAGES}
        prompt = {"original_ad_id": rows[number][0], "prompt": f"variant {number}", "user_id": 1}
        for deployment, parameters in (
            (named["fetch-creatives"], fetch),
            (named["save-watch"], {"name": f"general {number}", "text": "example.com"}),
            (watches, {"name": f"maintenance {number}", "text": "example.com"}),
            (named["generate-ad-variant"], prompt),
        ):
            await client.create_flow_run_from_deployment(
                deployment, parameters=parameters, state=Scheduled(scheduled_time=at), tags=[tag]
            )


def _advertiser(number: int) -> str:
    return f"AR9{number:019d}"


async def _read(client: PrefectClient, tag: str) -> list[FlowRun]:
    wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[tag]))
    return [
        *await client.read_flow_runs(flow_run_filter=wanted, limit=200),
        *await client.read_flow_runs(flow_run_filter=wanted, limit=200, offset=200),
    ]


async def _effects(stack: Stack) -> int:
    """Pages stored, watches saved and variants completed until now."""
    deadline = time.monotonic() + _DATABASE_PATIENCE
    while True:
        try:
            return _count_effects(stack)
        except psycopg.OperationalError:  # PostgreSQL is about to start again
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.2)


def _count_effects(stack: Stack) -> int:
    with psycopg.connect(stack.database_url) as connection:
        row = connection.execute(
            'SELECT (SELECT coalesce(sum(pages), 0) FROM "fetch") + (SELECT count(*) FROM watch) '
            "+ (SELECT count(*) FROM ad_variant WHERE status = 'completed')"
        ).fetchone()
        return int(row[0]) if row else 0


def _count(stack: Stack, url: str, size: Size) -> dict[str, tuple[int, int]]:
    """What was done, and how much of it there should be."""
    pages, variants = size.advertisers * _PAGES, size.total
    stats = httpx.get(f"{url}/sandbox/stats", timeout=120).json()
    dify = httpx.get(f"{url}/sandbox/dify/stats", timeout=120).json()
    with psycopg.connect(stack.database_url) as connection:

        def number(query: str) -> int:
            row = connection.execute(query.encode()).fetchone()
            return int(row[0]) if row else 0

        return {
            "searches billed": (stats["billed"], pages),
            "searches in the ledger": (
                number('SELECT sum(searches_billed) FROM "fetch"'),
                pages,
            ),
            "ads": (number("SELECT count(*) FROM creative"), size.advertisers * _ADS),
            "watches": (number("SELECT count(*) FROM watch"), 2 * size.total),
            "variants": (number("SELECT count(*) FROM ad_variant"), variants),
            "completed variants": (
                number("SELECT count(*) FROM ad_variant WHERE status = 'completed'"),
                variants,
            ),
            "generations paid": (dify["paid"], variants),
        }


if __name__ == "__main__":
    sys.exit(main())
