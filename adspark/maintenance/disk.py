"""Room on a disk."""

import asyncio
import shutil
from pathlib import Path

from adspark.maintenance.check import Check

_FEW = 0.1  # share of the disk below which a person is warned
_LITTLE = 2**30  # bytes below which the next clean-up or sweep may fail


async def check_disk(folder: Path) -> Check:
    """Whether the folder's disk has room."""
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    state = f"{usage.free / 2**30:.1f} of {usage.total / 2**30:.1f} GB free for {folder}"
    if usage.free < _LITTLE:
        return Check.failed("disk", state, "adspark run cleanup-old-creatives; free some space")
    if usage.free < _FEW * usage.total:
        return Check.warning("disk", state, "adspark run cleanup-old-creatives -p dry_run=true")
    return Check.ok("disk", state)
