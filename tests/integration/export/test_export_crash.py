"""An export that is killed at any step leaves the file whole or away, and nothing for ever."""

from pathlib import Path

import pytest

from adspark.db.engine import Database
from tests.support.crash_steps import crashing_process
from tests.support.exporting import ARCHIVED, PICTURE, archive_one, csv_rows, export, media_folder

_FEWEST_STEPS = 8


@pytest.mark.timeout(900)
async def test_an_export_that_is_killed_at_any_step_is_completed_by_the_next(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await archive_one(database)
    folder = tmp_path / "out"
    folder.mkdir()
    file = folder / "ads.csv"
    places = [""]
    arguments = (database_url, media_folder(), str(file))
    async with crashing_process("tests.support.export_crash", *arguments) as send:
        while places[-1] != "done":
            places.append(await send(f"{len(places)}"))
            assert places[-1] not in ("", "failed"), places
            if file.exists():  # of the one before, or of this one
                assert len(csv_rows(file.read_bytes())) == 5
            await export(database, str(file), with_pictures=True, replaces=True)
            found = {str(one.relative_to(folder)) for one in folder.rglob("*")}
            assert found == {"ads.csv", "ads-pictures", f"ads-pictures/{ARCHIVED}.png"}
    assert len(places) > _FEWEST_STEPS
    assert {"open", "os.mkdir", "os.rename", "shutil.rmtree"} <= set(places), places
    assert (folder / f"ads-pictures/{ARCHIVED}.png").read_bytes() == PICTURE
