"""The disk of ADSPARK_HOME, as the commands of operators show it."""

from pathlib import Path

from adspark.maintenance.check import CheckState
from adspark.maintenance.disk import check_disk
from orchestration.server.pool_health import Problem


async def find_disk_problem(folder: Path) -> Problem | None:
    """What a person should see to, as the health check says it; None where there is nothing."""
    try:
        check = await check_disk(folder)
    except OSError as error:
        return Problem(what=f"disk: {folder}: {error.strerror}", remedy="look at ADSPARK_HOME")
    if check.state is not CheckState.FAILED:
        return None
    return Problem(what=f"disk: {check.what}", remedy=check.remedy)
