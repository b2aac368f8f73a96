"""Stored pictures that the media store lacks: noticed by a sample, and named with the store."""

import shutil
from pathlib import Path

import pytest

from adspark.db.engine import Database
from adspark.maintenance.lost_pictures import check_pictures
from adspark.media.store import MediaStore
from tests.support.archived import add_versions
from tests.support.archiving import Archive
from tests.support.picture_host import PictureHost, draw_ad
from tests.support.variants_at_hand import ask, finish, stocked


async def check(database: Database, media: MediaStore) -> tuple[str, str]:
    """State and finding of the check."""
    async with database.session() as session:
        found = await check_pictures(session, media)
    assert bool(found.remedy) == (found.state == "warning")
    return found.state, found.what


async def test_where_nothing_is_stored_nothing_is_missing(
    database: Database, tmp_path: Path
) -> None:
    media = MediaStore(str(tmp_path / "never made"))
    assert await check(database, media) == ("ok", "none is stored yet")


async def test_a_store_that_was_moved_away_is_noticed(archive: Archive, host: PictureHost) -> None:
    await archive.show(host, range(1, 6))
    await archive.run()
    whole = "of 10 files looked at, the media store lacks none"
    assert await check(archive.database, archive.media) == ("ok", whole)
    folder = archive.media.folder
    assert folder is not None
    folder.rename(folder.with_name("elsewhere"))
    told = "the database counts 5 pictures of ads and 0 of variants; of 10 files looked at, "
    assert await check(archive.database, archive.media) == (
        "warning",
        f"{told}the media store at {folder} lacks 10",
    )
    folder.with_name("elsewhere").rename(folder)
    assert await check(archive.database, archive.media) == ("ok", whole)


async def test_pictures_of_variants_are_looked_at(database: Database, tmp_path: Path) -> None:
    media = MediaStore(str(tmp_path))
    path, _ = await media.save_variant(draw_ad(1))
    async with stocked(database) as session:
        await finish(session, await ask(session), image_path=path, thumbnail_path=None)
        await session.commit()
    assert (await check(database, media))[0] == "ok"
    shutil.rmtree(tmp_path / "variants")
    state, what = await check(database, media)
    assert state == "warning"
    assert "0 pictures of ads and 1 of variants; of 1 file looked at, the" in what


@pytest.mark.parametrize("count", [1, 500])
async def test_few_are_looked_at_however_many_there_are(
    database: Database, tmp_path: Path, count: int
) -> None:
    async with database.session() as session:
        await add_versions(session, status="stored", count=count)
        await session.commit()
    _, what = await check(database, MediaStore(str(tmp_path)))
    looked_at = int(what.partition("; of ")[2].split()[0])
    assert 2 <= looked_at <= 40
