"""The system in operators' hands: failures, one run, pools, a probe of everything, the monitor."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from deployments.environment.stack_settings import SANDBOX_KEY
from tests.support import asking
from tests.support.stack import Stack, last_run


def run_of(stack: Stack, run_id: str) -> dict[str, Any]:
    """A flow run as the server tells it."""
    run: dict[str, Any] = asking.get(f"{stack.api_url}/flow_runs/{run_id}").json()
    return run


def test_a_failure_is_found_looked_at_and_retried_under_its_own_id(stack: Stack) -> None:
    found = asking.get(f"{stack.api_url}/deployments/name/process-watch/process-watch").json()
    asked = {"parameters": {"watch_id": 4711}}
    asking.post(f"{stack.api_url}/deployments/{found['id']}/create_flow_run", json=asked)
    run = last_run(stack, "process-watch")
    listed = stack.adspark("failures", "--flow", "process-watch", "--json")
    failures = json.loads(listed.stdout)["failures"]
    (group,) = [one for one in failures if run["id"] in one["runs"]]
    assert group["cause"].startswith("UnknownWatchError: watch_id: There is no watch 4711;")

    shown = stack.adspark("task", run["id"][:8])
    assert shown.returncode == 0
    anew = "adspark run process-watch -p NAME=VALUE"
    for words in ("watch_id: 4711", "check_watch", "Traceback", anew):
        assert words in shown.stdout, shown.stdout

    unanswered = stack.adspark("retry", group["key"])
    assert (unanswered.returncode, "Aborted" in unanswered.stderr) == (1, True)
    assert run_of(stack, run["id"])["run_count"] == 1
    retried = stack.adspark("retry", group["key"], "--yes")
    assert "Retrying" in retried.stdout, retried.stderr
    end = time.monotonic() + 300
    while (now := run_of(stack, run["id"]))["run_count"] < 2 or now["state_type"] != "FAILED":
        assert time.monotonic() < end, now["state_name"]
        time.sleep(0.25)


def test_the_console_goes_on_after_bytes_that_are_no_text_and_ends_at_ctrl_c(stack: Stack) -> None:
    terminal, inside = pty.openpty()
    console = subprocess.Popen(
        [str(stack.program), "top"],
        env=stack.environment | {"TERM": "xterm-256color"},
        cwd=stack.home,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    shown = b""
    with suppress(OSError):  # the other side is closed
        while b"Quit" not in shown:
            shown += os.read(terminal, 65536)
        os.write(terminal, b"\xfc\xe9t\xe9")  # as a terminal sends them that is set to Latin-1
        while more := os.read(terminal, 65536):  # what is shown anew every two seconds
            shown += more
            os.write(terminal, b"\x03")
    assert console.wait(60) == 128 + signal.SIGINT
    assert b"Traceback" not in shown
    assert b"Error" not in shown
    os.close(terminal)


def test_a_pool_is_drained_scaled_and_goes_on(stack: Stack) -> None:
    drained = stack.adspark("drain", "maintenance", "--timeout", "60")
    assert "is paused and empty" in drained.stdout, drained.stderr
    scaled = stack.adspark("scale", "maintenance", "2")
    assert "is scaled to 2 runs at once; before: 1 run" in scaled.stdout
    maintenance = f"{stack.api_url}/work_pools/maintenance"
    asking.patch(maintenance, json={"concurrency_limit": 1}).raise_for_status()
    wrong = stack.adspark("scale", "maintenance", "many")
    assert (wrong.returncode, "N: 'many' is neither" in wrong.stderr) == (2, True)
    resumed = stack.adspark("resume", "maintenance", "--catch-up")
    assert "Pool maintenance is resumed." in resumed.stdout


def test_a_probe_of_everything_is_timed(stack: Stack) -> None:
    checked = stack.adspark("status", "--probe", "--json")
    told = json.loads(checked.stdout)
    assert told["problems"] + told["check"]["problems"] == [], checked.stdout
    assert checked.returncode == 0
    probes = told["check"]["probes"]
    assert [one["pool"] for one in probes if one["ok"]] == [one["name"] for one in told["pools"]]
    assert all(0 < one["seconds_to_start"] < one["seconds"] for one in probes)
    assert told["check"]["deployments"] == told["check"]["expected"]


def test_the_monitor_writes_json_and_ends_cleanly_at_ctrl_c(stack: Stack) -> None:
    lines = stack.adspark("monitor", "4", "--every", "0.5", "--json").stdout.splitlines()
    assert 2 <= len(lines) <= 9  # a look may take longer than the time between two
    snapshot = json.loads(lines[-1])
    assert [pool["slots"] for pool in snapshot["pools"]] == [2, 2, 1, 1]
    assert snapshot["searches_left"] is not None
    live = stack.start("monitor")
    assert live.stdout is not None
    assert "default: " in live.stdout.readline()
    live.send_signal(signal.SIGINT)
    rest, _ = live.communicate(timeout=300)
    assert (live.returncode, "Traceback" in rest) == (0, False), rest


@contextmanager
def serpapi_key(stack: Stack, key: str) -> Iterator[None]:
    """Another key in the block for a while, as if somebody had mistyped it in the UI."""
    blocks = f"{stack.api_url}/block_types/slug/serpapi-credentials/block_documents/name/adspark"
    block = f"{stack.api_url}/block_documents/{asking.get(blocks).raise_for_status().json()['id']}"
    asking.patch(block, json={"data": {"api_key": key}}).raise_for_status()
    yield
    asking.patch(block, json={"data": {"api_key": SANDBOX_KEY}}).raise_for_status()


def test_an_alert_is_sent_by_the_server_itself(stack: Stack) -> None:
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            received.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    stack.more["ADSPARK_NOTIFY_ADDRESSES"] = f"json://127.0.0.1:{server.server_port}"
    provisioned = stack.adspark("provision")
    del stack.more["ADSPARK_NOTIFY_ADDRESSES"]
    assert "block alert-recipients/adspark: is made from the environment" in provisioned.stdout
    with serpapi_key(stack, "a-key-of-nobody"):
        ill = stack.adspark("run", "health-check")
    assert (ill.returncode, "SerpApi" in ill.stderr) == (1, True), ill.stderr
    end = time.monotonic() + 300
    while not received:
        assert time.monotonic() < end, "nobody was alerted"
        time.sleep(0.2)
    server.shutdown()
    server.server_close()
    assert received[0]["title"] == "AdSpark: a health check failed"
    assert "SerpApi" in received[0]["message"]
    assert "adspark task " in received[0]["message"]


def test_the_stack_serves_figures(stack: Stack) -> None:
    told = asking.get(f"http://127.0.0.1:{stack.metrics_port}/metrics").text
    for line in (
        'adspark_up{source="prefect"} 1.0',
        'adspark_pool_workers_online{pool="default"} 1.0',
    ):
        assert line in told
