"""Figures for Prometheus, as a scrape gets them."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import ConfigurationError
from adspark.settings import Settings
from adspark.variants.budget import set_budget
from benchmarks.ports import free_port
from deployments.operations.metric_families import FAMILIES
from deployments.operations.metrics import EndedRuns
from deployments.stack.metrics_server import serving_metrics
from tests.support import asking
from tests.support.queued import open_pools, queue

NOWHERE = "postgresql://nobody@127.0.0.1:9/none"


def scraped(address: str) -> dict[str, float]:
    """The samples of a scrape, by name and labels."""
    text = asking.get(address).raise_for_status().text
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_scrape_tells_queues_limits_and_searches_and_what_does_not_answer(
    database: Database, database_url: str
) -> None:
    async with database.session() as session:
        await set_budget(session, user_id=7, monthly=3)
        await session.execute(
            text("INSERT INTO generation_use (variant_id, attempt, user_id) VALUES (1, 1, 7)")
        )
        await session.execute(
            text("INSERT INTO variant_batch (key, user_id, state) VALUES (:key, 7, 'running')"),
            {"key": uuid4()},
        )
        await session.commit()
    async with get_client() as client:
        pool = WorkPoolCreate(name="maintenance", type="process", concurrency_limit=1)
        await client.create_work_pool(pool, overwrite=True)
        await client.update_work_pool("maintenance", WorkPoolUpdate(is_paused=True))
        settings = Settings(metrics_port=free_port())
        api_url = str(PREFECT_API_URL.value())
        with serving_metrics(settings, api_url=api_url, database_url=database_url) as address:
            told = await asyncio.to_thread(scraped, address)
        with serving_metrics(settings, api_url=api_url, database_url=NOWHERE) as address:
            without = await asyncio.to_thread(scraped, address)
        await client.delete_work_pool("maintenance")
    assert (told["adspark_up['database']"], told["adspark_up['prefect']"]) == (1, 1)
    assert told["adspark_pool_slots['maintenance']"] == 1
    assert told["adspark_pool_paused['maintenance']"] == 1
    assert told["adspark_pool_workers_online['maintenance']"] == 0
    assert told["adspark_searches_total['billed']"] == 0
    assert told["adspark_generations_total[]"] == 1
    assert told["adspark_generations_left['7']"] == 2
    assert told["adspark_batches['ended']"] == 1
    assert {one.partition("[")[0] for one in told} <= {one.name for one in FAMILIES}
    assert (without["adspark_up['database']"], without["adspark_up['prefect']"]) == (0, 1)
    assert without["adspark_pool_slots['maintenance']"] == 1


async def test_a_pool_that_was_deleted_is_told_as_one_without_workers(database_url: str) -> None:
    async with open_pools() as client:
        await client.send_worker_heartbeat("default", "one", 30)
        await client.delete_work_pool("maintenance")
        settings, api_url = Settings(metrics_port=free_port()), str(PREFECT_API_URL.value())
        with serving_metrics(settings, api_url=api_url, database_url=database_url) as address:
            told = await asyncio.to_thread(scraped, address)
        await client.create_work_pool(WorkPoolCreate(name="maintenance", type="process"))
    assert told["adspark_pool_workers_online['default']"] == 1
    assert told["adspark_pool_workers_online['maintenance']"] == 0
    assert "adspark_pool_slots['maintenance']" not in told


async def test_a_scrape_that_is_cut_off_has_the_next_one_go_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orchestration.runs.flow_runs.PAGE", 2)
    asked: list[int] = []

    async def cut_off(request: httpx.Request) -> None:
        """Fail the second request for a page."""
        if request.url.path.endswith("/flow_runs/filter"):
            asked.append(json.loads(request.content)["offset"])
            if len(asked) == 2:
                raise httpx.ReadTimeout("too slow")

    async with open_pools() as client:
        await queue(client, *[Cancelled()] * 5)
        ended = EndedRuns()
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            async with get_client(httpx_settings={"event_hooks": {"request": [cut_off]}}) as slow:
                with pytest.raises(httpx.ReadTimeout):
                    await ended.update(slow)
                await ended.update(slow)
                assert asked[:3] == [0, 2, 2]
    counted = {
        tuple(sample.labels.values()): sample.value
        for metric in ended.metrics()
        for sample in metric.samples
        if sample.name == "adspark_flow_runs_last_hour"
    }
    assert counted["probe", "Cancelled"] >= 5


def _is_open(connection: socket.socket) -> bool:
    """Whether whoever has connected still waits."""
    connection.setblocking(False)
    with suppress(BlockingIOError):
        while connection.recv(4096):
            pass
        return False
    return True


def test_a_scrape_waits_for_all_that_does_not_answer_at_once() -> None:
    """Each is asked while the other has not been given up yet."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # as a process that was stopped
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        with (
            serving_metrics(
                Settings(metrics_port=free_port()),
                api_url=f"http://{place}/api",
                database_url=f"postgresql://nobody@{place}/none",
            ) as address,
            ThreadPoolExecutor() as pool,
        ):
            scrape = pool.submit(scraped, address)
            asked: dict[bool, socket.socket] = {}
            while len(asked) < 2:
                connection, _ = silent.accept()
                is_http = connection.recv(1, socket.MSG_PEEK).isalpha()
                asked.setdefault(is_http, connection)
            assert all(_is_open(connection) for connection in asked.values())
            told = scrape.result()
    assert (told["adspark_up['database']"], told["adspark_up['prefect']"]) == (0, 0)


def test_opened_to_a_network_the_figures_ask_for_the_password() -> None:
    settings = Settings(metrics_port=free_port())
    url = f"http://127.0.0.1:{settings.metrics_port}"
    served = partial(
        serving_metrics,
        settings,
        api_url="http://127.0.0.1:9/api",
        database_url=NOWHERE,
        password=SecretStr("operator:a-wörd:with-a-colon"),
    )
    with served(host="0.0.0.0"):
        for path in ("/metrics", "/", "/elsewhere"):
            refused = asking.get(url + path)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"].startswith("Basic ")
            assert "adspark_up" not in refused.text
        for given in ("", "Basic", "Basic ====", "Bearer b3A6cA==", "Basic b3BlcmF0b3I6d3Jvbmc="):
            answer = asking.get(f"{url}/metrics", headers={"Authorization": given})
            assert answer.status_code == 401, given
        known = httpx.BasicAuth("operator", "a-wörd:with-a-colon")
        assert "adspark_up" in asking.get(f"{url}/metrics", auth=known).text
    with served():  # only this machine's programs can ask
        assert "adspark_up" in asking.get(f"{url}/metrics").text


@pytest.mark.parametrize(
    ("host", "setting", "told"),
    [
        ("127.0.0.1", "ADSPARK_METRICS_PORT", "stop that, or set ADSPARK_METRICS_PORT"),
        ("127.0.0.1", "--port", "stop that, or set --port"),
        ("256.1.1.1", "--port", "--host: '256.1.1.1' is no address of this machine"),
    ],
)
def test_a_taken_port_or_a_wrong_host_is_named_with_what_holds_it(
    host: str, setting: str, told: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(metrics_port=taken.getsockname()[1])
        nowhere = "http://127.0.0.1:9/api"
        with (
            pytest.raises(ConfigurationError, match=told),
            serving_metrics(
                settings, api_url=nowhere, database_url=NOWHERE, host=host, port_setting=setting
            ),
        ):
            pass
