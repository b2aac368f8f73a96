"""`adspark ads details` tells its cost, asks, and runs the flow, which pays once."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from adspark.db.engine import Database
from adspark.errors import ConfigurationError
from deployments.terminal.log_lines import show_waits
from tests.support.commanding import Command
from tests.support.sandbox_control import searches
from tests.support.watching import Place

ads = Command("ads", columns=200)


@pytest.fixture
def _log_as_before() -> Iterator[None]:
    """The command silences log handlers of its process, which is that of the tests."""
    handlers = {one: list(one.filters) for one in logging.getLogger().handlers}
    yield
    for handler, filters in handlers.items():
        handler.filters = filters


async def _watch_ads(database_url: str, sandbox_url: str) -> None:
    """Store a watch and its ads, for a search."""
    async with Database(database_url) as database:
        place = Place(database, sandbox_url)
        await place.check(await place.add(name="shoes"))


@pytest.mark.usefixtures("environment", "_log_as_before")
def test_details_are_bought_after_their_cost_is_told(database_url: str, sandbox_url: str) -> None:
    asyncio.run(_watch_ads(database_url, sandbox_url))
    one = ads.given("search", "--limit", "1")["ads"][0]["ad_creative_id"]
    refused = ads.run("details", one, typed="n\n")
    assert (refused.exit_code, searches(sandbox_url)["billed"]) == (1, 1)
    assert (
        "Details of 1 ad cost 1 search at most. This month: 1 billed, forecast " in refused.output
    )
    assert "; the account has 99,999 left." in refused.output
    bought = ads.given("details", "--watch", "shoes", "--most", "2", "--yes")
    assert (bought["found"], bought["searches_billed"], len(bought["ads"])) == (2, 2, 2)
    one = bought["ads"][0]
    assert ads.told("details", one) == "Nothing to look up: 1 ad looked up before."
    assert searches(sandbox_url)["billed"] == 3
    assert "words bought for a search" in ads.told("show", one)
    for arguments, message in (
        (("details",), "ads: name ads, or a watch"),
        (("details", one, "--most", "3"), "most: is of a watch's ads"),
        (("details", "--watch", "none"), "There is no watch 'none'"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            ads.told(*arguments)


@pytest.mark.usefixtures("environment", "_log_as_before")
def test_what_a_command_waits_for_is_said_at_once_with_its_bound(
    database_url: str, sandbox_url: str
) -> None:
    asyncio.run(_watch_ads(database_url, sandbox_url))
    one = ads.given("search", "--limit", "1")["ads"][0]["ad_creative_id"]
    show_waits()
    with psycopg.connect(database_url, autocommit=True) as run:
        run.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"details:{one}"])
        result = ads.run("details", one, "--yes")
    said = result.stderr.splitlines()
    attempts = [line for line in said if line.startswith("Waiting 1 s at most: attempt ")]
    assert [line.partition(";")[0][-14:] for line in attempts] == [
        "2 of 3 follows",
        "3 of 3 follows",
    ]
    assert "another run looks up some of these ads" in attempts[0]
    assert "Task run failed" not in result.stderr
    assert "another run looks up" in str(result.exception)


def test_a_key_that_is_missing_is_told_before_a_server_starts(database_url: str) -> None:
    program = (
        "from deployments.cli.main import main; import sys; "
        "sys.argv = ['adspark', 'fetch', '--text', 'example.com']; main()"
    )
    environment = {
        name: value for name, value in os.environ.items()
        if name not in ("PREFECT_API_URL", "ADSPARK_SERPAPI_KEY")
    }  # fmt: skip
    environment |= {
        "ADSPARK_DATABASE_URL": database_url,
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "0",
    }
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert told.returncode == 2
    assert told.stderr.splitlines()[-1].startswith("Error: SerpApi needs a key: set ADSPARK_SERP")
    assert "temporary server" not in told.stderr
