"""`python -m benchmarks.batch`: a batch of 200 while everything goes wrong; each paid once.

Four workers make the variants of one batch, by the functions that the flow calls, on the sandbox
with every fault of Dify at 10 %. Every second or two one of them gets SIGKILL, and another takes
its place. When a third has ended the batch is paused, and goes on a while later. At the end every
variant has ended; Dify was paid as often as variants completed or failed there, for none twice; the
user's budget, which is the size of the batch, says the same; and every completed variant was
checked by every brand rule. Exit code 1 says that it is not so.
"""

import asyncio
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.rules.store import save_rules
from adspark.sandbox.control.pictures import draw_picture
from adspark.sandbox.dify.faults import DifyFault, DifyFaultKind
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.serpapi.client import SerpApiClient
from adspark.serpapi.search_query import parse_query
from adspark.variants.batches.lists import BatchSummary, read_batch
from adspark.variants.batches.plan import BatchRequest, check_batch, create_batch
from adspark.variants.batches.store import set_paused
from adspark.variants.budget import read_budget, set_budget
from benchmarks.arguments import benchmark_parser
from benchmarks.batch_probe import ORIGINAL, Place, work
from benchmarks.server import running_server

_USER = 1
_CHANCE = 0.1  # of each fault
_SECONDS = {
    DifyFaultKind.LATE_FIRST_EVENT: 1.5,
    DifyFaultKind.SILENCE: 1.5,
    DifyFaultKind.SLOW: 0.5,
}
"""How long those faults last that do: as long as a worker's patience, and longer."""

# None is about the words of a picture: a worker that is killed each few seconds cannot read them.
_RULES = "tone_words: [red]\npicture_sizes: ['1:1']\ntoo_close: 0.99\n"
_CHECKED = text("""
    SELECT count(*) FROM ad_variant
    WHERE status = 'completed' AND jsonb_array_length(rule_check->'verdicts') = :rules
""")


@dataclass(frozen=True)
class Size:
    """How much is done; seconds between two deaths, of the pause, and for all of it."""

    ads: int
    prompts: int
    workers: int
    every: tuple[float, float]
    pause: float
    patience: float

    @property
    def variants(self) -> int:
        """Of the batch."""
        return self.ads * self.prompts


FULL = Size(ads=40, prompts=5, workers=4, every=(1.0, 2.0), pause=3.0, patience=900.0)
QUICK = Size(ads=4, prompts=3, workers=2, every=(1.0, 2.0), pause=1.0, patience=120.0)


@dataclass
class Course:
    """How it went.

    Attributes:
        submitted_paused: generations that were submitted while the batch was paused.
    """

    kills: int = 0
    submitted_paused: int = 0
    seconds: float = 0.0


def main() -> int:
    """Do it, print, and judge."""
    parser = benchmark_parser("batch", __doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="12 variants, two workers")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    settings = SandboxSettings(
        generated_advertisers=1,
        creatives_per_advertiser=size.ads,
        generation_seconds=0.1,
        ping_every=0.2,
        seed=arguments.seed,
        dify_faults=tuple(
            DifyFault(kind=kind, probability=_CHANCE, seconds=_SECONDS.get(kind))
            for kind in DifyFaultKind
        ),
    )
    with (
        running_server() as server,
        serve(settings) as url,
        tempfile.TemporaryDirectory(prefix="adspark-batch-") as media,
    ):
        place = Place(server.url(server.clone()), url, media)
        batch_id = asyncio.run(_request(place, size))
        course = asyncio.run(_carry_out(place, size, batch_id, random.Random(arguments.seed)))
        return asyncio.run(_judge(place, size, batch_id, course))


async def _request(place: Place, size: Size) -> int:
    """Store the ads, and request the batch within a budget of its size."""
    query, _ = parse_query(advertiser_ids=f"AR9{1:019d}")
    async with SerpApiClient(SecretStr("sandbox-key"), base_url=place.sandbox_url) as client:
        rows = (await client.fetch_page(query)).rows
    drawn: dict[str, str | int] = {
        "advertiser": "A",
        "ad_creative_id": rows[0].ad_creative_id,
        "format": "text",
    }
    await MediaStore(place.media).save_original(ORIGINAL, draw_picture(drawn))
    ads = tuple(row.ad_creative_id for row in rows[: size.ads])
    prompts = tuple(f"Make it number {number}" for number in range(size.prompts))
    request = check_batch(BatchRequest(ads=ads, prompts=prompts, user_id=_USER))
    async with Database(place.database_url) as database, database.session() as session:
        await save_creatives(session, rows=rows)
        await set_budget(session, user_id=_USER, monthly=size.variants)
        await save_rules(session, written=_RULES, user_id=None)
        made = await create_batch(session, request, key=uuid4(), confirmed=size.variants)
        await session.commit()
    return made


