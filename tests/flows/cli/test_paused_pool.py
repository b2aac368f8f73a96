"""Whoever starts variants, or waits for a run, is told that its pool is paused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.settings import PREFECT_API_URL
from prefect.states import Scheduled

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from deployments.cli.runs.follow import Event, follow_run
from deployments.operations.pools import pause, resume
from tests.support.commanding import Command
from tests.support.factories import creative
from tests.support.library import ad
from tests.support.queued import open_generations, queue

POOL = "ai-generation"
SAID = f"Pool {POOL} is paused; resume it with: adspark resume {POOL}"
batch, variant = Command("batch", columns=200), Command("variant", columns=200)


@pytest.fixture
async def paused(
    environment: pytest.MonkeyPatch, database: Database
) -> AsyncIterator[PrefectClient]:
    """A server whose pool of generations is paused, and two ads; no worker."""
    async with database.session() as session:
        await save_creatives(session, rows=[creative(1), creative(2)])
        await session.commit()
    environment.setenv("PREFECT_API_URL", PREFECT_API_URL.value() or "")
    async with open_generations() as (client, _):
        await pause(client, POOL)
        yield client


async def test_a_request_and_a_batch_say_that_the_pool_is_paused_and_foretell_nothing(
    paused: PrefectClient,
) -> None:
    requested = await asyncio.to_thread(variant.run, "request", ad(1), "-p", "Red")
    assert "Requested 1, queued" in requested.stdout
    assert SAID in requested.stderr

    made = await asyncio.to_thread(batch.run, "create", ad(1), ad(2), "-p", "Blue", "--yes")
    assert SAID in made.stdout
    assert "Requested batch 1: claimed once its pool is resumed" in made.stdout
    shown = await asyncio.to_thread(batch.run, "show", "1")
    assert SAID in shown.stdout
    for text in (made.stdout, shown.stdout):
        assert "At least" not in text
        assert "About" not in text
    given = await asyncio.to_thread(batch.given, "show", "1")
    assert given["forecast"]["seconds"] is None
    assert given["forecast"]["limits"]["paused_pool"] == POOL
    assert SAID in (await asyncio.to_thread(batch.run, "resume", "1")).stderr

    await resume(paused, POOL, skip_late=False)
    later = await asyncio.to_thread(batch.run, "show", "1")
    assert "At least" in later.stdout
    assert "paused" not in later.stdout


async def test_who_waits_for_a_run_is_told_at_once(paused: PrefectClient) -> None:
    (run,) = await queue(paused, Scheduled(), pool=POOL)
    told: list[Event] = []
    following = asyncio.create_task(follow_run(PREFECT_API_URL.value(), run.id, told.append))
    while len(told) < 2:
        assert not following.done()
        await asyncio.sleep(0.01)
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    assert told[:2] == [Event("state", "Scheduled"), Event("hint", SAID)]
