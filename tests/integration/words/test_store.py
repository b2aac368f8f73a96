"""Claims of pictures hold as the archive's: one run each, fenced, given up, released. No engine."""

import sys

import pytest

from adspark.picture_queue.summary import RunBounds
from adspark.words.reader_process import MISSING, ReadWords
from adspark.words.run import read_words
from adspark.words.store import WORDS as QUEUE
from adspark.words.store import enqueue_pictures
from tests.support.library import found
from tests.support.reading import Shelf, draw_copy, draw_plain

WORDS = ReadWords(
    lines=["Trail shoes", "half price"], headline="Trail shoes", confidence=0.9, script="latin",
    unread=0, language="en", engine="RapidOCR",
)  # fmt: skip


async def test_only_the_newest_claim_may_write(shelf: Shelf) -> None:
    await shelf.put(1, draw_plain())
    async with shelf.database.session() as session:
        await enqueue_pictures(session)
        (first,) = await QUEUE.claim(session, most=5)
        assert await QUEUE.claim(session, most=5, under_way=[first.key]) == []
        await QUEUE.give_up_deadly(session)
        (second,) = await QUEUE.claim(session, most=5)  # its run is dead
        values = WORDS.model_dump()
        assert not await QUEUE.save_done(session, claimed=first, values=values)
        assert not await QUEUE.save_failure(session, claimed=first, failure="late", most_attempts=3)
        assert not await QUEUE.release(session, claimed=first)
        assert await QUEUE.save_done(session, claimed=second, values=values)
        assert not await QUEUE.save_done(session, claimed=second, values=values)
        await session.commit()
    (row,) = await shelf.rows()
    assert (row.status, row.lines, row.attempts) == ("read", WORDS.lines, 2)
    assert await found(shelf.database, "trail price") == {1}


async def test_the_newest_come_first_and_what_kills_its_run_is_given_up(shelf: Shelf) -> None:
    for number in (1, 2):
        await shelf.put(number, draw_copy(f"Ad {number}", "words"))
    async with shelf.database.session() as session:
        await enqueue_pictures(session)
        (newest,) = await QUEUE.claim(session, most=1)
        for _ in range(QUEUE.most_attempts - 1):
            (again,) = await QUEUE.claim(session, most=1)
            assert again.key == newest.key
        await QUEUE.give_up_deadly(session)
        (other,) = await QUEUE.claim(session, most=5)
        assert other.key != newest.key
        await session.commit()
    newer, _ = await shelf.rows()
    assert (newer.status, newer.failure) == ("failed", "The run that worked on it died each time.")


async def test_words_of_a_picture_before_are_searched_until_the_present_one_is_read(
    shelf: Shelf,
) -> None:
    ad = await shelf.put(1, draw_plain())
    async with shelf.database.session() as session:
        await enqueue_pictures(session)
        (claimed,) = await QUEUE.claim(session, most=1)
        await QUEUE.save_done(session, claimed=claimed, values=WORDS.model_dump())
        await session.commit()
    await shelf.execute("UPDATE creative SET image_url = 'https://pictures.example/b' "
                        "WHERE ad_creative_id = :ad", ad=ad)  # fmt: skip
    assert await found(shelf.database, "trail") == {1}
    await shelf.execute("""
        WITH new AS (
            INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256)
            SELECT ad_creative_id, content_hash, 'pending', 'b' FROM creative RETURNING sha256
        ) INSERT INTO picture_words (sha256, status, lines, read_at)
        SELECT sha256, 'read', '{Winter boots}', now() FROM new
    """)
    await shelf.execute("UPDATE picture_version SET status = 'stored', path = 'p', "
                        "thumbnail_path = 't' WHERE sha256 = 'b'")  # fmt: skip
    assert await found(shelf.database, "trail") == set()
    assert await found(shelf.database, "boots") == {1}
    await shelf.execute("UPDATE creative SET image_url = 'https://pictures.example/1.png'")
    assert await found(shelf.database, "trail") == {1}


async def test_without_the_packages_the_pictures_wait_and_one_line_says_what_to_install(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf.put(1, draw_plain())
    monkeypatch.setitem(sys.modules, "rapidocr", None)  # as where it is not installed
    summary = await read_words(shelf.database, shelf.media, RunBounds(10, 60))
    assert summary.headline == f"no words were read, 1 picture waits: {MISSING}"
    (row,) = await shelf.rows()
    assert (row.status, row.attempts) == ("pending", 0)
