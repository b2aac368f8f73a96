"""Words are read from archived pictures, once, and searches find them; RapidOCR really reads."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from fsspec.implementations.local import LocalFileSystem

from adspark.errors import ServiceUnavailableError
from adspark.library.ads.report import read_ad
from adspark.maintenance.cleanup import Retention, clean_up
from adspark.models import DEFAULT_USER
from adspark.picture_queue.summary import RunBounds
from adspark.words.run import read_words
from tests.support.crash_steps import crashing_process, wait_for_rollback
from tests.support.library import buy_words, found
from tests.support.reading import CYRILLIC, Shelf, draw_copy, draw_plain

pytest.importorskip("rapidocr", reason="pip install 'adspark[ocr]'")

AMPLE = RunBounds(pictures=100, seconds=300)
_READ_AT = 6  # the step at which what was read is committed; later ones need no reader


async def test_pictures_are_read_once_told_as_they_are_and_found(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # without Tesseract, which might know Russian
    sale = draw_copy("Back to campus", "Seventy percent off all running shoes this week")
    first = await shelf.put(1, sale)
    await shelf.put(2, sale)  # another ad, the same picture
    foreign = await shelf.put(3, CYRILLIC)
    plain = await shelf.put(4, draw_plain())
    bought = await shelf.put(5, draw_copy("Never read", "It was bought"))
    async with shelf.database.session() as session:
        await buy_words(session, 5, headline="Bought copy")
        await session.commit()
    broken = draw_copy("Broken", "on the disk")
    await shelf.put(7, broken)
    shelf.spoil(broken)
    summary = await read_words(shelf.database, shelf.media, AMPLE)
    assert (summary.read, summary.without_words, summary.foreign, summary.failed) == (3, 1, 1, 1)
    assert summary.failures[0].cause.startswith("The picture is not a PNG")
    told = {}
    async with shelf.database.session() as session:
        for ad in (first, foreign, plain, bought):
            report = await read_ad(session, ad_creative_id=ad, user_id=DEFAULT_USER)
            told[ad] = (report.words_source, report.words)
            if ad == first and report.read_words:
                assert report.read_words.headline == "Back to campus"
                assert "Seventy percent off all running shoes" in " ".join(report.read_words.lines)
    assert told[first][0] == "read"
    assert told[first][1].startswith("read from its picture, 9")
    assert "language en" in told[first][1]
    assert told[foreign][0] is None
    assert "3 lines are in a script that RapidOCR" in told[foreign][1]
    assert told[plain] == (None, "none: its picture was read and has none (copy: not bought)")
    assert told[bought][0] == "bought"
    assert await found(shelf.database, '"percent off" campus') == {1, 2}
    assert await found(shelf.database, "never") == set()
    assert await found(shelf.database, has_words=True) == {1, 2, 5}
    await shelf.put(6, sale)  # its words are known already
    again = await read_words(shelf.database, shelf.media, AMPLE)
    assert (again.read, again.failed, again.waiting) == (0, 0, 1)
    assert await found(shelf.database, "campus") == {1, 2, 6}


async def test_a_killed_reader_costs_one_attempt_of_one_picture(shelf: Shelf) -> None:
    await shelf.put(1, draw_copy("First", "The older picture"))
    await shelf.put(2, draw_copy("Second", "The newer picture"))
    run = asyncio.create_task(read_words(shelf.database, shelf.media, AMPLE))
    while not (readers := _find_readers()):
        await asyncio.sleep(0.02)
    os.kill(readers[0].pid, signal.SIGKILL)
    summary = await run
    assert (summary.read, summary.failed, summary.waiting) == (1, 1, 1)
    assert "was killed" in summary.failures[0].cause
    newer, older = await shelf.rows()
    assert (newer.status, newer.attempts, older.status) == ("pending", 1, "read")
    assert newer.next_attempt_at > newer.seen_at
    assert _find_readers() == []


async def test_a_run_that_is_killed_at_any_step_is_completed_by_the_next_and_reads_nothing_again(
    shelf: Shelf, database_url: str, tmp_path: Path
) -> None:
    await shelf.put(1, draw_copy("Kept", "whatever dies"))
    states, places = [], ["begun"]
    arguments = ("tests.support.words_crash", database_url, str(tmp_path / "media"))
    async with crashing_process(*arguments) as send:
        while places[-1] != "done":
            if len(places) > _READ_AT:  # something to do, of which no reader is asked
                await shelf.lose(len(places))
            places.append(await send(f"{len(places)}"))
            assert places[-1] not in ("", "failed"), places
            await wait_for_rollback(shelf.database)
            states += [(one.status, one.attempts) for one in (await shelf.rows())[-1:]]
    attempts = [("pending", 0), ("pending", 0), ("pending", 1), ("pending", 2), ("read", 3)]
    assert states[: len(attempts)] == attempts
    assert set(states[len(attempts) :]) == {attempts[-1]}
    assert len(places) > _READ_AT + 3
    assert {row.attempts for row in await shelf.rows()} <= {1, 3}  # none is tried before its time
    again = await read_words(shelf.database, shelf.media, AMPLE)
    assert (again.read, again.failed, _find_readers()) == (0, 0, [])
    assert await found(shelf.database, "whatever") == {1}


async def test_a_picture_that_is_gone_fails_with_its_cause_and_is_given_up(shelf: Shelf) -> None:
    await shelf.put(1, draw_plain())
    await shelf.execute(
        "UPDATE picture_version SET path = 'pictures/00/' || repeat('0', 64) || '.png'"
    )
    for _ in range(2):
        assert (await read_words(shelf.database, shelf.media, AMPLE)).failed == 1
        await shelf.execute("UPDATE picture_words SET next_attempt_at = now()")
    summary = await read_words(shelf.database, shelf.media, AMPLE)
    assert (summary.given_up, summary.waiting) == (1, 0)
    (row,) = await shelf.rows()
    assert (row.status, row.failure) == ("failed", "The media store has no such picture.")
    retried = await read_words(shelf.database, shelf.media, AMPLE, tries_failed=True)
    assert retried.failed == 1


async def test_a_file_that_cannot_be_read_is_given_up_and_the_others_are_read(shelf: Shelf) -> None:
    unreadable = draw_copy("Never read", "Its file is none")
    await shelf.put(1, draw_copy("First", "The older picture"))
    await shelf.put(2, unreadable)
    shelf.replace_by_folder(unreadable)
    summary = await read_words(shelf.database, shelf.media, AMPLE)
    assert (summary.read, summary.failed) == (1, 1)
    assert summary.failures[0].cause.startswith("The picture cannot be read: ")
    assert [row.attempts for row in await shelf.rows()] == [1, 1]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_read_that_timed_out_does_not_count_against_the_picture(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    await shelf.put(1, draw_copy("First", "Read late"))
    cat_file, left = LocalFileSystem.cat_file, [TimeoutError("timed out")] * times

    def read_slowly(files: LocalFileSystem, path: str, **options: Any) -> bytes:  # noqa: ANN401
        if left and "/pictures/" in path:
            raise left.pop()
        return bytes(cat_file(files, path, **options))

    monkeypatch.setattr(LocalFileSystem, "cat_file", read_slowly)
    if times > 1:
        with pytest.raises(ServiceUnavailableError, match="does not answer"):
            await read_words(shelf.database, shelf.media, AMPLE)
        assert [row.attempts for row in await shelf.rows()] == [0]
    summary = await read_words(shelf.database, shelf.media, AMPLE)
    assert (summary.read, summary.failed) == (1, 0)


async def test_words_go_with_the_last_version_that_showed_them(shelf: Shelf) -> None:
    await shelf.put(1, draw_plain())
    await shelf.execute("""
        INSERT INTO picture_words (sha256, status, lines, read_at)
        SELECT sha256, 'read', '{Kept}', now() FROM picture_version
    """)
    await shelf.execute("UPDATE picture_version SET status = 'removed', path = NULL, "
                        "thumbnail_path = NULL")  # fmt: skip
    assert (await clean_up(shelf.database, shelf.media, Retention())).picture_words == 0
    await shelf.execute("DELETE FROM picture_version")
    assert (await clean_up(shelf.database, shelf.media, Retention())).picture_words == 1


def _find_readers() -> list[psutil.Process]:
    found = []
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "adspark.words.reader" in one.cmdline():
                found.append(one)
    return found
