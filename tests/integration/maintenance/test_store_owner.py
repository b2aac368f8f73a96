"""A media store belongs to one database: no other one's clean-up removes pictures from it."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from adspark.db.engine import Database
from adspark.maintenance.cleanup import CleanupSummary, Retention, clean_up
from adspark.maintenance.store_owner import Claim, claim_store
from adspark.media.store import MediaStore
from tests.support.hostile_pages import draw
from tests.support.object_store import BUCKET, ObjectStore, use_object_store
from tests.support.stored_ads import LET_VARIANTS_AGE, change, stock
from tests.support.variants_at_hand import ask, finish, stocked

KEPT, UNUSED = f"variants/11/{'1' * 64}.png", f"originals/22/{'2' * 64}.png"
TAKE_OVER = "adspark run cleanup-old-creatives -p take_over_store=true"


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(str(tmp_path / "media"))


@pytest.fixture
async def copy(
    database: Database, database_url: str, administration: psycopg.Connection
) -> AsyncIterator[Database]:
    """A copy of the database as it was when the test began, in the same server."""
    name = conninfo_to_dict(database_url)["dbname"]
    administration.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"')
    try:
        async with Database(database_url.replace(str(name), f"{name}_copy")) as made:
            yield made
    finally:
        administration.execute(f'DROP DATABASE "{name}_copy" WITH (FORCE)')


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ObjectStore]:
    with use_object_store(monkeypatch, tmp_path) as served:
        yield served


def put(store: MediaStore, *paths: str) -> None:
    """Pictures that were kept three days ago."""
    for path in paths:
        place = Path(store.locate(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(draw(4, 3))
        os.utime(place, (0, time.time() - 3 * 86400))


async def use(database: Database, path: str) -> None:
    """Store a variant with this picture."""
    async with stocked(database) as session:
        await finish(session, await ask(session), image_path=path, thumbnail_path=None)
        await session.commit()


async def run(database: Database, store: MediaStore, **options: Any) -> CleanupSummary:  # noqa: ANN401
    return await clean_up(database, store, Retention(), **options)


async def pictures(store: MediaStore) -> set[str]:
    return set((await store.list_folder()).pictures)


async def test_a_copy_of_the_database_removes_nothing_until_it_takes_the_store_over(
    database: Database, copy: Database, store: MediaStore
) -> None:
    put(store, KEPT, UNUSED)
    await use(database, KEPT)
    await use(copy, KEPT)
    await run(database, store)
    assert (await run(database, store)).pictures == 1
    put(store, UNUSED)
    for dry_run in (True, False):
        left = await run(copy, store, dry_run=dry_run)
        assert (left.pictures, await pictures(store)) == (0, {KEPT, UNUSED})
        assert "belongs to another database. Give each a store of its own" in left.headline
        assert TAKE_OVER in left.headline
    assert (await run(copy, store, dry_run=True, take_over_store=True)).pictures == 1
    assert (await run(database, store, dry_run=True)).problem is None
    assert (await run(copy, store, take_over_store=True)).pictures == 1
    assert (await run(copy, store)).headline == "removed nothing"
    assert "belongs to another database" in (await run(database, store)).headline


async def test_the_clean_up_that_enters_its_database_as_owner_leaves_all_pictures_to_the_next(
    database: Database, copy: Database, store: MediaStore
) -> None:
    put(store, KEPT, UNUSED)
    await use(database, KEPT)
    await use(copy, KEPT)
    for dry_run in (True, False):
        first = await run(copy, store, dry_run=dry_run)
        assert (first.pictures, first.problem, await pictures(store)) == (0, None, {KEPT, UNUSED})
        assert first.headline.endswith(
            f"; this clean-up enters this database as the owner of the media store at {store.place}"
            "; unused pictures are removed from the next clean-up on"
        )
    assert "belongs to another database" in (await run(database, store)).headline
    assert await pictures(store) == {KEPT, UNUSED}
    second = await run(copy, store)
    assert (second.pictures, second.note) == (1, None)


async def test_of_two_that_enter_their_databases_at_once_one_is_told_before_anything_is_gone(
    database: Database, copy: Database, store: MediaStore
) -> None:
    put(store, KEPT, UNUSED)
    await use(database, KEPT)
    await use(copy, KEPT)
    await asyncio.gather(run(database, store), run(copy, store))
    assert await pictures(store) == {KEPT, UNUSED}
    told = [(await run(one, store, dry_run=True)).problem for one in (database, copy)]
    assert sorted(problem is None for problem in told) == [False, True]


async def test_whoever_takes_a_store_over_removes_at_once(
    database: Database, store: MediaStore
) -> None:
    put(store, KEPT, UNUSED)
    await use(database, KEPT)
    done = await run(database, store, take_over_store=True)
    assert (done.pictures, done.note, await pictures(store)) == (1, None, {KEPT})


@pytest.mark.parametrize("is_failed", [False, True])
async def test_a_store_without_an_owner_is_of_the_database_that_knows_one_of_its_pictures(
    database: Database, copy: Database, store: MediaStore, is_failed: bool
) -> None:
    put(store, KEPT, UNUSED)
    left = await run(copy, store)
    assert (left.pictures, await pictures(store)) == (0, {KEPT, UNUSED})
    assert f"knows none of the pictures that the media store at {store.place}" in left.headline
    assert TAKE_OVER in left.headline
    await use(database, KEPT)
    if is_failed:  # a variant that has its original alone
        await change(
            database,
            "UPDATE ad_variant SET status = 'failed', error = 'e', error_kind = 'unusable', "
            "original_path = image_path, image_path = NULL",
        )
    assert (await run(database, store, dry_run=True)).problem is None
    assert (await run(copy, store)).problem == left.problem
    await run(database, store)
    assert (await run(database, store)).pictures == 1
    assert "belongs to another" in (await run(copy, store)).headline


async def test_a_picture_whose_row_goes_in_the_same_run_was_known(
    database: Database, store: MediaStore
) -> None:
    put(store, KEPT)
    await stock(database)  # of old ads
    async with database.session() as session:
        await finish(session, await ask(session), image_path=KEPT, thumbnail_path=None)
        await session.commit()
    await change(database, *LET_VARIANTS_AGE)
    removed = await run(database, store)
    assert (removed.variants, removed.problem) == (1, None)
    assert (await run(database, store)).pictures == 1


async def test_an_empty_store_is_of_the_first_database_that_cleans_it_up(
    database: Database, copy: Database, store: MediaStore
) -> None:
    assert (await run(database, store)).headline == "removed nothing"
    put(store, UNUSED)
    assert (await run(copy, store)).problem is not None
    assert (await run(database, store)).headline.startswith("removed 1 picture")
    listed = await store.list_folder()
    assert (listed.pictures, listed.strays) == ({}, [])


async def test_a_file_of_the_owner_that_says_nothing_is_no_permission(
    database: Database, store: MediaStore
) -> None:
    put(store, UNUSED)
    await store.save_owner(b"")
    assert "belongs to another database" in (await run(database, store)).headline
    assert await pictures(store) == {UNUSED}


async def test_folders_of_an_object_stores_console_are_neither_pictures_nor_strays(
    database: Database, s3: ObjectStore
) -> None:
    for key in ("media/", "media/variants/", "media/pictures/", "media/pictures/ab/"):
        s3.put(key, b"")
    s3.put("media/variants/odd", b"")
    store = MediaStore(f"s3://{BUCKET}/media")
    assert (await run(database, store)).stray_paths == ["variants/odd"]
    assert (await store.list_folder("variants", is_deep=False)).strays == ["variants/odd"]
    kept = s3.objects()["media/.adspark.json"]
    assert list(json.loads(kept)) == ["database"]


async def test_an_ordinary_role_may_ask_which_database_it_is(
    database: Database, database_url: str, store: MediaStore
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS ordinary")
        connection.execute("CREATE ROLE ordinary LOGIN NOSUPERUSER")
    async with Database(database_url.replace("postgres@", "ordinary@")) as same:
        assert await claim_store(same, store, []) == Claim()
    assert await claim_store(database, store, []) == Claim()
    assert len((await store.read_owner() or b"").split(b"/")) == 2
