"""A worker's name belongs to one process of this host: by it a worker knows what it has claimed.

A name is a file in the temporary folder of this account, locked as long as the worker lives: the
system drops the lock with the process, however that ends, and no run's process has it.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from filelock import FileLock, Timeout
from prefect.client.schemas.objects import FlowRun

from adspark.errors import ConfigurationError
from adspark.home.running_stack import LOCK_PATIENCE, is_locked

WORKER_LABEL = "prefect.worker.name"
"""The label of a run that names the worker that has claimed it."""


@contextmanager
def hold_name(name: str, pool: str, api_url: str) -> Iterator[None]:
    """Let no other process of this host be the worker of this name.

    Args:
        name: of the worker.
        pool: its pool.
        api_url: address of Prefect's server.

    Raises:
        ConfigurationError: another process is.
    """
    path = _file(name, pool, api_url)
    try:
        lock = FileLock(path).acquire(timeout=LOCK_PATIENCE)
    except Timeout:
        raise ConfigurationError(
            f"Process {path.read_text()} of this host is the worker {name} of the pool {pool} "
            "already.",
            command="stop it, or give this one another name: --name",
        ) from None
    with lock:
        path.write_text(str(os.getpid()))
        yield


def is_held(name: str, pool: str, api_url: str) -> bool:
    """Whether a process of this host is the worker of this name.

    Args:
        name: of the worker.
        pool: its pool.
        api_url: address of Prefect's server.
    """
    return is_locked(_file(name, pool, api_url))


def is_of_another(run: FlowRun, worker: str | None, api_url: str) -> bool:
    """Whether another worker of this host has claimed the run, and lives.

    Args:
        run: that somebody may have claimed.
        worker: the name of the one that asks; None asks about any.
        api_url: address of Prefect's server.
    """
    name, pool = run.labels.get(WORKER_LABEL), run.work_pool_name
    if name is None or name == worker or pool is None:
        return False
    return is_held(str(name), pool, api_url)


def _file(name: str, pool: str, api_url: str) -> Path:
    url = httpx.URL(api_url.rstrip("/"))
    if url.host == "localhost":
        url = url.copy_with(host="127.0.0.1")
    key = hashlib.sha256("\n".join([str(url), pool, name]).encode()).hexdigest()
    return Path(tempfile.gettempdir()) / f"worker-{key[:32]}.lock"