async def _carry_out(place: Place, size: Size, batch_id: int, chance: random.Random) -> Course:
    """Work, kill and pause until every variant has ended, or patience has."""
    course, began = Course(), time.monotonic()
    death = began + chance.uniform(*size.every)
    was_paused = False
    async with Database(place.database_url) as database:
        with closing(_Workers(place, size.workers)) as workers:
            while True:
                batch = await _read(database, batch_id)
                now = time.monotonic()
                if not batch.open or now - began > size.patience:
                    break
                if now > death:
                    workers.kill(chance.randrange(size.workers))
                    course.kills += 1
                    death = now + chance.uniform(*size.every)
                if not was_paused and batch.variants - batch.open >= size.variants / 3:
                    was_paused = True
                    course.submitted_paused = await _pause(database, batch_id, size.pause)
                await asyncio.sleep(0.05)
    course.seconds = time.monotonic() - began
    return course


async def _pause(database: Database, batch_id: int, seconds: float) -> int:
    """Pause it for so long; returns how many generations were submitted meanwhile."""
    async with database.session() as session, session.begin():
        await set_paused(session, batch_id=batch_id, is_paused=True)
    before = await _submitted(database)
    await asyncio.sleep(seconds)
    after = await _submitted(database)
    async with database.session() as session, session.begin():
        await set_paused(session, batch_id=batch_id, is_paused=False)
    return len(after - before)


async def _submitted(database: Database) -> set[object]:
    """The times at which generations were submitted."""
    async with database.session() as session:
        rows = await session.execute(text("SELECT variant_id, used_at FROM generation_use"))
        return {tuple(row) for row in rows}


async def _read(database: Database, batch_id: int) -> BatchSummary:
    async with database.session() as session:
        return await read_batch(session, batch_id=batch_id)


class _Workers:
    """Processes that work, each with a number; a killed one is replaced."""

    def __init__(self, place: Place, number: int) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["benchmarks.batch_probe"])
        self._place = place
        self._processes = [self._start(one) for one in range(number)]

    def kill(self, number: int) -> None:
        """SIGKILL one, and start another."""
        self._end(self._processes[number])
        self._processes[number] = self._start(number)

    def close(self) -> None:
        """SIGKILL them all."""
        for process in self._processes:
            self._end(process)

    def _start(self, number: int) -> ForkServerProcess:
        process = self._context.Process(target=work, args=(self._place, number))
        process.start()
        return process

    @staticmethod
    def _end(process: ForkServerProcess) -> None:
        process.kill()
        process.join()


async def _judge(place: Place, size: Size, batch_id: int, course: Course) -> int:
    """Print what came of it; returns the exit code."""
    async with Database(place.database_url) as database, database.session() as session:
        batch = await read_batch(session, batch_id=batch_id)
        budget = await read_budget(session, user_id=_USER)
        rows = await session.execute(
            text("SELECT error_kind, count(*) FROM ad_variant WHERE status = 'failed' GROUP BY 1")
        )
        causes = dict(rows.tuples().all())
        checked = await session.scalar(_CHECKED, {"rules": len(_RULES.splitlines())})
    async with httpx.AsyncClient(timeout=60) as client:
        dify = (await client.get(f"{place.sandbox_url}/sandbox/dify/stats")).json()
    print(f"{batch.headline}; {course.seconds:.0f} s; workers killed: {course.kills}")
    print(f"failed by cause: {causes}; paid: {dify['paid']}, failed at Dify: {dify['failed']}")
    most = max(Counter(dify["by_user"]).values(), default=0)
    effects = {
        "variants that have ended": (batch.variants - batch.open, size.variants),
        "generations paid": (dify["paid"], batch.completed + dify["failed"]),
        "generations of one variant, at most": (most, 1),
        "generations in the budget": (budget.used, dify["paid"]),
        "generations submitted while it was paused": (course.submitted_paused, 0),
        "completed variants checked by every rule": (checked, batch.completed),
        "left running at Dify": (dify["running"], 0),
    }
    for what, (is_so, should) in effects.items():
        print(f"{'good' if is_so == should else 'WRONG':8}{what}: {is_so} (should be {should})")
    return 0 if all(is_so == should for is_so, should in effects.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
