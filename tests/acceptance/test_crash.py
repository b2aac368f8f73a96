"""A fetch that is killed between pages goes on from there, for the price of one that was not."""

import json
import signal
import subprocess
import time
from typing import Any

import psycopg

from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from tests.support import asking
from tests.support.sandbox_control import switch_on
from tests.support.stack import Stack, surroundings

ADVERTISER_ID = "AR04323445746671026177"
FETCH = ("fetch", ADVERTISER_ID, "--page-size=5", "--max-pages=20", "--json")


def test_a_fetch_that_is_killed_and_then_stopped_is_completed_without_a_second_search(
    database_url: str,
) -> None:
    with serve(SandboxSettings()) as url, surroundings() as stack:
        stack.more.update(
            ADSPARK_DATABASE_URL=database_url,
            ADSPARK_SERPAPI_URL=url,
            ADSPARK_SERPAPI_KEY="sandbox-key",
        )
        switch_on(url, {"kind": "hang", "after": 2})  # the third page never comes
        process = start_until_stored(stack, database_url, ads=10)
        process.kill()
        process.wait()  # what it had started may still hold its output

        switch_on(url, {"kind": "hang", "after": 2})
        process = start_until_stored(stack, database_url, ads=20)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 1
        assert "the same command resumes from there" in said
        assert "Traceback" not in said
        assert len(ids(database_url)) == 20

        switch_on(url)
        process = stack.start(*FETCH)
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
        summary: dict[str, Any] = json.loads(
            next(line for line in output.splitlines() if line.startswith("{"))
        )
        billed = asking.get(f"{url}/sandbox/stats").json()["billed"]

    assert summary["resumed"]
    assert (summary["new"], summary["pages"], summary["stop_reason"]) == (40, 8, "end")
    assert len(ids(database_url)) == 40
    assert billed == summary["searches_billed"] == 8


def start_until_stored(stack: Stack, database_url: str, *, ads: int) -> subprocess.Popen[str]:
    """The fetch, once it has stored so many ads."""
    process = stack.start(*FETCH)
    while len(ids(database_url)) < ads:
        assert process.poll() is None
        time.sleep(0.05)
    return process


def ids(database_url: str) -> set[str]:
    """Creatives in the database."""
    with psycopg.connect(database_url) as connection:
        return {row[0] for row in connection.execute("SELECT ad_creative_id FROM creative")}
