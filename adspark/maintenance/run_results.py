"""Remove the results that runs have kept in ADSPARK_HOME, a file each, which Prefect never does."""

import os
import time
from pathlib import Path

_SECONDS_A_DAY = 86_400.0


def remove_run_results(folder: Path, *, days_old: float, dry_run: bool = False) -> int:
    """Remove the files of a folder that are older; returns how many.

    Args:
        folder: of results; it need not be there.
        days_old: since a file was written.
        dry_run: count, remove nothing.
    """
    limit = time.time() - days_old * _SECONDS_A_DAY
    try:
        found = list(os.scandir(folder))
    except FileNotFoundError:
        return 0
    removed = 0
    for entry in found:
        if not entry.is_file(follow_symlinks=False):
            continue
        if entry.stat(follow_symlinks=False).st_mtime < limit:
            removed += 1
            if not dry_run:
                Path(entry).unlink(missing_ok=True)
    return removed
