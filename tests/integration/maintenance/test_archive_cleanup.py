"""Clean-up of archived pictures: by age and by room, but for what is needed; no file stays."""

import os
import time
from pathlib import Path

import pytest

from adspark.archive.counts import count_archive
from adspark.creatives.boards import add_ads, create_board, find_board
from adspark.db.engine import Database
from adspark.library.marks.notes import write_note
from adspark.library.marks.tags import tag_ads
from adspark.maintenance.cleanup import Retention, clean_up
from adspark.media.store import MediaStore
from tests.support.archived import add_versions
from tests.support.archiving import Archive
from tests.support.factories import creative
from tests.support.owned_store import own
from tests.support.picture_host import picture_host
from tests.support.stored_ads import change
from tests.support.variants_at_hand import ask

AD = f"CR{1:020d}"
LONG_AGO = "UPDATE picture_version SET stored_at = now() - interval '500 days'"
WATCH = (
    "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
    "VALUES (1, 'w', 'example.com', false, true)",
    f"INSERT INTO watch_creative (watch_id, ad_creative_id) SELECT id, '{AD}' FROM watch",
)


def age(folder: Path) -> None:
    """Let two days pass since all files were written."""
    for file in folder.rglob("*"):
        os.utime(file, (0, time.time() - 2 * 86400))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def media(folder: Path) -> MediaStore:
    return MediaStore(str(folder))


async def two_versions(database: Database, media: MediaStore) -> None:
    """An ad that has changed, and another, archived long ago."""
    await own(database, media)
    with picture_host() as host:
        archive = Archive(database, media, (host.pair,))
        await archive.show(host, [1, 2])
        await archive.run()
        await archive.store(creative(1, image=host.url(3)))
        await archive.run()
    await change(database, LONG_AGO, "UPDATE creative SET last_shown = now()")


async def statuses(database: Database) -> list[str]:
    async with database.session() as session:
        counts = await count_archive(session)
    return ["stored"] * counts.versions + ["removed"] * counts.removed


async def test_an_earlier_version_goes_by_its_age_and_that_of_a_stored_ad_stays(
    database: Database, media: MediaStore, folder: Path
) -> None:
    await two_versions(database, media)
    age(folder)
    foreseen = await clean_up(database, media, Retention(), dry_run=True)
    assert foreseen.headline == "would remove 1 picture version"
    done = await clean_up(database, media, Retention())
    assert (done.picture_versions, done.pictures) == (1, 2)  # the picture and its thumbnail
    assert len((await media.list_folder()).pictures) == 4
    assert (await clean_up(database, media, Retention())).headline == "removed nothing"


async def test_the_pictures_of_an_ad_that_is_gone_stay_for_their_own_time(
    database: Database, media: MediaStore
) -> None:
    await two_versions(database, media)
    await change(database, "UPDATE picture_version SET stored_at = now()", "DELETE FROM creative")
    assert (await clean_up(database, media, Retention())).picture_versions == 0
    await change(database, LONG_AGO)
    assert (await clean_up(database, media, Retention())).picture_versions == 3


@pytest.mark.parametrize("by", ["board", "variant", "watch", "tag", "note"])
async def test_what_is_needed_stays_whatever_its_age_and_however_full_the_archive(
    database: Database, media: MediaStore, folder: Path, by: str
) -> None:
    await two_versions(database, media)
    async with database.session() as session:
        if by == "board":
            await create_board(session, user_id=1, name="b")
            board = await find_board(session, user_id=1, name="b")
            await add_ads(session, board_id=board.id, ids=[AD])
        elif by == "variant":
            await ask(session, AD)
        elif by == "tag":
            await tag_ads(session, user_id=1, tag="keep", ids=[AD])
        elif by == "note":
            await write_note(session, user_id=1, ad_creative_id=AD, text="keep")
        await session.commit()
    if by == "watch":
        await change(database, *WATCH)
    age(folder)
    summary = await clean_up(database, media, Retention(), archive_bytes=1)
    assert summary.picture_versions == 1  # the other ad's
    assert sorted(await statuses(database)) == ["removed", "stored", "stored"]
    assert len((await media.list_folder()).pictures) == 4
    if by == "watch":
        await change(database, "UPDATE watch_creative SET ended_at = now()")
        assert (await clean_up(database, media, Retention())).picture_versions == 1


