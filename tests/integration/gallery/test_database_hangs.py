"""A database that hangs, dies or is locked: pages say so in time, and are there again after it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psycopg
import pytest

from adspark.db import migrate
from adspark.db.embedded import LocalPostgres
from adspark.db.engine import Database
from tests.support.gallery import GalleryClient, form_token, open_gallery
from tests.support.library import fill_library

LONGEST = 30.0  # seconds, on a machine under load; without one a page would never be answered
READERS = 8  # more than there are connections


@pytest.fixture
def server(home_folder: Path) -> Iterator[LocalPostgres]:
    """A server of the test's own, with AdSpark's tables."""
    with LocalPostgres(home_folder / "pg").running() as server:
        migrate.upgrade(server.url("postgres"))
        yield server


@pytest.fixture
async def own_pages(server: LocalPostgres, tmp_path: Path) -> AsyncIterator[GalleryClient]:
    """The pages of that server, with five ads."""
    async with Database(server.url("postgres")) as database:
        await fill_library(database)
    async with open_gallery(server.url("postgres"), tmp_path / "media") as client:
        assert (await client.get("/library")).status_code == 200
        yield client


def pids(server: LocalPostgres) -> list[int]:
    """The server's processes, the first one of them first."""
    folder = Path(server.url("postgres").partition("host=")[2].partition("&")[0])
    first = int(next(folder.glob("**/postmaster.pid")).read_text().splitlines()[0])
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]


@contextmanager
def hanging(server: LocalPostgres) -> Iterator[None]:
    """No process of the server does anything meanwhile."""
    stopped = pids(server)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


async def test_a_server_that_hangs_is_said_and_heals(
    own_pages: GalleryClient, server: LocalPostgres
) -> None:
    with hanging(server):
        began = monotonic()
        answers = await asyncio.gather(*(own_pages.get("/library") for _ in range(READERS)))
        took = monotonic() - began
        after = await own_pages.get("/boards")

    for answer in (*answers, after):
        assert answer.status_code == 503
        assert "The database does not answer." in answer.text
        assert 'http-equiv="refresh"' in answer.text
    assert took < LONGEST
    assert (await own_pages.get("/library")).status_code == 200
    assert "was made" in (await own_pages.send_form("/boards", page="/boards", name="Mine")).text


async def test_no_form_is_refused_for_connections_that_died_while_idle(
    pages: GalleryClient, database_url: str
) -> None:
    await asyncio.gather(*(pages.get("/library") for _ in range(READERS)))
    token = form_token((await pages.get("/library")).text)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    made = await pages.post(
        "/boards", data={"form_token": token, "name": "Mine"}, follow_redirects=True
    )

    assert "The board “Mine” was made." in made.text


async def test_a_table_that_stays_locked_is_said(pages: GalleryClient, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE board IN ACCESS EXCLUSIVE MODE")
        answer = await pages.get("/boards")

    assert answer.status_code == 503
    assert "Somebody else is changing this just now." in answer.text
