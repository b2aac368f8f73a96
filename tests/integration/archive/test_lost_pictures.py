"""Stored pictures that the media store lacks: noticed by a sample, and downloaded again."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from adspark.db.engine import Database
from adspark.errors import AdSparkError
from adspark.maintenance.lost_pictures import check_pictures
from adspark.media.images import check_picture, inspect_picture
from adspark.media.store import Listing, MediaStore
from tests.support.archived import add_versions
from tests.support.archiving import AMPLE, Archive
from tests.support.picture_host import PictureHost, draw_ad
from tests.support.stored_ads import change
from tests.support.variants_at_hand import ask, finish, stocked

FOLDERS = 256  # of archived pictures


async def check(database: Database, media: MediaStore) -> tuple[str, str]:
    """State and finding of the check."""
    async with database.session() as session:
        found = await check_pictures(session, media)
    assert bool(found.remedy) == (found.state == "warning")
    assert not found.remedy or "makes lost thumbnails again from their pictures" in found.remedy
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


async def test_what_is_lost_is_downloaded_again_when_asked_and_nothing_else(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, range(1, 6))
    await archive.run()
    first, second, *_ = await archive.rows()
    Path(archive.media.locate(first.path)).unlink()
    Path(archive.media.locate(second.thumbnail_path)).unlink()
    assert (await archive.run()).headline == "0 pictures stored (0.0 MB)"
    summary = await archive.run(tries_failed=True)
    told = "1 picture stored (0.0 MB), 1 lost picture requeued, 1 lost thumbnail made again"
    assert summary.headline == told
    assert await archive.media.read(first.path) == draw_ad(1)
    assert await archive.media.has(second.thumbnail_path)
    assert sorted(host.asked.values()) == [1, 1, 1, 1, 2]
    assert [row.status for row in await archive.rows()] == ["stored"] * 5
    assert (await archive.run(tries_failed=True)).requeued == 0


async def test_a_picture_whose_thumbnail_alone_is_lost_stays_though_its_address_works_no_more(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, [1, 2])
    await archive.run()
    before = await archive.rows()
    Path(archive.media.locate(before[0].path)).write_bytes(b"no picture any more")
    assert archive.media.folder is not None
    shutil.rmtree(archive.media.folder / "thumbnails")
    host.answers |= {"/1.png": (404, b"gone"), "/2.png": (404, b"gone")}
    summary = await archive.run(tries_failed=True)
    assert (summary.requeued, summary.thumbnails, summary.failed) == (0, 1, 0)
    assert await archive.rows() == before
    assert await archive.media.has(before[1].thumbnail_path)


async def test_a_thumbnail_whose_picture_was_written_over_by_another_is_not_made_again(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, [1])
    await archive.run()
    (row,) = await archive.rows()
    Path(archive.media.locate(row.path)).write_bytes(draw_ad(2))
    Path(archive.media.locate(row.thumbnail_path)).unlink()
    assert (await archive.run(tries_failed=True)).thumbnails == 0
    assert set((await archive.media.list_folder()).pictures) == {row.path}


async def test_all_folders_are_looked_at_with_one_look_at_the_variants(archive: Archive) -> None:
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await archive.run(tries_failed=True)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert sum("FROM ad_variant" in one and "thumbnail_path" in one for one in asked) == 1
    assert len(asked) > FOLDERS


async def test_a_lost_thumbnail_of_a_variant_is_made_again(archive: Archive) -> None:
    path, picture = await archive.media.save_variant(draw_ad(1))
    thumbnail = await archive.media.save_thumbnail(await inspect_picture(picture.content))
    async with stocked(archive.database) as session:
        await finish(session, await ask(session), image_path=path, thumbnail_path=thumbnail)
        await session.commit()
    Path(archive.media.locate(thumbnail)).unlink()
    assert (await archive.run(tries_failed=True)).thumbnails == 1
    assert (await check_picture(await archive.media.read(thumbnail))).format == "webp"
    assert (await archive.run(tries_failed=True)).thumbnails == 0


async def test_a_folder_that_cannot_be_listed_is_told_and_none_of_its_pictures_counts_as_lost(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, range(1, 4))
    await archive.run()
    before = await archive.rows()
    folder = Path(archive.media.locate(before[0].path)).parent
    folder.rename(folder.with_name("away"))
    folder.symlink_to(folder)  # which nobody can follow, root neither
    with pytest.raises(AdSparkError, match=f"Too many levels of symbolic links: {folder}"):
        await archive.run(tries_failed=True)
    assert (await archive.rows())[0] == before[0]
    folder.unlink()
    folder.with_name("away").rename(folder)
    assert (await archive.run(tries_failed=True)).requeued == 0


async def test_a_lost_store_comes_back_run_by_run_and_each_is_bounded(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, range(1, 11))
    await archive.run()
    assert archive.media.folder is not None
    shutil.rmtree(archive.media.folder)
    few = replace(AMPLE, pictures=4)
    summaries = [await archive.run(few, tries_failed=True) for _ in range(4)]
    assert [(one.requeued, one.stored) for one in summaries] == [(4, 4), (4, 4), (2, 2), (0, 0)]
    assert (await check(archive.database, archive.media))[0] == "ok"


async def test_while_the_store_cannot_be_written_nothing_is_requeued(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, [1])
    await archive.run()
    folder = archive.media.folder
    assert folder is not None
    shutil.rmtree(folder)
    folder.write_bytes(b"no folder")
    with pytest.raises(AdSparkError):
        await archive.run(tries_failed=True)
    assert [row.status for row in await archive.rows()] == ["stored"]


async def test_a_picture_that_has_moved_on_meanwhile_is_left_alone(
    archive: Archive, host: PictureHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archive.show(host, [1])
    await archive.run()
    (row,) = await archive.rows()
    Path(archive.media.locate(row.path)).unlink()
    listed = archive.media.list_folder

    async def list_late(folder: str = "", *, is_deep: bool = True) -> Listing:
        await change(
            archive.database,
            "UPDATE picture_version SET status = 'removed', path = NULL, thumbnail_path = NULL",
        )
        return await listed(folder, is_deep=is_deep)

    monkeypatch.setattr(archive.media, "list_folder", list_late)
    assert (await archive.run(tries_failed=True)).requeued == 0
    assert [row.status for row in await archive.rows()] == ["removed"]