async def test_the_oldest_go_while_the_archive_is_over_its_bound(
    database: Database, media: MediaStore, folder: Path
) -> None:
    await own(database, media)
    with picture_host() as host:
        archive = Archive(database, media, (host.pair,))
        await archive.show(host, range(1, 21))
        await archive.run()
        await change(
            database,
            "UPDATE picture_version SET "
            "stored_at = now() - interval '1 hour' * right(ad_creative_id, 3)::int",
        )
        async with database.session() as session:
            all_bytes = (await count_archive(session)).bytes
        age(folder)
        most = all_bytes // 2
        foreseen = await clean_up(database, media, Retention(), archive_bytes=most, dry_run=True)
        done = await clean_up(database, media, Retention(), archive_bytes=most, batch=3)
        assert done.picture_versions == foreseen.picture_versions > 8
        assert sum(((await media.list_folder()).pictures).values()) <= most
        async with database.session() as session:
            counts = await count_archive(session)
        assert counts.bytes == sum(((await media.list_folder()).pictures).values())
        rows = await archive.rows("stored_at DESC")
        assert [row.status for row in rows] == (
            ["stored"] * counts.versions + ["removed"] * counts.removed
        )
        assert {row.width for row in rows} == {120}
        await archive.run()  # what was removed is not fetched again
        assert set(host.asked.values()) == {1}
        await archive.show(host, [int(rows[-1].ad_creative_id[2:])])
        async with database.session() as session:  # but for what somebody wants to keep
            await create_board(session, user_id=1, name="b")
            board = await find_board(session, user_id=1, name="b")
            await add_ads(session, board_id=board.id, ids=[rows[-1].ad_creative_id])
            await session.commit()
        assert (await archive.run()).stored == 1


MIXED = (
    # Half of them old; each fifth shows the picture of the next, one of which a note needs.
    "UPDATE picture_version SET stored_at = now() - interval '1 hour' * id "
    "- CASE WHEN id % 2 = 0 THEN interval '500 days' ELSE interval '0' END",
    "UPDATE picture_version v SET sha256 = other.sha256 FROM picture_version other "
    "WHERE v.id % 5 = 0 AND other.id = v.id + 1",
    "INSERT INTO picture_words (sha256, status, lines, read_at) "
    "SELECT DISTINCT sha256, 'read', '{}'::text[], now() FROM picture_version",
    "INSERT INTO advertiser (advertiser_id, name) VALUES ('AR1', 'a')",
    "INSERT INTO creative (ad_creative_id, advertiser_id, format, last_shown) "
    "SELECT ad_creative_id, 'AR1', 'image', now() FROM picture_version WHERE id IN (11, 12)",
    "INSERT INTO creative_note (user_id, ad_creative_id, note) "
    "SELECT 1, ad_creative_id, 'keep' FROM creative",
)


@pytest.mark.parametrize("megabytes", [1, 8, 15, 18, 100])
async def test_a_dry_run_counts_each_picture_once_by_its_age_or_by_the_bound(
    database: Database, media: MediaStore, megabytes: int
) -> None:
    async with database.session() as session:
        await add_versions(session, status="stored", count=40)
        await session.commit()
    await change(database, *MIXED)

    async def counts(*, dry_run: bool) -> tuple[int, int]:
        done = await clean_up(
            database, media, Retention(), archive_bytes=megabytes * 2**20, dry_run=dry_run
        )
        return done.picture_versions, done.picture_words

    foreseen = await counts(dry_run=True)
    assert foreseen == await counts(dry_run=False)
    assert foreseen[1] > 10


async def test_files_that_no_row_has_go_and_so_does_what_was_never_finished(
    database: Database, media: MediaStore, folder: Path
) -> None:
    await two_versions(database, media)
    kept = set((await media.list_folder()).pictures)
    for name in (
        f"pictures/0f/0f{'0' * 62}.jpeg",
        f"thumbnails/0f/0f{'0' * 62}.webp",
        f"pictures/0f/.0f{'0' * 62}.png.{'a' * 32}",
        f"variants/0f/.0f{'0' * 62}.png.{'a' * 32}",
        f"originals/0f/..0f{'0' * 62}.png.{'a' * 32}.{'b' * 32}",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"left over")
    (folder / "pictures" / "notes.txt").write_text("not ours")
    assert (await clean_up(database, media, Retention(picture_versions=1000))).pictures == 0
    age(folder)
    assert (await clean_up(database, media, Retention(picture_versions=1000))).pictures == 5
    assert set((await media.list_folder()).pictures) == kept
    assert (folder / "pictures" / "notes.txt").exists()
