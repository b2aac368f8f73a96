"""The life of batches, in any order of acts: paid once, nothing lost, no budget exceeded.

A real database, and a generator that counts what it begins. A crash is an exception that nothing
catches, so that nothing is written after it, as after a kill.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import (
    AdSparkError,
    ChangedMeanwhileError,
    GenerationFailedError,
    InvalidQueryError,
    ServiceUnavailableError,
    UnknownVariantError,
)
from adspark.generators.base import Generated, GenerationObserver, GenerationRequest, RemoteRun
from adspark.media.paths import original_path
from adspark.media.store import MediaStore
from adspark.models import AdVariant, BatchState, VariantStatus
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.sandbox.control.pictures import draw_picture
from adspark.serpapi.client import no_gate
from adspark.variants.batches.lists import BatchSummary, read_batch
from adspark.variants.batches.plan import BatchRequest, check_batch, create_batch, plan_batch
from adspark.variants.batches.store import cancel_batch, set_paused
from adspark.variants.budget import BudgetOfUser, read_budget, set_budget
from adspark.variants.generate import GenerationDeps, claim_variant, generate, stop_generation
from adspark.variants.lists import read_open_variants
from adspark.variants.requests import VariantRequest, request_variants
from adspark.variants.state import VariantState, generation_key
from tests.support.variants_at_hand import AD, OTHER, THIRD, read, store_ads

PICTURE = draw_picture({"advertiser": "A", "ad_creative_id": AD, "format": "text"})
KEY = "0" * 64
MANNERS = ("well", "well", "failed", "refused", "crash before", "crash after")
USERS = count(1)


class Crash(BaseException):
    """The process is gone."""


class Service:
    """A generator that knows what it has begun by key; the next request meets `manner`."""

    hosts = ()

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.failed: set[str] = set()
        self.manner = "well"
        self.meanwhile: Coroutine[Any, Any, Any] | None = None

    async def check(self, prompt: str) -> None:
        """Every prompt will do."""

    async def generate(self, request: GenerationRequest, observer: GenerationObserver) -> Generated:
        if request.key not in self.begun:
            await self._begin(request, observer)
        await observer.on_accepted(RemoteRun(request.key))
        if request.key in self.failed:
            raise GenerationFailedError("It failed.")
        return Generated(f"Copy of {request.key}", None)

    async def _begin(self, request: GenerationRequest, observer: GenerationObserver) -> None:
        manner, self.manner = self.manner, "well"
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile
        await observer.on_submit()
        if manner == "refused":
            await observer.on_refused()
            raise ServiceUnavailableError("Busy.")
        if manner == "crash before":
            raise Crash
        self.begun[request.key] += 1
        if manner == "failed":
            self.failed.add(request.key)
        if manner == "crash after":
            raise Crash

    async def cancel(self, remote_run: RemoteRun | None, *, key: str) -> None:
        """What was begun stays paid."""

    async def __aenter__(self) -> "Service":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


class BatchLife(RuleBasedStateMachine):
    """Requests, works, pauses, resumes, cancels and retries in any order."""

    batches = Bundle("batches")

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = Database(url)
        self.media = MediaStore(str(folder))
        self.service = Service()
        self.user = next(USERS)
        self.budget: int | None = None
        self.numbers: list[int] = []
        self.retried: set[int] = set()  # by a person, whatever there is besides
        self.submitted_at_pause: dict[int, int] = {}
        self.do(self.database.__aenter__())

    def do(self, act: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
        return self.runner.run(act)

    def teardown(self) -> None:
        self.do(self.database.__aexit__(None, None, None))
        self.runner.close()

    @initialize(budget=st.one_of(st.none(), st.integers(0, 12)))
    def begin(self, budget: int | None) -> None:
        self.budget = budget
        self.do(self._begin())

    @rule(
        target=batches,
        ads=st.lists(st.sampled_from((AD, OTHER, THIRD)), min_size=1, max_size=3),
        prompts=st.lists(st.sampled_from(("Red", "Blue", "Cat")), min_size=1, max_size=3),
        at_once=st.integers(1, 3),
    )
    def request(self, ads: list[str], prompts: list[str], at_once: int) -> Any:  # noqa: ANN401
        """Several people of one account request the same at once."""
        request = check_batch(
            BatchRequest(ads=tuple(ads), prompts=tuple(prompts), user_id=self.user)
        )
        made = self.do(self._request(request, at_once))
        self.numbers += made
        return multiple(*made)

    @rule(prompt=st.sampled_from(("Red", "Dog")), at_once=st.integers(1, 3))
    def request_singly(self, prompt: str, at_once: int) -> None:
        self.do(self._request_singly(prompt, at_once))

    @rule(manner=st.sampled_from(MANNERS), which=st.integers(0, 30))
    def work(self, manner: str, which: int) -> None:
        self.do(self._work(manner, which))

    @rule(what=st.sampled_from(("pause", "cancel")), which=st.integers(0, 30))
    def work_while(self, what: str, which: int) -> None:
        """Somebody pauses or cancels the batch right before the generation is submitted."""
        self.do(self._work("well", which, what))

    @rule(batch=batches)
    def pause(self, batch: int) -> None:
        self.do(self._pause(batch))

    @rule(batch=batches)
    def resume(self, batch: int) -> None:
        with suppress(UnknownVariantError):
            self.do(self._change(batch, is_paused=False))
        self.submitted_at_pause.pop(batch, None)

    @rule(batch=batches)
    def cancel(self, batch: int) -> None:
        self.do(self._cancel(batch))

    @rule(which=st.integers(0, 30))
    def retry(self, which: int) -> None:
        self.do(self._retry(which))

    @rule()
    def settle(self) -> None:
        """With everything going on, every variant of a batch ends."""
        self.do(self._settle())

    @invariant()
    def what_is_promised_holds(self) -> None:
        self.do(self._check())

    async def _begin(self) -> None:
        async with self.database.session() as session:
            await store_ads(session)
            await set_budget(session, user_id=self.user, monthly=self.budget)
            await session.commit()
        await self.media.save_original(KEY, PICTURE)

    async def _request(self, request: BatchRequest, at_once: int) -> list[int]:
        made = await asyncio.gather(*(self._create(request) for _ in range(at_once)))
        return [one for one in made if one is not None]

    async def _create(self, request: BatchRequest) -> int | None:
        async with self.database.session() as session:
            plan = await plan_batch(session, request)
            with suppress(InvalidQueryError, ChangedMeanwhileError):
                made = await create_batch(session, request, key=uuid4(), confirmed=plan.generations)
                await session.commit()
                return made
        return None

    async def _request_singly(self, prompt: str, at_once: int) -> None:
        async def act() -> None:
            wanted = VariantRequest(original_ad_id=AD, prompt=prompt, user_id=self.user)
            async with self.database.session() as session:
                with suppress(InvalidQueryError):
                    await request_variants(session, requests=[wanted])
                    await session.commit()

        await asyncio.gather(*(act() for _ in range(at_once)))

    async def _work(self, manner: str, which: int, what: str | None = None) -> None:
        """A worker takes up one of those that `generate-pending-variants` would start."""
        async with self.database.session() as session:
            opened = await read_open_variants(session)
        mine = [one.id for one in opened if await self._is_mine(one.id)]
        if not mine:
            return
        variant_id = mine[which % len(mine)]
        batch = (await self._row(variant_id)).batch_id
        self.service.manner = manner
        if what is not None and batch is not None:
            self.service.meanwhile = self._pause(batch) if what == "pause" else self._cancel(batch)
        with suppress(AdSparkError, Crash):
            await self._make(variant_id)
        if self.service.meanwhile is not None:
            self.service.meanwhile.close()
            self.service.meanwhile = None
        self.service.manner = "well"

    async def _make(self, variant_id: int) -> None:
        claim = claim_variant(self.database, variant_id, flow_run_id=None, generator="dify")
        async with claim as variant, Downloader(AddressRules()) as downloader:
            async with self.database.session() as session:
                await VariantState(session, variant).save_original(
                    path=original_path(KEY), sha256=KEY
                )
                await session.commit()
            deps = GenerationDeps(
                database=self.database,
                media=self.media,
                generator=self.service,
                downloader=downloader,
                too_close=0.9,
                gate=no_gate,
                progress=_say_nothing,
            )
            await generate(deps, variant_id=variant_id)

    async def _pause(self, batch: int) -> None:
        with suppress(UnknownVariantError):
            if await self._change(batch, is_paused=True):
                self.submitted_at_pause[batch] = await self._begun_of(batch)

    async def _change(self, batch: int, *, is_paused: bool) -> bool:
        async with self.database.session() as session:
            changed = await set_paused(session, batch_id=batch, is_paused=is_paused)
            await session.commit()
            return changed

    async def _cancel(self, batch: int) -> None:
        is_open = (await self._batch(batch)).open > 0
        async with self.database.session() as session:
            ended = await cancel_batch(session, batch_id=batch)
            await session.commit()
        assert (ended.variants > 0) is is_open
        self.submitted_at_pause.pop(batch, None)
        for variant_id in ended.submitted:
            await stop_generation(self.database, lambda _: self.service, variant_id=variant_id)
        assert (await self._batch(batch)).open == 0

    async def _retry(self, which: int) -> None:
        ended = [
            row.id
            for row in await self._rows()
            if row.status in (VariantStatus.FAILED, VariantStatus.CANCELLED)
        ]
        if not ended:
            return
        row = await self._row(ended[which % len(ended)])
        async with self.database.session() as session:
            with suppress(InvalidQueryError):
                await VariantState(session, row).retry()
                await session.commit()
                self.retried.add(row.id)

    async def _settle(self) -> None:
        for batch in self.numbers:
            if (await self._batch(batch)).state is BatchState.PAUSED:
                await self._change(batch, is_paused=False)
                self.submitted_at_pause.pop(batch, None)
        for row in await self._rows():
            if row.status in (VariantStatus.PENDING, VariantStatus.PROCESSING):
                with suppress(GenerationFailedError):
                    await self._make(row.id)
        for batch in self.numbers:
            assert (await self._batch(batch)).open == 0

    async def _check(self) -> None:
        assert max(self.service.begun.values(), default=0) <= 1, "a generation was paid twice"
        rows = await self._rows()
        wanted = Counter(
            (row.original_ad_id, row.prompt)
            for row in rows
            if row.batch_id is not None
            and row.status not in (VariantStatus.FAILED, VariantStatus.CANCELLED)
            and row.id not in self.retried
        )
        assert max(wanted.values(), default=0) <= 1, "two batches requested the same"
        for row in rows:
            if row.status is VariantStatus.COMPLETED:
                assert row.description == f"Copy of {generation_key(row)}"
        for batch, number in self.submitted_at_pause.items():
            assert await self._begun_of(batch) == number, "a paused batch went on"
        budget = await self._budget()
        assert budget.used >= self.service.begun.total()
        if self.budget is not None:
            assert budget.used + budget.reserved <= self.budget, "the budget is exceeded"

    async def _begun_of(self, batch: int) -> int:
        tokens = [
            f"adspark-{row.token.hex}-" for row in await self._rows() if row.batch_id == batch
        ]
        return sum(any(key.startswith(one) for one in tokens) for key in self.service.begun)

    async def _budget(self) -> BudgetOfUser:
        async with self.database.session() as session:
            return await read_budget(session, user_id=self.user)

    async def _batch(self, batch: int) -> BatchSummary:
        async with self.database.session() as session:
            return await read_batch(session, batch_id=batch)

    async def _is_mine(self, variant_id: int) -> bool:
        return (await self._row(variant_id)).user_id == self.user

    async def _row(self, variant_id: int) -> AdVariant:
        async with self.database.session() as session:
            return await read(session, variant_id)

    async def _rows(self) -> list[AdVariant]:
        async with self.database.session() as session:
            ids = await session.scalars(
                text("SELECT id FROM ad_variant WHERE user_id = :user ORDER BY id"),
                {"user": self.user},
            )
            return [await read(session, one) for one in list(ids)]


async def _say_nothing(_done: float, _doing: str) -> None:
    """Progress is not what this is about."""


def test_whatever_happens_to_batches_each_variant_is_paid_once_and_none_is_lost(
    database_url: str, tmp_path: Path
) -> None:
    class Life(BatchLife):
        def __init__(self) -> None:
            super().__init__(database_url, tmp_path / "media")

    run_state_machine_as_test(Life)
