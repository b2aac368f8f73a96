"""A flow run has one engine: its tasks share the flow's."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adspark.db.engine import Database
from flows.cleanup_old_creatives import cleanup_old_creatives
from flows.fetch_creatives import fetch_creatives
from flows.generate_ad_variant import generate_ad_variant
from flows.generate_pending_variants import generate_pending_variants
from flows.process_all_active_watches import process_all_active_watches
from flows.process_sweep_shard import process_sweep_shard
from flows.process_watch import process_watch
from flows.send_digest import send_digest
from tests.support.factories import ADVERTISER_ID
from tests.support.watching import Place
from tests.support.workshop import Workshop

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[AsyncEngine]:
    """The engines that have been made since."""
    made: list[AsyncEngine] = []

    def counted(*words: Any, **options: Any) -> AsyncEngine:  # noqa: ANN401
        made.append(create_async_engine(*words, **options))
        return made[-1]

    monkeypatch.setattr("adspark.db.engine.create_async_engine", counted)
    return made


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(lambda _: fetch_creatives(ADVERTISER_ID), id="fetch-creatives"),
        pytest.param(process_watch, id="process-watch"),
        pytest.param(lambda number: process_sweep_shard([number]), id="process-sweep-shard"),
        pytest.param(lambda _: process_all_active_watches(), id="process-all-active-watches"),
        pytest.param(lambda _: cleanup_old_creatives(), id="cleanup-old-creatives"),
        pytest.param(lambda _: send_digest(even_if_empty=True), id="send-digest"),
        pytest.param(lambda _: generate_pending_variants(), id="generate-pending-variants"),
    ],
)
async def test_a_run_makes_one_engine(
    run: Callable[[int], Awaitable[object]],
    database: Database,
    sandbox_url: str,
    engines: list[AsyncEngine],
) -> None:
    watch_id = await Place(database, sandbox_url).add()
    engines.clear()
    await run(watch_id)
    assert len(engines) == 1
    assert engines[0].pool.status().endswith("Current Checked out connections: 0")


@pytest.mark.parametrize("wants_review", [False, True], ids=["plain", "with review"])
async def test_generating_a_variant_makes_one_engine(
    shop: Workshop, engines: list[AsyncEngine], wants_review: bool
) -> None:
    ad, *_ = await shop.stock()
    engines.clear()
    await generate_ad_variant(ad, "Red", 1, review=wants_review)
    assert len(engines) == 1


async def test_a_variant_that_was_cancelled_makes_one_engine(
    shop: Workshop, engines: list[AsyncEngine]
) -> None:
    ad, *_ = await shop.stock()
    (variant_id,) = await shop.request(ad, prompt="Red")
    await shop.cancel(variant_id)
    engines.clear()
    state = await generate_ad_variant(ad, "Red", 1, variant_id=variant_id, return_state=True)
    assert state.is_cancelled()
    assert len(engines) == 1
