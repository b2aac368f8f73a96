"""Clean-up: what goes, what stays, in steps that hold up nobody."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import psycopg
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from sqlalchemy import text

from adspark.creatives.boards import add_ads, create_board, find_board
from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.maintenance.cleanup import CleanupSummary, Retention, clean_up
from adspark.media.images import inspect_picture
from adspark.media.store import MediaStore
from adspark.models import Fetch, FetchStatus, Message
from adspark.sandbox.control.pictures import draw_picture
from adspark.variants.reviews.store import Review, save_review
from tests.support.archived import add_versions
from tests.support.memory_store import PROTOCOL, MemoryStore
from tests.support.owned_store import own
from tests.support.stored_ads import LET_VARIANTS_AGE, OLD, change, ids, stock
from tests.support.variants_at_hand import AD, OTHER, ask, finish

PICTURE = draw_picture({"advertiser": "A", "ad_creative_id": AD, "format": "text"})


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(str(tmp_path / "media"))


async def test_ads_that_are_no_longer_shown_go_and_a_second_time_nothing_does(
    database: Database, media: MediaStore
) -> None:
    await stock(database)
    await change(database, f"UPDATE creative SET last_shown = now() WHERE ad_creative_id = '{AD}'")
    summary = await clean_up(database, media, Retention())
    assert summary.headline == "removed 2 ads"
    assert await ids(database, "SELECT ad_creative_id FROM creative") == [AD]
    assert (await clean_up(database, media, Retention())).headline == "removed nothing"


async def test_an_ad_stays_with_an_approved_variant_or_one_that_is_being_made(
    database: Database, media: MediaStore
) -> None:
    await stock(database)
    async with database.session() as session:
        approved = await finish(session, await ask(session, AD))
        await save_review(session, variant=approved, review=Review(user_id=1, is_approved=True))
        await ask(session, OTHER)
        third = await finish(session, await ask(session, f"CR{3:020d}"))
        await save_review(session, variant=third, review=Review(user_id=1, is_approved=False))
        await session.commit()
    await change(database, *LET_VARIANTS_AGE)
    summary = await clean_up(database, media, Retention())
    assert (summary.creatives, summary.variants) == (1, 1)
    assert await ids(database, "SELECT ad_creative_id FROM creative ORDER BY 1") == [AD, OTHER]


@pytest.mark.parametrize(
    "touched",
    [
        pytest.param("ad_variant SET requested_at = {}", id="requested"),
        pytest.param("ad_variant SET started_at = {}", id="started"),
        pytest.param("ad_variant SET status = 'failed', completed_at = {}", id="failed"),
        pytest.param("ad_variant SET status = 'completed', completed_at = {}", id="completed"),
        pytest.param("variant_feedback SET updated_at = {}", id="reviewed"),
    ],
)
async def test_a_variant_and_its_ad_stay_as_long_after_the_last_that_happened_to_the_variant(
    database: Database, media: MediaStore, touched: str
) -> None:
    await stock(database)
    async with database.session() as session:
        made = await finish(session, await ask(session, AD))
        await save_review(session, variant=made, review=Review(user_id=1, is_approved=False))
        await session.commit()
    await change(database, *LET_VARIANTS_AGE)
    update = f"UPDATE {touched}"
    await change(database, update.format("now() - interval '89 days'"))
    foreseen = await clean_up(database, media, Retention(), dry_run=True)
    assert foreseen.headline == "would remove 2 ads"
    assert (await clean_up(database, media, Retention())).headline == "removed 2 ads"
    assert await ids(database, "SELECT original_ad_id FROM ad_variant") == [AD]
    await change(database, update.format("now() - interval '91 days'"))
    foreseen = await clean_up(database, media, Retention(), dry_run=True)
    done = await clean_up(database, media, Retention())
    assert (foreseen.creatives, foreseen.variants) == (done.creatives, done.variants) == (1, 1)


async def test_an_ad_stays_while_it_is_on_a_board(database: Database, media: MediaStore) -> None:
    await stock(database)
    async with database.session() as session:
        for user in (1, 2):
            await create_board(session, user_id=user, name="b")
            board = await find_board(session, user_id=user, name="b")
            await add_ads(session, board_id=board.id, ids=[AD, OTHER])
        await session.commit()
    assert (await clean_up(database, media, Retention(), dry_run=True)).creatives == 1
    assert (await clean_up(database, media, Retention())).creatives == 1
    await change(database, "DELETE FROM board WHERE user_id = 1")
    assert (await clean_up(database, media, Retention())).creatives == 0
    await change(database, f"DELETE FROM board_creative WHERE ad_creative_id = '{AD}'")
    assert (await clean_up(database, media, Retention())).creatives == 1
    assert await ids(database, "SELECT ad_creative_id FROM creative") == [OTHER]


async def test_a_dry_run_counts_the_same_and_removes_nothing(
    database: Database, media: MediaStore
) -> None:
    await stock(database)
    async with database.session() as session:
        await finish(session, await ask(session, AD))
        await session.commit()
    await change(database, *LET_VARIANTS_AGE)
    foreseen = await clean_up(database, media, Retention(), dry_run=True)
    assert foreseen.headline == "would remove 3 ads, 1 variant"
    done = await clean_up(database, media, Retention())
    assert (done.creatives, done.variants) == (foreseen.creatives, foreseen.variants)


async def test_an_advertiser_goes_with_its_last_ad_unless_a_watch_names_it(
    database: Database, media: MediaStore
) -> None:
    await stock(database)
    watch = (
        "INSERT INTO watch (user_id, name, advertiser_ids, political_ads, is_active) "
        "SELECT 1, 'w', array_agg(advertiser_id), false, true FROM advertiser"
    )
    await change(database, watch)
    assert (await clean_up(database, media, Retention())).advertisers == 0
    await change(database, "DELETE FROM watch")
    assert (await clean_up(database, media, Retention())).advertisers == 1


async def test_the_ledger_rejected_rows_and_delivered_messages_go_by_their_age(
    database: Database, media: MediaStore
) -> None:
    now = datetime.now(UTC)
    async with database.session() as session:
        for days in (500, 300):
            began = now - timedelta(days=days)
            session.add(
                Fetch(query={}, query_hash="x", status=FetchStatus.COMPLETED, started_at=began)
            )
        for delivered in (now - timedelta(days=100), None):
            session.add(Message(subject="s", body="b", recipient="r", delivered_at=delivered))
        await session.commit()
    await change(
        database,
        "INSERT INTO rejected_row (fetch_id, reason, payload, created_at) "
        f"SELECT id, 'r', '{{}}', {OLD} FROM \"fetch\" "
        "WHERE started_at > now() - interval '400 days'",
    )
    await change(
        database,
        "INSERT INTO generation_use (variant_id, attempt, user_id, used_at) SELECT variant, "
        "attempt, 1, now() - make_interval(days => 500 - 200 * attempt + 200) FROM "
        "generate_series(1, 3) AS variant, generate_series(1, 2) AS attempt",
    )
    summary = await clean_up(database, media, Retention(), batch=2)
    assert (summary.fetches, summary.rejected_rows, summary.messages) == (1, 1, 1)
    assert summary.generation_uses == 3
    assert await ids(database, "SELECT DISTINCT attempt FROM generation_use") == [2]
    assert await ids(database, "SELECT count(*) FROM message") == [1]


async def test_pictures_that_no_variant_has_go_once_they_are_a_day_old(
    database: Database, media: MediaStore
) -> None:
    await stock(database)
    used, _ = await media.save_variant(PICTURE)
    unused = await media.save_original("1" * 64, PICTURE)
    new = await media.save_original("2" * 64, PICTURE)
    async with database.session() as session:
        made = await finish(session, await ask(session), image_path=used)
        await save_review(session, variant=made, review=Review(user_id=1, is_approved=True))
        await session.commit()
    for path in (used, unused):
        os.utime(media.locate(path), (0, time.time() - 2 * 86400))
    await own(database, media)
    assert (await clean_up(database, media, Retention(), dry_run=True)).pictures == 1
    summary = await clean_up(database, media, Retention())
    assert (summary.pictures, summary.picture_bytes) == (1, len(PICTURE))
    assert set((await media.list_folder()).pictures) == {used, new}


async def test_a_picture_that_cannot_be_removed_is_named_and_keeps_no_other(
    database: Database,
) -> None:
    store = MediaStore(f"{PROTOCOL}://cleanup")
    await own(database, store)
    paths = [await store.save_original(f"{number}" * 64, PICTURE) for number in range(9)]
    for kept in MemoryStore.store.values():
        kept.modified -= timedelta(days=2)
    MemoryStore.protected |= {f"/cleanup/{path}" for path in paths[1:8]}
    try:
        foreseen = await clean_up(database, store, Retention(), dry_run=True)
        summary = await clean_up(database, store, Retention())
    finally:
        MemoryStore.protected.clear()
    assert (foreseen.pictures, foreseen.unremoved) == (9, 0)
    assert (summary.pictures, summary.unremoved) == (2, 7)
    assert summary.unremoved_pictures == [f"{one}: Operation not permitted" for one in paths[1:6]]
    assert f"; 7 pictures could not be removed ({paths[1]}: Operation not" in summary.headline
    assert summary.headline.endswith(f"{paths[5]}: Operation not permitted, …)")
    assert (await clean_up(database, store, Retention())).pictures == 7


async def test_what_is_no_picture_by_its_name_is_left_and_told(
    database: Database, media: MediaStore, tmp_path: Path
) -> None:
    store = tmp_path / "media"
    hexed = "ab" + "0" * 62
    (store / "variants/zz").mkdir(parents=True)
    (store / "variants/zz/orphan.png").write_bytes(PICTURE)
    (store / "originals/ab").mkdir(parents=True)
    os.mkfifo(store / "originals/ab/pipe")
    Path(os.fsdecode(bytes(store / "originals") + b"/ab/\xff.png")).write_bytes(b"")
    (store / "pictures/ab").mkdir(parents=True)
    (store / "pictures/ab/two\nlines").write_bytes(b"")
    (store / f"variants/ab/{hexed}.png").mkdir(parents=True)
    for dry_run in (True, False):
        summary = await clean_up(database, media, Retention(), dry_run=dry_run)
        assert (summary.pictures, summary.strays) == (0, 6)
        assert summary.model_dump(mode="json")["stray_paths"] == [
            "originals/ab/pipe",
            r"originals/ab/\udcff.png",
            f"variants/ab/{hexed}.png",
            "variants/zz",
            "variants/zz/orphan.png",
        ]
        assert "6 entries (originals/ab/pipe, " in summary.headline
        assert summary.headline.endswith("variants/zz/orphan.png, …)")
    assert (store / "variants/zz/orphan.png").exists()


async def test_of_a_large_archive_too_it_is_told_what_is_no_picture(
    database: Database, media: MediaStore, tmp_path: Path
) -> None:
    async with database.session() as session:
        await add_versions(session, status="stored", count=50_001)
        await session.commit()
    for place in ("pictures/zz/a.png", "pictures/b.png", "thumbnails/ab/c.png"):
        file = tmp_path / "media" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(PICTURE)
    summary = await clean_up(database, media, Retention(), dry_run=True)
    assert summary.stray_paths == ["pictures/b.png", "pictures/zz", "thumbnails/ab/c.png"]
    assert summary.strays == 3


async def test_a_link_that_leads_nowhere_goes_as_other_pictures_do(
    database: Database, media: MediaStore, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere.png"
    target.write_bytes(PICTURE)
    links = [tmp_path / f"media/originals/ab/ab{digit * 62}.png" for digit in "012"]
    await own(database, media)
    links[0].parent.mkdir(parents=True)
    for link, leads_to in zip(links, (tmp_path / "nowhere", target, links[2]), strict=True):
        link.symlink_to(leads_to)
        os.utime(link, (0, time.time() - 2 * 86400), follow_symlinks=False)
    os.utime(target, (0, time.time() - 2 * 86400))
    assert (await clean_up(database, media, Retention(), dry_run=True)).pictures == 3
    summary = await clean_up(database, media, Retention())
    assert (summary.pictures, summary.strays) == (3, 0)
    assert not any(link.is_symlink() for link in links)
    assert target.read_bytes() == PICTURE


async def test_the_thumbnail_of_a_variant_stays_and_goes_with_it(
    database: Database, media: MediaStore
) -> None:
    await stock(database)
    path, picture = await media.save_variant(PICTURE)
    thumbnail = await media.save_thumbnail(await inspect_picture(picture.content))
    async with database.session() as session:
        made = await finish(session, await ask(session), image_path=path, thumbnail_path=thumbnail)
        await save_review(session, variant=made, review=Review(user_id=1, is_approved=True))
        await session.commit()
    for one in (path, thumbnail):
        os.utime(media.locate(one), (0, time.time() - 2 * 86400))
    await own(database, media)
    assert (await clean_up(database, media, Retention())).pictures == 0
    await change(database, "DELETE FROM ad_variant")
    assert (await clean_up(database, media, Retention())).pictures == 2
    assert (await media.list_folder()).pictures == {}


@pytest.mark.parametrize(
    ("field", "days", "least"), [("days_old", 0, 1), ("fetches", 61, 62), ("messages", -1, 1)]
)
async def test_what_is_still_needed_cannot_be_kept_too_short(
    database: Database, media: MediaStore, field: str, days: int, least: int
) -> None:
    await stock(database)
    with pytest.raises(InvalidQueryError, match=f"{field}: must be {least} to 36500, not {days}"):
        await clean_up(database, media, Retention(**{field: days}))
    assert await ids(database, "SELECT count(*) FROM creative") == [3]


async def test_rows_that_somebody_is_writing_to_hold_nothing_up(
    database: Database, media: MediaStore
) -> None:
    await stock(database, ads=10)
    async with database.session() as other:
        await other.execute(
            text(f"SELECT 1 FROM creative WHERE ad_creative_id = '{AD}' FOR UPDATE")
        )
        async with asyncio.timeout(60):
            summary = await clean_up(database, media, Retention(), batch=3)
    assert summary.creatives == 9
    assert (await clean_up(database, media, Retention())).creatives == 1


async def test_every_step_tells_how_far_it_is(database: Database, media: MediaStore) -> None:
    await stock(database, ads=10)
    told: list[int] = []

    def note(so_far: CleanupSummary) -> None:
        told.append(so_far.creatives)

    await clean_up(database, media, Retention(), batch=4, on_step=note)
    assert told[:3] == [4, 8, 10]


class Shelf(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store that looks, whenever it is asked for something, who keeps the database waiting."""

    protocol = "shelf"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace("shelf://", "memory://")))

    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    database_url = ""
    waiting: ClassVar[list[int]] = []

    def modified(self, path: str) -> datetime:
        self._look()
        moment: datetime = super().modified(path)
        return moment

    def _rm(self, path: str) -> None:
        self._look()
        super()._rm(path)

    def _look(self) -> None:
        with psycopg.connect(self.database_url) as connection:
            (found,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%'"
            ).fetchone() or (0,)
        self.waiting.append(found)


async def test_the_database_is_not_kept_waiting_for_the_pictures(
    database: Database, database_url: str
) -> None:
    fsspec.register_implementation("shelf", Shelf, clobber=True)
    Shelf.database_url = database_url
    shelf = MediaStore("shelf://media")
    await own(database, shelf)
    for number in range(3):
        await shelf.save_original(f"{number}" * 64, PICTURE)
    for kept in Shelf.store.values():
        kept.modified -= timedelta(days=2)
    Shelf.waiting.clear()
    assert (await clean_up(database, shelf, Retention())).pictures == 3
    assert len(Shelf.waiting) > 3
    assert set(Shelf.waiting) == {0}
    assert (await shelf.list_folder()).pictures == {}


async def test_a_picture_that_came_into_use_again_stays_before_its_variant_is_entered(
    database: Database, media: MediaStore
) -> None:
    await own(database, media)
    paths = [await media.save_original(f"{number}" * 64, PICTURE) for number in range(3)]
    for path in paths:
        os.utime(media.locate(path), (0, time.time() - 2 * 86400))
    assert await media.reuse(paths[1])
    assert (await clean_up(database, media, Retention())).pictures == 2
    assert set((await media.list_folder()).pictures) == {paths[1]}
