"""Runs the peer: a redis-server and a Celery worker of its own, then one sweep, measured."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import psycopg

from benchmarks.ports import free_port
from benchmarks.sandbox import Sandbox
from benchmarks.sweep_probe import Probe

_PATIENCE = 60.0  # seconds for a server to answer
_POLL = 0.2  # seconds between two looks at how far the sweep is
_BEGUN = "SELECT now()"
_LEFT = "SELECT count(*) FROM watch WHERE is_active AND due_at <= now()"
_FOUND = """
    SELECT (SELECT count(*) FROM watch WHERE checked_at >= %(since)s),
        (SELECT coalesce(sum(searches_billed), 0) FROM "fetch" WHERE started_at >= %(since)s),
        (SELECT count(*) FROM creative_event
            WHERE occurred_at >= %(since)s AND kind <> 'baseline')
"""


def missing_parts() -> list[str]:
    """What the peer needs and this machine lacks."""
    packages = ["celery", "psycopg_pool", "redis"]
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return missing + ([] if shutil.which("redis-server") else ["redis-server"])


def sweep_by_celery(database_url: str, sandbox: Sandbox) -> Probe:
    """One sweep of all due watches; CPU time is the worker's, without what redis-server takes."""
    with _running_redis() as broker, _running_worker(broker, database_url, sandbox) as worker:
        with psycopg.connect(database_url, autocommit=True) as connection:
            since = connection.execute(_BEGUN).fetchone()
            wall, cpu = time.perf_counter(), _cpu_seconds(worker)
            _send_sweep(broker, database_url, sandbox)
            while _first(connection, _LEFT):
                time.sleep(_POLL)
                if worker.status() == psutil.STATUS_ZOMBIE:
                    raise RuntimeError("the Celery worker has ended")
            wall, cpu = time.perf_counter() - wall, _cpu_seconds(worker) - cpu
            found = connection.execute(_FOUND, {"since": since and since[0]}).fetchone()
        checked, searches, news = map(int, found or (0, 0, 0))
        return Probe(
            seconds=wall,
            cpu_seconds=cpu,
            peak_rss=worker.memory_info().rss,
            checked=checked,
            searches=searches,
            news=news,
        )


def _first(connection: psycopg.Connection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _running_redis() -> Iterator[str]:
    """A redis-server on a free port of this machine, without a file; yields its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="adspark-") as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                   "--dir", folder]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                _wait_for_port(port)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.terminate()


def _wait_for_port(port: int) -> None:
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > ends:
                raise RuntimeError("redis-server did not start") from None
            time.sleep(_POLL)
        else:
            return


def _environment(broker: str, database_url: str, sandbox: Sandbox) -> dict[str, str]:
    return os.environ | {
        "PEER_BROKER_URL": broker,
        "PEER_DATABASE_URL": database_url,
        "PEER_SERPAPI_URL": sandbox.url,
        "PEER_SERPAPI_KEY": sandbox.key,
    }


@contextmanager
def _running_worker(broker: str, database_url: str, sandbox: Sandbox) -> Iterator[psutil.Process]:
    """A worker with threads that answers; stopped at the end."""
    environment = _environment(broker, database_url, sandbox)
    celery = [sys.executable, "-m", "celery", "--app", "benchmarks.celery_peer.tasks"]
    options = ["--pool", "threads", "--concurrency", "30", "--without-gossip", "--without-mingle",
               "--without-heartbeat", "--loglevel", "WARNING"]  # fmt: skip
    with subprocess.Popen(
        [*celery, "worker", *options], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            ping = [*celery, "inspect", "--timeout", "2", "ping"]
            ends = time.monotonic() + _PATIENCE
            while subprocess.run(
                ping, env=environment, capture_output=True, check=False
            ).returncode:
                if time.monotonic() > ends:
                    raise RuntimeError("the Celery worker did not start")
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def _send_sweep(broker: str, database_url: str, sandbox: Sandbox) -> None:
    environment = _environment(broker, database_url, sandbox)
    command = [sys.executable, "-m", "celery", "--app", "benchmarks.celery_peer.tasks", "call",
               "sweep"]  # fmt: skip
    subprocess.run(command, env=environment, check=True, capture_output=True)
