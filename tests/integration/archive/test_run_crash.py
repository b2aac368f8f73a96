"""A run that is killed at any step: the next one completes it, nothing is fetched twice or left."""

import os
import time
from pathlib import Path

import pytest

from adspark.maintenance.cleanup import Retention, clean_up
from adspark.media.images import check_picture
from tests.support.archiving import Archive
from tests.support.crash_steps import crashing_process, wait_for_rollback
from tests.support.owned_store import own
from tests.support.picture_host import PictureHost

_ADS = 1  # of each run
_FEWEST_STEPS = 12


@pytest.mark.timeout(1800)
async def test_a_run_that_is_killed_at_any_step_is_completed_by_the_next(
    archive: Archive, host: PictureHost, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "media"
    places = [""]
    arguments = (database_url, host.pair, str(folder))
    async with crashing_process("tests.support.archive_crash", *arguments) as send:
        while places[-1] != "done":
            first = len(places) * _ADS
            await archive.show(host, range(first, first + _ADS))
            places.append(await send(f"{len(places)}"))
            assert places[-1] not in ("", "failed"), places
            await wait_for_rollback(archive.database)
            await _complete(archive, host)
    assert len(places) > _FEWEST_STEPS
    assert {"before a commit", "after a use of the database", "os.rename of a file"} <= set(places)
    for file in folder.rglob("*"):
        os.utime(file, (0, time.time() - 2 * 86400))
    await own(archive.database, archive.media)
    await clean_up(archive.database, archive.media, Retention(days_old=36_500))
    rows = await archive.rows()
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    kept = {path for row in rows for path in (row.path, row.thumbnail_path)}
    assert files == {".adspark.json", *kept}


async def _complete(archive: Archive, host: PictureHost) -> None:
    """The next run: everything is kept afterwards, and what had been kept is not asked for."""
    kept = {row.source_url for row in await archive.rows() if row.status == "stored"}
    before = host.asked.copy()
    summary = await archive.run()
    assert (summary.waiting, summary.failures) == (0, [])
    for row in await archive.rows():
        path = row.source_url.removeprefix(f"http://{host.pair}")
        assert (row.status, row.attempts <= 2) == ("stored", True)
        if row.source_url in kept:
            assert host.asked[path] == before[path]
        assert host.asked[path] <= 2
    row = (await archive.rows("id"))[-1]
    assert (await check_picture(await archive.media.read(row.path))).sha256 == row.sha256
