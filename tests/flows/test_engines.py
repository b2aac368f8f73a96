"""A flow run has one engine: its tasks share the flow's."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adspark.db.engine import Database
from flows.cleanup_old_creatives import cleanup_old_creatives
from flows.fetch_creatives import fetch_creatives
from flows.process_all_active_watches import process_all_active_watches
from flows.process_sweep_shard import process_sweep_shard
from flows.process_watch import process_watch
from tests.support.factories import ADVERTISER_ID
from tests.support.watching import Place

pytestmark = pytest.mark.usefixtures("environment")


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(lambda _: fetch_creatives(ADVERTISER_ID), id="fetch-creatives"),
        pytest.param(process_watch, id="process-watch"),
        pytest.param(lambda number: process_sweep_shard([number]), id="process-watches"),
        pytest.param(lambda _: process_all_active_watches(), id="process-all-active-watches"),
        pytest.param(lambda _: cleanup_old_creatives(), id="cleanup-old-creatives"),
    ],
)
async def test_a_run_makes_one_engine(
    run: Callable[[int], Awaitable[object]],
    database: Database,
    sandbox_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch_id = await Place(database, sandbox_url).add()
    made: list[AsyncEngine] = []

    def counted(*words: Any, **options: Any) -> AsyncEngine:  # noqa: ANN401
        made.append(create_async_engine(*words, **options))
        return made[-1]

    monkeypatch.setattr("adspark.db.engine.create_async_engine", counted)
    await run(watch_id)
    assert len(made) == 1
    assert made[0].pool.status().endswith("Current Checked out connections: 0")
