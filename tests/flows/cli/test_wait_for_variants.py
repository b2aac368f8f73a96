"""`adspark variant request --wait` waits for all that it requested."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from tests.support.commanding import Command, checked
from tests.support.factories import creative
from tests.support.library import ad
from tests.support.queued import open_generations

variant = Command("variant", columns=200)


@pytest.fixture
async def server(
    environment: pytest.MonkeyPatch, database: Database
) -> AsyncIterator[tuple[PrefectClient, UUID]]:
    """A server, its deployment that generates, and two stored ads; no worker."""
    async with database.session() as session:
        await save_creatives(session, rows=[creative(1), creative(2)])
        await session.commit()
    environment.setenv("PREFECT_API_URL", PREFECT_API_URL.value() or "")
    async with open_generations() as made:
        yield made


async def end_runs(server: tuple[PrefectClient, UUID], states: Sequence[State]) -> None:
    """Let the runs of variants end like this, the first requested first, once all are there."""
    client, deployment = server
    runs: list[FlowRun] = []
    while len(runs) < len(states):
        await asyncio.sleep(0.05)
        found = await client.read_flow_runs()
        ours = [run for run in found if run.deployment_id == deployment]
        runs = sorted(ours, key=lambda run: run.name)
    for run, state in zip(runs, states, strict=True):
        await client.set_flow_run_state(run.id, state, force=True)


REQUEST = ("request", ad(1), ad(2), "-p", "Red", "--yes", "--wait")


async def test_all_have_ended_before_the_command_does(server: tuple[PrefectClient, UUID]) -> None:
    waiting = asyncio.create_task(asyncio.to_thread(variant.run, *REQUEST, "--json"))
    await end_runs(server, [Completed(), Completed()])
    done = await waiting
    assert done.exception is None
    assert [one["id"] for one in checked(done.stdout, "variant request")["variants"]] == [2, 1]
    for place in (1, 2):
        assert f"{place} of 2: Completed" in done.stderr


async def test_one_that_fails_is_told_once_the_others_have_ended(
    server: tuple[PrefectClient, UUID],
) -> None:
    waiting = asyncio.create_task(asyncio.to_thread(variant.run, *REQUEST))
    await end_runs(server, [Failed(message="no picture"), Completed()])
    done = await waiting
    assert "no picture" in str(done.exception)
    assert "2 of 2: Completed" in done.stderr
    assert done.stdout.count("CR0000…") == 2
