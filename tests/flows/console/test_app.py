"""The console: keys do what they say, and it outlives the server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from prefect import State
from prefect.client.orchestration import PrefectClient, get_client
from prefect.states import Completed, Failed, Running, Scheduled
from textual.pilot import Pilot
from textual.widgets import DataTable, Static
from textual.widgets._footer import FooterKey

from adspark.db.engine import Database
from adspark.settings import Settings
from adspark.watches.searches_left import SearchesLeft
from deployments.console.app import ConsoleApp
from deployments.console.dialogs import Ask, Confirm
from tests.support.queued import open_pools, queue


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools, without workers."""
    async with open_pools() as opened:
        yield opened


@asynccontextmanager
async def shown(client: PrefectClient, database: Database) -> AsyncIterator[Pilot[None]]:
    """The console, once it has looked for the first time."""
    app = ConsoleApp(client, database, SearchesLeft(Settings()))
    async with app.run_test(size=(120, 40)) as pilot:
        while not app.query_one("#pools-table", DataTable).row_count:
            await pilot.pause(0.05)
        yield pilot


async def test_the_keys_at_the_foot_fit_on_eighty_columns(
    client: PrefectClient, database: Database
) -> None:
    async with ConsoleApp(client, database, SearchesLeft(Settings())).run_test(
        size=(80, 24)
    ) as pilot:
        await pilot.pause()
        keys = list(pilot.app.query("FooterKey"))
        assert max(key.region.right for key in keys) <= 80
        assert {"q", "question_mark"} <= {key.key for key in keys if isinstance(key, FooterKey)}


async def until(pilot: Pilot[None], what: Callable[[], Awaitable[bool]]) -> None:
    """Let the console go on until something is so."""
    async with asyncio.timeout(60):
        while not await what():
            await pilot.pause(0.1)


async def test_the_pool_under_the_cursor_is_paused_scaled_and_resumed(
    client: PrefectClient, database: Database
) -> None:
    async def paused() -> bool:
        pool = await client.read_work_pool("data-fetch")
        return bool(pool.is_paused) and pool.concurrency_limit == 3

    async def told() -> bool:
        text = str(pilot.app.query_one("#headline", Static).content)
        return "pool data-fetch is paused: adspark resume data-fetch" in text

    async def resumed() -> bool:
        return not (await client.read_work_pool("data-fetch")).is_paused

    async with shown(client, database) as pilot:
        await pilot.press("down", "p", "plus")
        await until(pilot, paused)
        await until(pilot, told)
        await pilot.press("r")
        await until(pilot, resumed)


async def asked(pilot: Pilot[None]) -> None:
    """Wait for a dialog."""

    async def is_there() -> bool:
        return isinstance(pilot.app.screen, Confirm | Ask)

    await until(pilot, is_there)


async def test_a_purge_asks_before_it_cancels(client: PrefectClient, database: Database) -> None:
    (run,) = await queue(client, Scheduled(), pool="default")
    assert run.deployment_id is not None
    later: State = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(hours=1))
    planned = await client.create_flow_run_from_deployment(run.deployment_id, state=later)

    async def cancelled() -> bool:
        return (await client.read_flow_run(run.id)).state_name == "Cancelled"

    async with shown(client, database) as pilot:
        await pilot.press("x")
        await asked(pilot)
        await pilot.press("escape")
        await pilot.pause(0.5)
        assert not await cancelled()
        await pilot.press("x")
        await asked(pilot)
        await pilot.press("enter")
        await until(pilot, cancelled)
        assert (await client.read_flow_run(planned.id)).state_name == "Scheduled"


async def test_a_group_of_failures_is_put_back_in_the_queue(
    client: PrefectClient, database: Database
) -> None:
    (run,) = await queue(client, Failed(message="[bold]No[/] luck"))

    async def queued() -> bool:
        return (await client.read_flow_run(run.id)).state_name == "AwaitingRetry"

    async with shown(client, database) as pilot:
        await pilot.press("3", "t")
        await asked(pilot)
        await pilot.press("enter")
        await until(pilot, queued)


async def test_a_cancel_is_told_as_the_server_has_answered_it(
    client: PrefectClient, database: Database
) -> None:
    (run,) = await queue(client, Running(), pool="default")

    async def told() -> bool:
        notes = [one.message for one in pilot.app._notifications]
        return "It was not cancelled: it has ended Completed" in notes

    async with shown(client, database) as pilot:
        await pilot.press("2", "c")
        await asked(pilot)
        # It ends while the question stands.
        await client.set_flow_run_state(run.id, Completed(), force=True)
        await pilot.press("enter")
        await until(pilot, told)
    assert (await client.read_flow_run(run.id)).state_name == "Completed"


async def test_a_run_that_is_deleted_while_its_cancel_is_asked_is_told(
    client: PrefectClient, database: Database
) -> None:
    (run,) = await queue(client, Running(), pool="default")

    async def told() -> bool:
        notes = [one.message for one in pilot.app._notifications]
        return "It was deleted from Prefect meanwhile." in notes

    async with shown(client, database) as pilot:
        await pilot.press("2", "c")
        await asked(pilot)
        await client.delete_flow_run(run.id)
        await pilot.press("enter")
        await until(pilot, told)


async def test_an_unknown_run_is_told_and_so_is_a_server_that_is_away(
    client: PrefectClient, database: Database
) -> None:
    async def notified() -> bool:
        return any("nothing" in one.message for one in pilot.app._notifications)

    async def away() -> bool:
        return bool(pilot.app.query_one("#away", Static).display)

    async def each_failed() -> bool:
        return (
            sum(one.severity == "error" for one in pilot.app._notifications) >= 7
        )  # six keys, and the unknown run

    async with get_client() as own, shown(own, database) as pilot:
        await pilot.press("g")
        await asked(pilot)
        await pilot.press(*"nothing", "enter")
        await until(pilot, notified)
        assert not await away()
        await own._client.aclose()
        await until(pilot, away)
        await pilot.press("1", "p", "r", "d", "plus", "x", "b")
        await until(pilot, each_failed)
        assert pilot.app.is_running
