"""What goes on now, a probe of every pool, and everything checked at once."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.states import Completed, Crashed, Failed, Pending, Running, Scheduled
from pydantic import SecretStr
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.db.rate_limits import acquire_slot
from adspark.db.rates import SEARCHES
from adspark.notifications.apprise import Receiver
from adspark.notifications.outbox import enqueue_messages, hash_receiver
from adspark.serpapi.client import ENGINE
from adspark.settings import Settings, get_settings
from adspark.watches.searches_left import SearchesLeft
from deployments.diagnosis.machine import check_stored_pictures
from deployments.diagnosis.services import check_server
from deployments.operations.full_check import project_deployments, read_full_check
from deployments.operations.monitoring import read_snapshot
from deployments.operations.pools import pause
from deployments.operations.probe import probe as send_probes
from deployments.queue_classes import POOL_NAMES
from flows.probe import probe
from flows.send_digest import send_digest
from orchestration.runs.flow_runs import filter_runs, read_failed_runs, read_runs
from tests.support import asking
from tests.support.archived import add_versions
from tests.support.queued import POOL, open_pools, queue
from tests.support.sandbox_control import SANDBOX_KEY


@pytest.fixture
async def client() -> AsyncIterator[PrefectClient]:
    """A server with our pools."""
    async with open_pools() as opened:
        yield opened


@pytest.mark.parametrize("page", [200, 5])  # 5: so many that the server has to count them
async def test_a_snapshot_counts_runs_by_what_they_do(
    client: PrefectClient, database: Database, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr("orchestration.runs.flow_runs.PAGE", page)
    await queue(client, Running(), Pending(), Pending(), Scheduled(name="Late"), Scheduled())
    await queue(client, Completed(), Failed(), Crashed())
    await queue(client, Running(), pool="maintenance")
    await acquire_slot(database, name=SEARCHES, limit=10)
    await client.upsert_global_concurrency_limit_by_name(SEARCHES, 10, 10 / 60)
    failures = await read_failed_runs(client, pools=POOL_NAMES)
    snapshot = await read_snapshot(client, database, failures=failures)
    await client.delete_global_concurrency_limit_by_name(SEARCHES)
    pools = {pool.name: pool for pool in snapshot.pools}
    assert list(pools) == ["default", "data-fetch", "ai-generation", "maintenance"]
    busy = pools[POOL]
    assert (busy.active, busy.slots, busy.scheduled, busy.late) == (3, 2, 1, 1)
    assert (busy.done, busy.done_a_minute, busy.failed_last_hour) == (3, 0.6, 2)
    assert busy.oldest_late is not None
    assert busy.oldest_late < 60
    assert (pools["maintenance"].active, pools["default"].active) == (1, 0)
    searches, generations = snapshot.rates
    assert (searches.used, searches.a_minute) == (1, 10)
    assert (generations.used, generations.a_minute) == (0, 30)  # of the settings: Prefect has none


async def test_searches_left_are_asked_once_a_minute_and_never_fail(
    database: Database, sandbox_url: str
) -> None:
    settings = Settings(serpapi_key=SecretStr(SANDBOX_KEY), serpapi_url=sandbox_url)
    searches = SearchesLeft(settings)
    first = await searches.read(database)
    assert first.billed == 0
    assert first.left is not None
    search = {"engine": ENGINE, "text": "hubspot.com", "api_key": SANDBOX_KEY}
    asking.get(f"{sandbox_url}/search.json", params=search).raise_for_status()
    assert await searches.read(database) == first
    assert (await SearchesLeft(settings).read(database)).left == first.left - 1
    gone = settings.model_copy(update={"serpapi_url": "http://127.0.0.1:9"})
    assert await SearchesLeft(gone).read(database) == (0, None)


@pytest.mark.usefixtures("environment")
async def test_the_probe_reaches_the_database_and_says_whose_it_is() -> None:
    summary = await probe("mine")
    assert summary.token == "mine"
    assert summary.worker
    assert 0 < summary.seconds < 30


async def test_a_probe_that_no_worker_takes_is_cancelled_again(client: PrefectClient) -> None:
    await queue(client, Running(), pool="maintenance")
    await queue(client, Completed())
    await pause(client, "default")
    await client.update_work_pool("ai-generation", WorkPoolUpdate(concurrency_limit=0))
    await queue(client, Completed(), pool="ai-generation")
    results = await send_probes(
        client, ["default", POOL, "maintenance", "ai-generation"], patience=0.5
    )
    assert not any(one.ok for one in results)
    paused, waiting, full, closed = [one.problem for one in results]
    assert paused == "is paused; nothing was sent through"
    assert waiting == "no worker took its probe within 0.5 s; it was Scheduled"
    assert full == "no worker took its probe within 0.5 s: its slot is in use"
    assert closed == "has 0 slots (adspark scale ai-generation N); nothing was sent through"
    left = await read_runs(client, filter_runs(), pools=[POOL, "maintenance"])
    assert Counter(run.state_name for run in left) == {"Running": 1, "Completed": 1, "Cancelled": 2}


@pytest.mark.usefixtures("environment")
async def test_the_full_check_names_what_is_missing_or_paused(client: PrefectClient) -> None:
    await queue(client, pool="default")
    deployment = await client.read_deployment_by_name("probe/default")
    await client.pause_deployment(deployment.id)
    check = await read_full_check(client, get_settings())
    told = [problem.what for problem in check.problems]
    assert check.database is not None
    assert check.expected == len(project_deployments()) > 10
    assert "deployment probe/default is paused: its schedules start nothing" in told
    assert check.deployments < check.expected
    await client.resume_deployment(deployment.id)
    lost = get_settings().model_copy(
        update={"database_url": SecretStr("postgresql://127.0.0.1:9/x")}
    )
    check = await read_full_check(client, lost)
    assert check.database is None
    assert "PostgreSQL does not answer" in check.problems[0].what
    await client.delete_work_pool("default")
    check = await read_full_check(client, get_settings())
    await client.create_work_pool(WorkPoolCreate(name="default", type="process"))
    assert ("deployment probe/default has no pool: it was deleted", "adspark provision") in [
        (problem.what, problem.remedy) for problem in check.problems
    ]


@pytest.mark.usefixtures("environment")
async def test_the_full_check_and_doctor_say_that_pictures_are_lost(
    client: PrefectClient, database: Database
) -> None:
    async def told() -> list[str]:
        check = await read_full_check(client, get_settings())
        return [one.what for one in check.problems if "picture" in one.what]

    assert await told() == []
    assert (await check_stored_pictures(get_settings())).state == "ok"
    async with database.session() as session:
        await add_versions(session, status="stored", count=3)
        await session.commit()
    (what,) = await told()
    assert "of 6 files looked at, the media store at" in what
    doctor = await check_stored_pictures(get_settings())
    assert (doctor.state, doctor.what) == ("warning", what)


async def test_the_full_check_says_that_the_digest_does_not_arrive(
    client: PrefectClient, database: Database, environment: pytest.MonkeyPatch
) -> None:
    address = "json://127.0.0.1:9/team"
    environment.setenv("ADSPARK_NOTIFY_ADDRESSES", address)
    get_settings.cache_clear()
    recipient = hash_receiver(Receiver(SecretStr(address)))
    async with database.session() as session:
        await enqueue_messages(session, subject="News", body="x", recipients=[recipient, "gone"])
        await session.commit()

    async def told() -> list[tuple[str, str]]:
        check = await read_full_check(client, get_settings())
        return [(one.what, one.remedy) for one in check.problems if "of the digest" in one.what]

    assert await told() == []  # it was not sent yet
    assert (await send_digest(return_state=True)).is_failed()
    ((what, remedy),) = await told()
    assert what == "1 message of the digest not delivered: The webhook refused the connection"
    assert "adspark run send-digest" in remedy
    doctor = await check_server(get_settings(), str(client.api_url))
    assert [(one.name, one.what) for one in doctor if one.what == what] == [("digest", what)]
    async with database.session() as session:
        await enqueue_messages(session, subject="News", body="x", recipients=[recipient])
        newest = text("UPDATE message SET error = 'It is full.' WHERE error IS NULL")
        await session.execute(newest)
        await session.commit()
    assert [what for what, _ in await told()] == [
        "2 messages of the digest not delivered; the newest: It is full"
    ]
    async with database.session() as session:
        await session.execute(text("UPDATE message SET delivered_at = now()"))
        await session.commit()
    assert await told() == []
