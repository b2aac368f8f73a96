"""Pictures in S3: what is said where it refuses, answers what is not S3, or does not answer."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from adspark.errors import ConfigurationError, ServiceUnavailableError
from adspark.media.paths import original_path
from adspark.media.s3_errors import OPTIONS
from adspark.media.store import MediaStore
from tests.support.hostile_pages import draw
from tests.support.object_store import (
    BUCKET,
    ObjectStore,
    refusal,
    set_environment,
    use_object_store,
)

KEY = "ab" + "0" * 62
PLACE = f"s3://{BUCKET}/shop"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ObjectStore]:
    with use_object_store(monkeypatch, tmp_path) as served:
        yield served


@pytest.fixture
def media(s3: ObjectStore) -> MediaStore:
    """A store whose S3 is `s3`."""
    return MediaStore(PLACE)


async def test_a_bucket_with_all_rights_takes_pictures(s3: ObjectStore, media: MediaStore) -> None:
    await media.check_writable()
    await media.save_original(KEY, draw(4, 3))
    assert list(s3.objects()) == [f"shop/{original_path(KEY)}"]


async def test_a_bucket_that_may_not_be_listed_is_refused_with_the_rights_that_it_needs(
    s3: ObjectStore, media: MediaStore
) -> None:
    s3.may_list = False
    with pytest.raises(ConfigurationError) as checked:
        await media.check_writable()
    with pytest.raises(ConfigurationError) as saved:
        await media.save_original(KEY, draw(4, 3))
    assert str(checked.value) == str(saved.value)
    assert f"store at {PLACE} cannot be used: S3 says AccessDenied;" in str(checked.value)
    for right in ("s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert right in str(checked.value.command)


REFUSALS = [
    pytest.param("403 Forbidden", "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID", id="key"),
    pytest.param("403 Forbidden", "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY", id="secret"),
    pytest.param("400 Bad Request", "ExpiredToken", "AWS_SESSION_TOKEN", id="token"),
    pytest.param("403 Forbidden", "RequestTimeTooSkewed", "this host's clock", id="clock"),
    pytest.param(
        "400 Bad Request", "AuthorizationHeaderMalformed", "AWS_DEFAULT_REGION", id="region"
    ),
    pytest.param("301 Moved", "PermanentRedirect", "AWS_DEFAULT_REGION", id="redirect"),
]


@pytest.mark.parametrize(("status", "code", "remedy"), REFUSALS)
async def test_what_s3_refuses_is_told_with_what_mends_it_and_not_tried_again(
    s3: ObjectStore, media: MediaStore, status: str, code: str, remedy: str
) -> None:
    s3.answer = refusal(status, code)
    for call in (media.check_writable, lambda: media.has(original_path(KEY)), media.list_folder):
        with pytest.raises(ConfigurationError, match=f"^The media store at {PLACE} ") as raised:
            await call()
        assert remedy in str(raised.value.command)
        assert "ADSPARK_MEDIA_URL" not in str(raised.value)


async def test_without_keys_it_is_said_that_there_are_none(
    media: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match="no keys for it; set AWS_ACCESS_KEY_ID and"):
        await media.check_writable()


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "404 Not Found"])
async def test_a_web_page_in_place_of_s3_is_told_as_that(
    s3: ObjectStore, media: MediaStore, status: str
) -> None:
    s3.answer = status, "text/html", b"<!doctype html><html><body>Hello</p></html>"
    with pytest.raises(ConfigurationError, match="answered something that is not S3") as raised:
        await media.check_writable()
    assert "AWS_ENDPOINT_URL" in str(raised.value.command)


async def test_a_store_that_fails_on_its_side_is_tried_again(
    s3: ObjectStore, media: MediaStore
) -> None:
    s3.answer = "503 Service Unavailable", "text/html", b"<html>Later</html>"
    with pytest.raises(ServiceUnavailableError, match=f"^The media store at {PLACE} "):
        await media.check_writable()


@contextmanager
def silent_server() -> Iterator[tuple[str, list[socket.socket], threading.Event]]:
    """Takes connections and says nothing: its address, what it took, and whether it took one."""
    taken: list[socket.socket] = []
    has_taken = threading.Event()

    def take() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            taken.append(connection)
            has_taken.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", taken, has_taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in taken:
            connection.close()


async def test_a_silent_store_is_given_up_after_a_bound(
    s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPTIONS["config_kwargs"], "read_timeout", 0.2)
    with silent_server() as (url, taken, _):
        set_environment(monkeypatch, {**s3.environment(), "AWS_ENDPOINT_URL": url})
        with pytest.raises(ServiceUnavailableError, match="does not answer: Read timeout"):
            await MediaStore(PLACE).has(original_path(KEY))
        assert len(taken) == OPTIONS["config_kwargs"]["retries"]["total_max_attempts"]


async def test_a_silent_store_keeps_nothing_else_waiting(
    s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OPTIONS["config_kwargs"], "read_timeout", 3600)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    with silent_server() as (url, _, has_taken):
        set_environment(monkeypatch, {**s3.environment(), "AWS_ENDPOINT_URL": url})
        waiting = asyncio.create_task(MediaStore(PLACE).has(original_path(KEY)))
        while not has_taken.is_set():
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(lambda: "elsewhere") == "elsewhere"
        assert not waiting.done()
        waiting.cancel()
