"""`python -m benchmarks.chaos`: 200 runs on four pools, while workers are killed at random.

Fetches, watches, variants and more watches are queued, spread over the time. Every few seconds a
worker gets SIGKILL, every second time with all its runs. Afterwards nothing may be left behind:
every run is Completed, by itself or, where it was killed too often to be run again by itself, after
`adspark retry --all`; and what SerpApi, Dify and the database have counted shows each effect once.
Exit code 1 says that it does not.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import psycopg
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.states import Scheduled

from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from benchmarks.stack import Stack, running_stack
from deployments.queue_classes import QUEUE_CLASSES
from deployments.stack_state import StackState
from flows.save_watch import save_watch

_EACH = 50  # runs of a pool
_PAGES = 3  # of a fetch
_ADS = 250  # of an advertiser, in as many pages
_EVERY = (5.0, 15.0)  # seconds between two deaths
_PATIENCE = 600.0  # seconds for the rest, once nobody is killed any more
_TAG = "chaos"


@dataclass
class Toll:
    """What was killed, and how the runs took it."""

    workers: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    by_hand: int = 0


def main() -> int:
    """Do it, print, and judge."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="of killing (default: 10)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sandbox = SandboxSettings(
        generated_advertisers=_EACH,
        creatives_per_advertiser=_ADS,
        latency=1.0,
        generation_seconds=4.0,
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
        stack.adspark("fetch", f"AR9{1:019d}", "--max-pages", str(_PAGES), "--json")
        toll, runs, waited = asyncio.run(_suffer(stack, arguments.minutes * 60, arguments.seed))
        effects = _count(stack, url)
    for pool, killed in sorted(toll.workers.items()):
        print(f"worker {pool}: killed {killed} times")
    print(f"runs that were killed with one: {toll.runs}; put back by hand: {toll.by_hand}")
    print(f"begun more than once: {sum(run.run_count > 1 for run in runs)} of {len(runs)} runs")
    states = dict(Counter(run.state_name for run in runs))
    print(f"ended {waited:.0f} s after the last death: {states}")
    good = all(run.state_name == "Completed" for run in runs)
    for what, (is_so, should) in effects.items():
        print(f"{'once' if is_so == should else 'WRONG':8}{what}: {is_so} (should be {should})")
        good = good and is_so == should
    return 0 if good else 1


async def _suffer(stack: Stack, seconds: float, seed: int) -> tuple[Toll, list[FlowRun], float]:
    toll = Toll()
    chance = random.Random(seed)
    async with get_client() as client:
        await _queue(client, stack, seconds)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(chance.uniform(*_EVERY))
            _kill(stack, chance, toll)
        last = time.monotonic()
        runs = await _read(client)
        while any(not run.state or not run.state.is_completed() for run in runs):
            if time.monotonic() - last > _PATIENCE:
                break
            if all(run.state and run.state.is_final() for run in runs) and not await _is_settling():
                toll.by_hand += sum(not run.state.is_completed() for run in runs if run.state)
                stack.adspark("retry", "--all", "--yes")
            await asyncio.sleep(2.0)
            runs = await _read(client)
        return toll, runs, time.monotonic() - last


async def _is_settling() -> bool:
    """Give reconcile the time in which it would put a crashed run back."""
    await asyncio.sleep(60.0)
    async with get_client() as client:
        return any(not run.state or not run.state.is_final() for run in await _read(client))


def _kill(stack: Stack, chance: random.Random, toll: Toll) -> None:
    pool = chance.choice(QUEUE_CLASSES).name
    state = StackState.model_validate_json((stack.home / "stack.json").read_text())
    worker = state.parts[f"worker {pool}"].find()
    if worker is None:
        return
    runs = _runs_of(worker) if chance.random() < 0.5 else []
    for process in [*runs, worker]:
        process.kill()
    toll.workers[pool] += 1
    toll.runs += len(runs)


def _runs_of(worker: psutil.Process) -> list[psutil.Process]:
    """Its runs: what its forkserver has forked."""
    runs = []
    for one in worker.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if one.ppid() != worker.pid and "forkserver" in " ".join(one.cmdline()):
                runs.append(one)
    return runs


async def _queue(client: PrefectClient, stack: Stack, seconds: float) -> None:
    """Fifty runs for each pool, spread over the time."""
    with psycopg.connect(stack.database_url) as connection:
        rows = connection.execute("SELECT ad_creative_id FROM creative ORDER BY 1").fetchall()
    watches = await client.create_deployment(
        await client.create_flow(save_watch),
        "maintenance",
        work_pool_name="maintenance",
        entrypoint="flows.save_watch.save_watch",
        pull_steps=[],
        tags=["adspark"],
    )
    named = {
        name: (await client.read_deployment_by_name(f"{name}/adspark")).id
        for name in ("fetch-creatives", "save-watch", "generate-ad-variant")
    }
    for number in range(_EACH):
        advertiser = f"AR9{number + 1:019d}"
        at = datetime.now(UTC) + timedelta(seconds=0.8 * seconds * number / _EACH)
        for deployment, parameters in (
            (named["fetch-creatives"], {"advertiser_ids": [advertiser], "max_pages": _PAGES}),
            (named["save-watch"], {"name": f"general {number}", "text": "example.com"}),
            (watches, {"name": f"maintenance {number}", "text": "example.com"}),
            (
                named["generate-ad-variant"],
                {"original_ad_id": rows[number][0], "prompt": f"variant {number}", "user_id": 1},
            ),
        ):
            await client.create_flow_run_from_deployment(
                deployment, parameters=parameters, state=Scheduled(scheduled_time=at), tags=[_TAG]
            )


async def _read(client: PrefectClient) -> list[FlowRun]:
    wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[_TAG]))
    return [
        *await client.read_flow_runs(flow_run_filter=wanted, limit=200),
        *await client.read_flow_runs(flow_run_filter=wanted, limit=200, offset=200),
    ]


def _count(stack: Stack, url: str) -> dict[str, tuple[int, int]]:
    """What was done, and how much of it there should be."""
    stats = httpx.get(f"{url}/sandbox/stats").json()
    dify = httpx.get(f"{url}/sandbox/dify/stats").json()
    with psycopg.connect(stack.database_url) as connection:

        def number(query: str) -> int:
            row = connection.execute(query.encode()).fetchone()
            return int(row[0]) if row else 0

        return {
            "searches billed": (stats["billed"], _EACH * _PAGES),
            "searches in the ledger": (
                number('SELECT sum(searches_billed) FROM "fetch"'),
                _EACH * _PAGES,
            ),
            "ads": (number("SELECT count(*) FROM creative"), _EACH * _ADS),
            "watches": (number("SELECT count(*) FROM watch"), 2 * _EACH),
            "variants": (number("SELECT count(*) FROM ad_variant"), _EACH),
            "completed variants": (
                number("SELECT count(*) FROM ad_variant WHERE status = 'completed'"),
                _EACH,
            ),
            "generations paid": (dify["paid"], _EACH),
        }


if __name__ == "__main__":
    sys.exit(main())
