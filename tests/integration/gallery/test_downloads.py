"""Whoever downloads slowly keeps nobody else from the database."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
from fastapi.responses import StreamingResponse
from sqlalchemy import text
from starlette.types import Message

from adspark.creatives.boards import add_ads, find_or_create_board
from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.settings import Settings
from deployments.gallery.app import create_app
from deployments.gallery.downloads import PatientResponse
from deployments.gallery.resources import Gallery, SessionDep
from deployments.gallery.templating import Templates
from tests.support.gallery import URL, form_token, serve_gallery
from tests.support.library import ad, fill_library

_BYTES = 12_000_000  # of a picture; more than fits between two sockets
_THUMBNAIL = f"thumbnails/aa/{'a' * 64}.webp"
_PICTURE = text("""
    INSERT INTO picture_version (ad_creative_id, content_hash, status, path, thumbnail_path)
    VALUES (:ad, 'x', 'stored', :thumbnail, :thumbnail)
""")
_HELD = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND state <> 'idle'
"""


@contextmanager
def _slow_reader(url: str, path: str, *, status: int = 200) -> Iterator[None]:
    """A reader who takes the first bytes of an answer, and no more."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(1024)
        assert answer.startswith(f"HTTP/1.1 {status}".encode())
        yield


async def test_slow_readers_of_a_boards_file_stop_nobody(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    picture = tmp_path / _THUMBNAIL
    picture.parent.mkdir(parents=True)
    picture.write_bytes(os.urandom(_BYTES))
    async with database.session() as session:
        board, _ = await find_or_create_board(session, user_id=1, name="Ideas")
        await add_ads(session, board_id=board.id, ids=[ad(1)])
        await session.execute(_PICTURE, {"ad": ad(1), "thumbnail": _THUMBNAIL})
        await session.commit()

    with serve_gallery(database_url, tmp_path) as url, ExitStack() as readers:
        for _ in range(2):
            readers.enter_context(_slow_reader(url, "/boards/1/archive"))
        readers.enter_context(_slow_reader(url, "/boards/1/archive", status=503))  # no third one
        with psycopg.connect(database_url, autocommit=True) as connection:
            assert connection.execute(_HELD).fetchone() == (0,)
        async with httpx.AsyncClient(base_url=url, timeout=60) as other:
            page = await other.get("/boards/1")
            assert page.status_code == (await other.get("/library")).status_code == 200
            form = {"form_token": form_token(page.text), "do": "remove", "ad": ad(1)}
            assert (await other.post("/boards/1", data=form)).status_code == 303


async def test_a_reader_who_takes_nothing_for_long_is_cut_off() -> None:
    async def send(_: Message) -> None:
        await asyncio.Event().wait()

    response = PatientResponse(iter([b"first"]), "text/csv", name="ads.csv", patience=0.1)
    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    await response(scope, asyncio.Event().wait, send)  # type: ignore[arg-type]  # never read


async def test_looking_at_a_board_waits_for_nobody_who_changes_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    async with database.session() as session:
        await find_or_create_board(session, user_id=1, name="Ideas")
        await session.commit()

    with (
        serve_gallery(database_url, tmp_path) as url,
        psycopg.connect(database_url) as changer,
    ):
        changer.execute("SELECT FROM board FOR UPDATE")
        async with httpx.AsyncClient(base_url=url, timeout=60) as other:
            for path in ("/boards", "/boards/1", "/boards/1/archive", "/api/v1/boards/1"):
                assert (await other.get(path)).status_code == 200


async def test_no_page_holds_a_connection_while_it_is_sent(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    media = str(tmp_path)
    app = create_app(Gallery(Settings(media_url=media), database, MediaStore(media), Templates()))

    @app.get("/parts")
    async def send_parts(session: SessionDep) -> StreamingResponse:
        await session.execute(text("SELECT 1"))
        return StreamingResponse(count_held())

    def count_held() -> Iterator[str]:
        with psycopg.connect(database_url, autocommit=True) as connection:
            yield str(connection.execute(_HELD).fetchone())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
        assert (await client.get("/parts")).text == "(0,)"
