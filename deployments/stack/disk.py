"""Room on the disk of the stack: without it nothing that died is started again, and people know."""

import shutil
from pathlib import Path
from tempfile import TemporaryFile

from adspark.maintenance.check import CheckState
from adspark.maintenance.disk import check_disk
from orchestration.server.pool_health import Problem

_ROOM = 32 * 2**20  # bytes: two segments of PostgreSQL's log, of which it begins one as it starts
_BLOCK = 2**20


def has_room(folder: Path) -> bool:
    """Whether the folder's disk takes what PostgreSQL writes as it starts; a quota, or a lack of
    inodes, shows only when something is written."""
    try:
        if shutil.disk_usage(folder).free < _ROOM:
            return False
        with TemporaryFile(dir=folder) as file:
            for _ in range(_ROOM // _BLOCK):
                file.write(bytes(_BLOCK))
            file.flush()
    except OSError:
        return False
    return True


async def find_problem(folder: Path) -> Problem | None:
    """What a person should see to, as the health check says it; None where there is nothing."""
    try:
        check = await check_disk(folder)
    except OSError as error:
        return Problem(what=f"disk: {folder}: {error.strerror}", remedy="look at ADSPARK_HOME")
    if check.state is not CheckState.FAILED:
        return None
    return Problem(what=f"disk: {check.what}", remedy=check.remedy)
