"""A sweep over all workers, killed in the middle: it is completed by itself, paid for once."""

import signal
import time
from collections import Counter

import psycopg

from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from tests.support import asking
from tests.support.stack import Stack, start_in_foreground, state, stop_by_signal

WATCHES = 60
ADS = 40
SWEEP = "process-all-active-watches"


def test_a_sweep_killed_with_its_worker_goes_on_with_the_next_worker(
    own_stack: Stack, database_url: str
) -> None:
    settings = SandboxSettings(
        generated_advertisers=WATCHES, creatives_per_advertiser=ADS, latency=1.0
    )
    with serve(settings) as url:
        own_stack.more.update(
            ADSPARK_DATABASE_URL=database_url,
            ADSPARK_SERPAPI_URL=url,
            ADSPARK_SERPAPI_KEY="sandbox-key",
            ADSPARK_SWEEP_SHARD_SIZE="20",
        )
        with psycopg.connect(database_url) as connection:
            connection.execute(
                "INSERT INTO watch (user_id, name, advertiser_ids, political_ads, is_active) "
                "SELECT 1, 'watch ' || n, ARRAY['AR9' || lpad(n::text, 19, '0')], false, true "
                "FROM generate_series(1, %s) AS n",
                [WATCHES],
            )
        process = start_in_foreground(own_stack)
        running = own_stack.start("run", SWEEP)
        while billed(url) < WATCHES // 4:
            assert running.poll() is None
            time.sleep(0.02)
        kill_worker(own_stack)
        assert billed(url) < WATCHES
        output, _ = running.communicate(timeout=300)
        assert running.returncode == 0, output
        assert billed(url) == WATCHES
        events, coverage = told(database_url)
        assert set(events.values()) == {1}
        assert len(events) == WATCHES * ADS
        assert coverage == {"complete": WATCHES}

        # Once more, from the cache: shared out, and nobody is told anything twice.
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE watch SET due_at = now()")
        done = own_stack.adspark("run", SWEEP)
        assert f"{WATCHES} of {WATCHES} due watches checked: nothing new" in done.stdout
        assert told(database_url) == (events, coverage)
        asked = {
            "flow_runs": {"name": {"like_": "shard-"}, "state": {"type": {"any_": ["COMPLETED"]}}}
        }
        shards = asking.post(f"{own_stack.api_url}/flow_runs/filter", json=asked).json()
        assert shards, "no worker took a part of the sweep"
        stop_by_signal(own_stack, process, signal.SIGINT)  # Ctrl-C


def kill_worker(stack: Stack) -> None:
    """SIGKILL for the workers, and for their runs."""
    running = state(stack)
    assert running is not None
    worker = running.parts["workers"].find()
    assert worker is not None
    family = [*worker.children(recursive=True), worker]
    assert any("forkserver" in " ".join(one.cmdline()) for one in family), "there was no run"
    for process in reversed(family):
        process.kill()


def billed(url: str) -> int:
    """What the sandbox would have charged so far."""
    return int(asking.get(f"{url}/sandbox/stats").json()["billed"])


def told(database_url: str) -> tuple[Counter[tuple[int, str, str]], dict[str, int]]:
    """How often each event happened, and how many watches were looked at how well."""
    with psycopg.connect(database_url) as connection:
        events = connection.execute("SELECT watch_id, kind, ad_creative_id FROM creative_event")
        counted = Counter((watch, kind, ad) for watch, kind, ad in events)
        rows = connection.execute("SELECT coverage, count(*) FROM watch GROUP BY 1").fetchall()
    return counted, dict(rows)
