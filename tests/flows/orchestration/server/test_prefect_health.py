"""A slow server of Prefect's and one that is away are told apart, by the check and by commands."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate, WorkPoolUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Scheduled

from adspark.errors import AdSparkError, ConfigurationError
from adspark.maintenance.check import CheckState
from deployments.cli.server import open_server
from orchestration.runs.lost_runs import TAG
from orchestration.server.prefect_health import check_prefect
from tests.support.queued import POOL, delete_deployments_without_pool, open_pools, queue

_EVER = 1000.0  # seconds


class StandIn(ThreadingHTTPServer):
    """Passes on what it is asked to the test's server of Prefect's; some answers wait."""

    daemon_threads = True

    def __init__(self, waiting: str | None, status: int, ahead: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = str(PREFECT_API_URL.value()).removesuffix("/api")
        self.waiting = waiting
        self.status = status
        self.ahead = ahead
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/api"


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.waiting is not None and self.server.waiting in self.path:
            self.server.released.wait()
        kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        answer = httpx.request(
            self.command,
            f"{self.server.target}{self.path}",
            content=body,
            headers=kept,
            timeout=None,
        )
        self.send_response(self.server.status if "/health" in self.path else answer.status_code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = _pass_on  # noqa: N815  (the base class's names)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """What the stand-in's clock says."""
        return super().date_time_string(time.time() + self.server.ahead)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def stand_in(
    waiting: str | None = None, *, status: int = 200, ahead: float = 0.0
) -> Iterator[StandIn]:
    """A server whose answers at addresses with `waiting` in them wait to be released, and whose
    clock is so many seconds ahead."""
    with StandIn(waiting, status, ahead) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        try:
            with temporary_settings({PREFECT_API_URL: made.url}):
                yield made
        finally:
            made.released.set()
            made.shutdown()


async def test_a_server_that_answers_late_is_slow_and_looked_at_all_the_same() -> None:
    with stand_in():
        (first, *_) = await check_prefect(slow=0.0)
        (well, *_) = await check_prefect(slow=_EVER)
    assert (first.state, first.what.startswith("is slow: ")) == ("warning", True)
    assert (well.state, "deployments answers in" in well.what) == ("ok", True)


async def test_a_server_that_answers_but_is_too_busy_for_its_lists_is_slow() -> None:
    with stand_in("/deployments/"):
        (check,) = await check_prefect(away=10.0)
    assert (check.state, check.what) == (
        "warning",
        "is slow: it answers, but does not return its pools within 10 s",
    )


async def test_a_server_that_stays_silent_is_away() -> None:
    with stand_in("/health"):
        (check,) = await check_prefect(away=0.3)
    assert (check.state, check.what) == ("failed", "has not answered for 0.3 s")
    assert "adspark up" in check.remedy


async def test_a_server_that_fails_is_away_and_says_with_what() -> None:
    with stand_in(status=503):
        (check,) = await check_prefect()
    assert (check.state, check.what) == ("failed", "answers with 503")


async def test_a_port_where_nobody_listens_is_away_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: url}):
            (check,) = await check_prefect(away=_EVER)
            assert (check.state, check.what) == ("failed", "does not answer (ConnectError)")
        with pytest.raises(ConfigurationError, match="start it with: adspark up"):
            async with open_server(url):
                raise AssertionError


async def test_an_address_that_is_none_is_to_be_corrected() -> None:
    with temporary_settings({PREFECT_API_URL: "foo"}):
        (check,) = await check_prefect()
    assert (check.state, check.what) == ("failed", "has no http(s) address")
    assert check.remedy == "correct or unset PREFECT_API_URL"


async def test_a_command_says_that_the_server_is_slow_not_that_it_went_away() -> None:
    url = str(PREFECT_API_URL.value())
    with pytest.raises(AdSparkError, match="is there, but too slow to answer") as raised:
        async with open_server(url):
            raise httpx.ReadTimeout("it took too long")
    assert "went away" not in str(raised.value)
    async with get_client() as client:
        assert await client.api_healthcheck() is None


async def test_a_pool_that_somebody_has_paused_is_no_failure() -> None:
    async with open_pools() as client:
        await queue(client, Scheduled())
        tagged = await client.read_deployment_by_name(f"probe/{POOL}")
        await client.update_deployment(tagged.id, DeploymentUpdate(tags=[TAG]))
        failed = {one.name: one for one in await check_prefect()}[f"pool {POOL}"]
        assert (failed.state, failed.what) == (CheckState.FAILED, "has no worker")
        await client.update_work_pool(POOL, WorkPoolUpdate(is_paused=True))
        paused = {one.name: one for one in await check_prefect()}[f"pool {POOL}"]
    assert (paused.state, paused.what, paused.remedy) == (
        CheckState.WARNING, "is paused", f"adspark resume {POOL}",
    )  # fmt: skip


async def test_a_pool_that_was_deleted_is_a_failure_with_its_remedy() -> None:
    async with open_pools() as client:
        await delete_deployments_without_pool(client)
        await queue(client, Scheduled())
        tagged = await client.read_deployment_by_name(f"probe/{POOL}")
        await client.update_deployment(tagged.id, DeploymentUpdate(tags=[TAG]))
        assert "pools" not in {one.name for one in await check_prefect()}
        await client.delete_work_pool(POOL)
        (check,) = [one for one in await check_prefect() if one.name == "pools"]
        await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    assert (check.state, check.what, check.remedy) == (
        CheckState.FAILED,
        f"deleted, so that these deployments have none: {POOL}",
        "adspark provision",
    )


@pytest.mark.parametrize(("ahead", "told"), [(-1000.0, "ahead of"), (1000.0, "behind")])
async def test_clocks_that_differ_are_a_warning_with_its_remedy(ahead: float, told: str) -> None:
    with stand_in(ahead=ahead):
        (clock,) = [one for one in await check_prefect() if one.name == "clock"]
    assert clock.state == "warning"
    assert re.fullmatch(rf"this host's is \d+ s {told} that of Prefect's server", clock.what)
    assert "timedatectl" in clock.remedy
    with stand_in():
        assert "clock" not in {one.name for one in await check_prefect()}


async def test_a_command_whose_run_or_pool_is_deleted_meanwhile_says_so_in_one_line() -> None:
    with pytest.raises(AdSparkError, match=r"was deleted from Prefect's server at .* meanwhile"):
        async with open_server(PREFECT_API_URL.value()) as client:
            await client.read_flow_run(uuid4())


async def test_a_command_says_within_seconds_that_the_servers_database_does_not_answer() -> None:
    said = r"its database does not; .*adspark doctor"
    with stand_in("/flows/filter") as server, pytest.raises(AdSparkError, match=said):
        async with open_server(server.url):
            raise AssertionError


async def test_where_no_connection_is_made_within_seconds_the_address_may_be_wrong() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        url = f"http://127.0.0.1:{full.getsockname()[1]}/api"
        waiting = [socket.create_connection(full.getsockname())]  # nobody takes it from the queue
        with pytest.raises(ConfigurationError, match=r"does not answer \(ConnectTimeout\); start"):
            async with open_server(url):
                raise AssertionError
        waiting.pop().close()


async def test_a_command_says_within_seconds_that_a_server_is_there_but_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # as one that was stopped by SIGSTOP
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        with pytest.raises(AdSparkError, match="is there, but too slow to answer"):
            async with open_server(url):
                raise AssertionError
