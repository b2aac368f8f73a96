"""Opening the configured database beside the event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from adspark.db import migrate
from adspark.db.configured import in_own_thread, open_database
from adspark.db.embedded import LocalPostgres, postgres_folder
from adspark.db.engine import read_now
from adspark.settings import Settings


async def test_an_embedded_server_is_started_migrated_and_stopped_beside_the_event_loop(
    home_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, set[int]] = {"programs": set(), "migrations": set()}
    run, current = LocalPostgres._run, migrate.current

    def noted_run(server: LocalPostgres, *words: str, **options: Any) -> int:  # noqa: ANN401
        threads["programs"].add(threading.get_ident())
        return run(server, *words, **options)

    def noted_current(url: str) -> str | None:
        threads["migrations"].add(threading.get_ident())
        return current(url)

    monkeypatch.setattr(LocalPostgres, "_run", noted_run)
    monkeypatch.setattr(migrate, "current", noted_current)
    settings = Settings(home=home_folder)
    async with open_database(settings) as database, database.session() as session:
        assert await read_now(session) is not None
    assert not LocalPostgres(postgres_folder(home_folder)).is_running()
    assert threads["programs"] == threads["migrations"]  # the thread that has the file locks
    assert len(threads["programs"]) == 1
    assert threading.get_ident() not in threads["programs"]


async def test_what_is_cancelled_while_it_starts_is_left_by_the_thread_that_entered() -> None:
    begun, may_end, left = threading.Event(), threading.Event(), threading.Event()
    threads: list[int] = []

    @contextmanager
    def starting() -> Iterator[None]:
        begun.set()
        may_end.wait()
        threads.append(threading.get_ident())
        try:
            yield
        finally:
            threads.append(threading.get_ident())
            left.set()

    async def enter() -> None:
        async with in_own_thread(starting()):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(enter())
    await asyncio.to_thread(begun.wait)
    task.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with suppress(asyncio.CancelledError):
        await task
    await asyncio.to_thread(left.wait)
    assert task.cancelled()
    assert len(set(threads)) == 1
