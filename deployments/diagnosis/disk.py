"""The disks of ADSPARK_HOME and of local pictures, as the commands of operators show them."""

from functools import partial
from pathlib import Path

from adspark.maintenance.check import CheckState, look_at
from adspark.maintenance.disk import check_disk
from adspark.settings import Settings, media_url
from adspark.text.sentences import without_full_stop
from deployments.diagnosis.machine import check_media_store
from orchestration.server.pool_health import Problem


async def find_disk_problems(home: Path, settings: Settings) -> list[Problem]:
    """What a person should see to, as the health check says it; pictures elsewhere have no disk."""
    problem = await _find_home_problem(home)
    if problem and settings.media_url is None:  # on the same disk
        return [problem]
    found = [problem] if problem else []
    if "://" in media_url(settings).removeprefix("file://"):
        return found
    looking = partial(check_media_store, settings)
    media = await look_at("media store", looking, remedy="adspark doctor")
    if media.state is CheckState.FAILED:
        found.append(Problem(f"{media.name}: {without_full_stop(media.what)}", media.remedy))
    return found


async def _find_home_problem(folder: Path) -> Problem | None:
    try:
        check = await check_disk(folder)
    except OSError as error:
        return Problem(f"disk: {folder}: {error.strerror}", "look at ADSPARK_HOME")
    if check.state is not CheckState.FAILED:
        return None
    return Problem(f"disk: {check.what}", check.remedy)
