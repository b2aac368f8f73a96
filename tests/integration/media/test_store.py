"""Pictures kept in a folder and in an object store."""

import asyncio
import hashlib
import os
import resource
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFile

from adspark.errors import ConfigurationError, ServiceUnavailableError, UnusableContentError
from adspark.media.paths import original_path
from adspark.media.store import MAX_BYTES, MediaStore
from tests.support.hostile_pages import draw
from tests.support.memory_store import PROTOCOL, MemoryStore

KEY = "ab" + "0" * 62
PNG = draw(40, 30)


@pytest.fixture(params=["folder", "file", "elsewhere"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> MediaStore:
    """A store of each kind."""
    urls = {
        "folder": str(tmp_path / "media"),
        "file": f"file://{tmp_path}/media/",
        "elsewhere": f"{PROTOCOL}://{uuid4().hex}/media",
    }
    return MediaStore(urls[request.param])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a local store keeps its pictures; not made yet."""
    return tmp_path / "deep" / "media"


def files_in(folder: Path) -> list[Path]:
    """All files, those that are hidden too."""
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif", "avif"])
async def test_a_variant_is_kept_as_a_png_under_the_hash_of_that(
    store: MediaStore, kind: str
) -> None:
    path, picture = await store.save_variant(draw(40, 30, picture_format=kind.upper()))
    info, sha256 = picture.info, hashlib.sha256(picture.content).hexdigest()
    assert path == f"variants/{sha256[:2]}/{sha256}.png"
    assert (info.format, info.width, info.height, info.sha256) == ("png", 40, 30, sha256)
    assert await store.reuse(path)
    assert await store.read(path) == picture.content


async def test_an_original_is_kept_under_the_hash_of_what_it_was_rendered_from(
    store: MediaStore,
) -> None:
    path = original_path(KEY)
    assert path == f"originals/ab/{KEY}.png"
    assert not await store.reuse(path)
    assert await store.save_original(KEY, PNG) == path
    assert await store.read(path) == PNG


async def test_an_original_that_is_kept_stays_as_it_is(store: MediaStore) -> None:
    await store.save_original(KEY, PNG)
    await store.save_original(KEY, draw(50, 50))
    assert await store.read(original_path(KEY)) == PNG


async def test_the_same_bytes_are_one_file(folder: Path) -> None:
    store = MediaStore(str(folder))
    (path, _), (again, _) = await store.save_variant(PNG), await store.save_variant(PNG)
    assert path == again
    assert files_in(folder) == [folder / path]


async def test_a_local_picture_is_found_by_its_file(folder: Path) -> None:
    store = MediaStore(str(folder))
    path, _ = await store.save_variant(PNG)
    assert store.locate(path) == str(folder / path)
    assert files_in(folder) == [folder / path]


async def test_a_picture_elsewhere_is_found_by_its_address() -> None:
    store = MediaStore(f"{PROTOCOL}://shelf/media")
    path, _ = await store.save_variant(PNG)
    assert store.locate(path) == f"{PROTOCOL}:///shelf/media/{path}"


def test_a_store_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="ADSPARK_MEDIA_URL: 'memory://a' keeps nothing"):
        MediaStore("memory://a")


BAD = [
    pytest.param(b"", "empty", id="nothing"),
    pytest.param(b"<html>404</html>", "not a PNG", id="a page"),
    pytest.param(PNG[:60], "broken", id="half a picture"),
    pytest.param(PNG + b"\0" * MAX_BYTES, "too large; at most 20 MB", id="too many bytes"),
]


@pytest.mark.parametrize(("content", "cause"), BAD)
async def test_what_is_no_picture_is_not_kept(folder: Path, content: bytes, cause: str) -> None:
    store = MediaStore(str(folder))
    with pytest.raises(UnusableContentError, match=cause):
        await store.save_variant(content)
    with pytest.raises(UnusableContentError, match=cause):
        await store.save_original(KEY, content)
    assert files_in(folder) == []


async def test_an_original_is_a_png(store: MediaStore) -> None:
    with pytest.raises(UnusableContentError, match="PNG, and this is jpeg"):
        await store.save_original(KEY, draw(40, 30, picture_format="JPEG"))
    assert not await store.reuse(original_path(KEY))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../secret.png", id="up"),
        pytest.param(f"variants/../../{KEY}.png", id="up from within"),
        pytest.param(f"variants/ab/../{KEY}.png", id="a way round"),
        pytest.param("/etc/passwd", id="from the root"),
        pytest.param(f"/variants/ab/{KEY}.png", id="from the root, of the right shape"),
        pytest.param(f"variants/ab/{KEY}.svg", id="a kind that is not kept"),
        pytest.param(f"variants/ab/{KEY}.png\n", id="a line more"),
        pytest.param(f"variants/ab/{KEY.upper()}.png", id="capitals"),
        pytest.param(f"variants\\ab\\{KEY}.png", id="backslashes"),
        pytest.param(f"s3://other/variants/ab/{KEY}.png", id="another store"),
        pytest.param("", id="nothing"),
    ],
)
async def test_only_paths_of_the_store_are_looked_at(store: MediaStore, path: str) -> None:
    with pytest.raises(UnusableContentError, match="no path of the media store"):
        await store.reuse(path)
    with pytest.raises(UnusableContentError, match="no path of the media store"):
        await store.read(path)
    with pytest.raises(UnusableContentError, match="no path of the media store"):
        store.locate(path)


@pytest.mark.parametrize("key", ["", "../../x", "ab/../x", "g" * 64])
async def test_a_key_that_is_no_hash_is_refused(folder: Path, key: str) -> None:
    with pytest.raises(UnusableContentError, match="no path of the media store"):
        await MediaStore(str(folder)).save_original(key, PNG)
    assert files_in(folder) == []


async def test_a_picture_that_is_not_there_is_named_as_missing(store: MediaStore) -> None:
    with pytest.raises(UnusableContentError, match="no such picture"):
        await store.read(original_path(KEY))


async def test_a_picture_appears_whole_or_not_at_all(folder: Path) -> None:
    content = draw(40, 30) + b"\0" * 5_000_000  # what follows the end of a PNG is ignored
    store = MediaStore(str(folder))
    target = folder / original_path(KEY)
    seen: set[int] = set()
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.is_set():
            if target.exists():
                seen.add(target.stat().st_size)

    watching = asyncio.create_task(asyncio.to_thread(watch))
    saved = await asyncio.gather(*(store.save_original(KEY, content) for _ in range(20)))
    is_done.set()
    await watching
    assert seen <= {len(content)}
    assert set(saved) == {original_path(KEY)}
    assert files_in(folder) == [target]
    assert await store.read(original_path(KEY)) == content


@contextmanager
def no_file_over(limit: int) -> Iterator[None]:
    """Meanwhile nobody can write a file that is larger, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_write_that_fails_leaves_nothing_behind(folder: Path) -> None:
    store = MediaStore(str(folder))
    content = PNG + b"\0" * 1_000_000
    with no_file_over(100_000), pytest.raises(ServiceUnavailableError, match="File too large"):
        await store.save_original(KEY, content)
    assert files_in(folder) == []
    assert not await store.reuse(original_path(KEY))
    await store.save_original(KEY, content)
    assert await store.read(original_path(KEY)) == content


@pytest.mark.parametrize("url", ["s4://bucket/folder", "bucket::s3://x"])
def test_an_address_of_no_known_kind_is_told_which_there_are(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"_MEDIA_URL: .*; write a folder, or s3://bucket"):
        MediaStore(url)


@pytest.mark.parametrize("below", ["", "media", "deep/media"])
async def test_a_folder_that_cannot_be_made_is_named_with_its_setting(
    tmp_path: Path, below: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    store = MediaStore(str(tmp_path / "file" / below))
    with pytest.raises(
        ConfigurationError, match=r"_MEDIA_URL: .*file.* cannot be used .*; make it"
    ):
        await store.save_variant(PNG)
    with pytest.raises(ConfigurationError, match="ADSPARK_MEDIA_URL"):
        await store.read(original_path(KEY))


@pytest.mark.parametrize("url", ["nonsense://bucket", "sftpp://host/folder"])
def test_an_address_that_nothing_knows_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match="ADSPARK_MEDIA_URL"):
        MediaStore(url)


SECRET_ADDRESSES = [
    "ftp://someone:hunter2@127.0.0.1:9/ads",  # connects at once, and nobody listens there
    "ftp://someone:hunter2/x@127.0.0.1:9/ads",
    "nonsense://someone:hunter2@bucket/ads",
    "nonsense://bucket/ads?signature=hunter2",
    "nonsense://someone:h%75nter2@bucket/ads",
]


@pytest.mark.parametrize("url", SECRET_ADDRESSES)
def test_a_password_in_the_address_is_in_no_error_and_in_no_traceback(url: str) -> None:
    with pytest.raises((ConfigurationError, ServiceUnavailableError)) as raised:
        MediaStore(url)
    told = "".join(traceback.format_exception(raised.value, chain=True)).replace(repr(url), "")
    assert "hunter2" not in told.replace("h%75nter2", "hunter2")
    assert "***" in str(raised.value)


async def test_nor_is_it_where_the_store_says_what_is_wrong_or_where_a_picture_is() -> None:
    store = MediaStore(f"{PROTOCOL}://someone:hunter2@{uuid4().hex}/media?signature=hunter3")
    MemoryStore.store[store._root] = MemoryFile(None, store._root, b"in the way")
    with pytest.raises(ConfigurationError) as raised:
        await store.save_variant(PNG)
    told = "".join(traceback.format_exception(raised.value)) + store.locate(original_path(KEY))
    assert ("hunter" not in told, "***" in told) == (True, True)


def age(store: MediaStore, path: str) -> None:
    """Let two days pass since the picture was written."""
    place = store.locate(path)
    if place.startswith(f"{PROTOCOL}:"):
        kept = MemoryStore.store[place.removeprefix(f"{PROTOCOL}://")]
        kept.modified -= timedelta(days=2)
    else:
        os.utime(place, (0, time.time() - 2 * 86400))


@pytest.mark.parametrize("again", ["variant", "original", "reuse"])
async def test_a_picture_that_is_taken_into_use_again_is_fresh(
    store: MediaStore, again: str
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    path, _ = await store.save_variant(PNG)
    if again == "original":
        path = await store.save_original(KEY, PNG)
    age(store, path)
    assert await store.is_older(path, yesterday)
    if again == "variant":
        await store.save_variant(PNG)
    elif again == "original":
        await store.save_original(KEY, draw(50, 50))
    else:
        assert await store.reuse(path)
    assert not await store.is_older(path, yesterday)
    assert not await store.remove_older(path, yesterday)
    assert await store.read(path) == PNG


async def test_only_an_old_picture_is_removed_and_once(store: MediaStore) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    path, _ = await store.save_variant(PNG)
    assert not await store.remove_older(path, yesterday)
    age(store, path)
    assert await store.remove_older(path, yesterday)
    assert not await store.remove_older(path, yesterday)
    assert not await store.is_older(path, yesterday)
    assert not await store.reuse(path)
    assert (await store.list_folder()).pictures == {}


async def test_whoever_uses_a_picture_while_it_is_being_removed_has_it_afterwards(
    folder: Path,
) -> None:
    store = MediaStore(str(folder))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for _ in range(50):
        path, _ = await store.save_variant(PNG)
        age(store, path)
        await asyncio.gather(store.remove_older(path, yesterday), store.save_variant(PNG))
        assert await store.read(path) == PNG
    assert files_in(folder) == [folder / path]
