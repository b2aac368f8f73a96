"""The system's state and queues as operators meet them: exit codes, remedies, a purge."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import asking
from tests.support.stack import Stack, state

PARTS = {
    "gallery", "sandbox", "prefect server", "workers",
}  # fmt: skip


def prefect(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Prefect's own command, told where the server is."""
    program = str(Path(sys.executable).parent / "prefect")
    return stack.run("env", f"PREFECT_API_URL={stack.api_url}", program, *arguments)


@pytest.fixture
def paused_pool(stack: Stack) -> Iterator[str]:
    """A pool that is paused; it goes on after the test, for later tests need it."""
    pool = f"{stack.api_url}/work_pools/maintenance"
    asking.patch(pool, json={"is_paused": True}).raise_for_status()
    yield "maintenance"
    asking.patch(pool, json={"is_paused": False}).raise_for_status()


def problems(stack: Stack) -> dict[str, str]:
    """What `status` finds, with the remedy of each."""
    told = stack.adspark("status", "--json")
    found = {one["what"]: one["remedy"] for one in json.loads(told.stdout)["problems"]}
    assert told.returncode == (1 if found else 0), told.stdout
    return found


def test_a_running_stack_is_well_with_all_its_pools(stack: Stack) -> None:
    well = stack.adspark("status")
    assert (well.returncode, "Everything is well." in well.stdout) == (0, True), well.stdout
    pools = {
        one["name"]: one for one in json.loads(stack.adspark("status", "--json").stdout)["pools"]
    }
    assert {name: (one["workers"], one["slots"]) for name, one in pools.items()} == {
        "default": (1, 2),
        "data-fetch": (1, 2),
        "ai-generation": (1, 1),
        "maintenance": (1, 1),
    }


def test_what_waits_in_a_paused_pool_is_purged_and_the_pool_resumed_as_told(
    stack: Stack, paused_pool: str
) -> None:
    remedy = problems(stack)[f"pool {paused_pool} is paused"]

    deployment = "cleanup-old-creatives/cleanup-old-creatives"
    assert prefect(stack, "deployment", "run", deployment, "-p", "dry_run=true").returncode == 0
    asked = stack.adspark("purge", paused_pool, "--dry-run")
    assert f"{paused_pool}: " in asked.stdout
    assert "would be cancelled." in asked.stdout
    purged = stack.adspark("purge", "--deployment", "cleanup-old-creatives", "--yes")
    assert "Cancelled " in purged.stdout, purged.stderr

    program, *arguments = remedy.split()
    assert program == "adspark"
    assert stack.adspark(*arguments).returncode == 0
    assert f"pool {paused_pool} is paused" not in problems(stack)


def test_a_second_stack_is_refused_and_told_where_the_first_is(stack: Stack) -> None:
    done = stack.adspark("up")
    assert done.returncode == 2
    assert f"runs already at {stack.ui_url}; stop it with: adspark down" in done.stderr


def test_all_parts_are_there_and_answer(stack: Stack) -> None:
    running = state(stack)
    assert running is not None
    assert set(running.parts) == PARTS
    assert asking.get(f"{stack.api_url}/health").json() is True
    assert asking.get(f"{stack.sandbox_url}/health").is_success


def test_the_log_of_the_start_says_what_started_and_nothing_else(stack: Stack) -> None:
    before, ready, _ = (stack.home / "stack.log").read_text().partition("Ready. ")
    assert ready
    said = re.compile(r"Data and logs: .*|[a-z ]+: (starting|ready)( .*)?")
    assert [line for line in before.splitlines() if not said.fullmatch(line)] == []
