"""A flow that wants memory, or waits, or ends in some way; it is written into an installation."""

import asyncio
import os
import signal
import time
from pathlib import Path

from prefect import flow, task
from prefect.runtime import flow_run

from orchestration.limits.time_limits import time_limit


@task
@time_limit("cleanup_time_limit")
async def limited() -> None:
    """Hang."""
    time.sleep(600)  # noqa: ASYNC251


def may_end() -> bool:
    """Whether a file with the run's id is beside this one."""
    return Path("/var/lib/adspark/tried", flow_run.id).exists()


@flow(name="hungry")
async def hungry(megabytes: int = 0, waits: bool = False, how: str = "") -> str:
    """Take memory; with `waits`, go on until it may end."""
    taken = bytearray(0)
    for _ in range(megabytes // 10):
        taken += b"1" * 10 * 2**20
    if how == "breaks":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "exits":
        print("the disk is full", flush=True)  # noqa: T201
        os._exit(3)
    if how == "hangs":
        await limited()
    while waits and not may_end():
        await asyncio.sleep(0.2)
    return f"{len(taken) // 2**20} MB"
