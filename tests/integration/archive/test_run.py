"""Archiving: each version once, newest first, within bounds, failures with their cause."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.archive.counts import count_archive
from adspark.archive.store import PICTURES, ClaimedVersion, enqueue_versions
from adspark.archive.store import StoredPicture as Stored
from adspark.archive.summary import ArchiveBounds
from adspark.errors import ConfigurationError, UnusableContentError
from adspark.media.images import InspectedPicture, check_picture
from adspark.media.similarity import compare_pictures, hash_picture
from adspark.media.store import MediaStore
from adspark.picture_queue.summary import RunStop
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.serpapi.payloads import CreativePayload
from tests.support.archiving import AMPLE, Archive
from tests.support.factories import creative
from tests.support.picture_host import PictureHost, draw_ad
from tests.support.stored_ads import change

DUE = "UPDATE picture_version SET next_attempt_at = now()"


async def test_each_picture_is_kept_once_with_its_thumbnail_size_and_hash(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, range(1, 13))
    summary = await archive.run()
    assert (summary.stored, summary.waiting, summary.stop) == (12, 0, None)
    rows = await archive.rows()
    for number, row in enumerate(rows, start=1):
        content = draw_ad(number)
        assert await archive.media.read(row.path) == content
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert (row.width, row.height, row.picture_bytes) == (120, 80, len(content))
        thumbnail = await archive.media.read(row.thumbnail_path)
        info = await check_picture(thumbnail)
        assert (info.format, info.width, info.height) == ("webp", 120, 80)
        assert row.perceptual_hash == await hash_picture(content)
        assert compare_pictures(row.perceptual_hash, await hash_picture(thumbnail)) > 0.8
        assert row.stored_at is not None
    again = await archive.run()
    assert again.headline == "0 pictures stored (0.0 MB)"
    assert set(host.asked.values()) == {1}


async def test_a_changed_ad_has_its_picture_before_and_after(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, [1])
    await archive.run()
    await archive.store(creative(1, image=host.url(2)))
    await archive.run()
    await archive.store(creative(1, image=host.url(1)))  # and back again: known, not asked for
    await archive.run()
    before, after = await archive.rows("id")
    assert await archive.media.read(before.path) == draw_ad(1)
    assert await archive.media.read(after.path) == draw_ad(2)
    assert host.asked == {"/1.png": 1, "/2.png": 1}


@pytest.mark.parametrize("is_enqueued", [True, False])
async def test_a_version_that_is_replaced_while_it_waits_is_archived_from_its_own_address(
    archive: Archive, host: PictureHost, is_enqueued: bool
) -> None:
    await archive.show(host, [1])
    if is_enqueued:
        await archive.run(replace(AMPLE, pictures=0))
    await archive.store(creative(1, image=host.url(2)))
    await archive.store(creative(1, image=host.url(2), shown=9))  # which is no further version
    assert (await archive.run()).stored == 2
    assert host.asked == {"/1.png": 1, "/2.png": 1}


async def test_the_same_picture_of_several_ads_is_one_file(
    archive: Archive, host: PictureHost
) -> None:
    host.answers["/2.png"] = (200, draw_ad(1))
    await archive.show(host, [1, 2])
    await archive.run()
    assert len((await archive.media.list_folder("pictures")).pictures) == 1
    async with archive.database.session() as session:
        counts = await count_archive(session)
    size = sum(((await archive.media.list_folder()).pictures).values())
    assert (counts.versions, counts.pictures, counts.bytes) == (2, 1, size)


async def test_the_newest_are_archived_first_and_a_bound_on_their_number_is_kept(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, range(1, 21))
    await change(
        archive.database,
        "UPDATE new_version SET seen_at = now() - interval '1 day' * right(ad_creative_id, 3)::int",
    )
    summary = await archive.run(replace(AMPLE, pictures=6))
    assert (summary.stored, summary.waiting, summary.stop) == (6, 14, RunStop.PICTURES)
    assert set(host.asked) == {f"/{number}.png" for number in range(1, 7)}
    attempts = [row.attempts for row in await archive.rows()]
    assert attempts == [1] * 6 + [0] * 14  # what was claimed and not begun does not count


@pytest.mark.parametrize(
    ("bounds", "stop"),
    [
        (replace(AMPLE, bytes=1), RunStop.BYTES),
        (replace(AMPLE, kept_bytes=1), RunStop.DISK),
        (replace(AMPLE, seconds=0.0), RunStop.TIME),
    ],
)
async def test_a_run_ends_at_its_bounds_and_the_next_one_goes_on(
    archive: Archive, host: PictureHost, bounds: ArchiveBounds, stop: RunStop
) -> None:
    await archive.show(host, range(1, 41))
    summary = await archive.run(bounds)
    assert summary.stop == stop
    assert summary.stored <= 8  # those that were under way
    assert (await archive.run()).stored == 40 - summary.stored
    assert set(host.asked.values()) == {1}


FAULTS = {
    "not there": ((404, b"none"), "answered 404"),
    "no picture": ((200, b"<html>a page</html>"), "is not a PNG"),
    "broken": ((200, draw_ad(1)[:300]), "broken"),
    "empty": ((200, b""), "is empty"),
    "too large": ((200, b"\0" * (20 * 2**20 + 1)), "larger than 20 MB"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_picture_that_is_none_is_tried_twice_and_kept_as_a_failure_with_its_cause(
    archive: Archive, host: PictureHost, fault: str
) -> None:
    answer, cause = FAULTS[fault]
    host.answers["/1.png"] = answer
    await archive.show(host, [1, 2])
    first = await archive.run()
    assert (first.stored, first.failed, first.given_up, first.waiting) == (1, 1, 0, 1)
    assert (await archive.run()).failed == 0  # not before its time
    await change(archive.database, DUE)
    second = await archive.run()
    assert (second.given_up, second.waiting) == (1, 0)
    assert cause in second.failures[0].cause
    failed = (await archive.rows())[0]
    assert (failed.status, failed.attempts, failed.path) == ("failed", 2, None)
    assert cause in failed.failure
    assert len((await archive.media.list_folder()).pictures) == 2  # of the other one
    await change(archive.database, DUE)
    await archive.run()
    assert host.asked["/1.png"] == 2
    host.answers.clear()
    assert (await archive.run(tries_failed=True)).stored == 1


async def test_a_picture_that_failed_for_now_is_tried_at_once_where_that_is_asked(
    archive: Archive, host: PictureHost
) -> None:
    host.answers["/1.png"] = (404, b"not there yet")
    await archive.show(host, [1])
    assert (await archive.run()).failed == 1
    host.answers.clear()
    assert (await archive.run()).stored == 0  # not before its time
    assert (await archive.run(tries_failed=True)).stored == 1


async def test_a_host_that_fails_is_tried_again_later_each_time_and_given_up_in_the_end(
    archive: Archive, host: PictureHost
) -> None:
    host.answers["/1.png"] = (503, b"busy")
    await archive.show(host, [1])
    pauses = []
    for _ in range(PICTURES.most_attempts):
        await archive.run()
        (row,) = await archive.rows()
        pauses.append(row.next_attempt_at)
        await change(archive.database, DUE)
    assert pauses == sorted(pauses)
    assert (row.status, row.attempts) == ("failed", PICTURES.most_attempts)
    await archive.run()
    assert host.asked["/1.png"] == PICTURES.most_attempts


async def test_a_private_address_is_not_asked(archive: Archive, host: PictureHost) -> None:
    archive.trusted = ()
    await archive.show(host, [1])
    summary = await archive.run()
    assert "is a private address" in summary.failures[0].cause
    assert not host.asked


async def test_hosts_are_asked_with_a_pause_and_by_few_at_once(
    archive: Archive, host: PictureHost
) -> None:
    host.delay, archive.pause = 0.1, 0.02
    await archive.show(host, range(1, 21))
    await archive.run()
    assert host.most_at_once <= 4
    assert host.moments[-1] - host.moments[0] >= 19 * 0.02 - 0.01


async def claim(
    session: AsyncSession, under_way: Collection[int | str] = ()
) -> list[ClaimedVersion]:
    """What a run claims."""
    return await PICTURES.claim(session, most=9, under_way=under_way, with_previews=True)


async def test_what_kills_its_run_each_time_is_given_up(
    archive: Archive, host: PictureHost
) -> None:
    await archive.show(host, [1])
    await archive.run(replace(AMPLE, pictures=0))
    for attempt in range(1, PICTURES.most_attempts + 1):
        async with archive.database.session() as session:
            (claimed,) = await claim(session)
            assert claimed.attempts == attempt
            assert await claim(session, under_way=[claimed.key]) == []
            await PICTURES.give_up_deadly(session)
            await session.commit()
    (row,) = await archive.rows()
    assert (row.status, row.failure) == ("failed", "The run that worked on it died each time.")


async def test_who_has_lost_its_claim_changes_nothing(archive: Archive, host: PictureHost) -> None:
    await archive.show(host, [1])
    await archive.run(replace(AMPLE, pictures=0))
    lost = Stored(
        sha256="0" * 64,
        path=f"pictures/00/{'0' * 64}.png",
        thumbnail_path=f"thumbnails/00/{'0' * 64}.webp",
        width=1,
        height=1,
        perceptual_hash="0",
        picture_bytes=1,
        thumbnail_bytes=1,
    )
    async with archive.database.session() as session:
        (claimed,) = await claim(session)
        await PICTURES.give_up_deadly(session)
        await claim(session)
        assert not await PICTURES.save_done(session, claimed=claimed, values=lost.model_dump())
        await session.commit()
    await archive.run()
    (row,) = await archive.rows()
    assert row.sha256 == hashlib.sha256(draw_ad(1)).hexdigest()


NOISE = b"""
const place = document.getElementById(
    new URL(document.currentScript.src).searchParams.get("htmlParentId"));
const canvas = document.createElement("canvas");
canvas.width = canvas.height = 2800;
place.appendChild(canvas);
const strip = canvas.getContext("2d").createImageData(2800, 100);
const pixels = new Uint32Array(strip.data.buffer);
for (let y = 0; y < 2800; y += 100) {
    for (let i = 0; i < pixels.length; i++) pixels[i] = 0xff000000 | (Math.random() * 0xffffff);
    canvas.getContext("2d").putImageData(strip, 0, y);
}
window[new URL(document.currentScript.src).searchParams.get("responseCallback")]();
"""


async def test_a_preview_whose_rendering_is_too_large_is_given_up_and_holds_no_other_up(
    archive: Archive, host: PictureHost
) -> None:
    host.answers["/ads/preview/content.js"] = (200, NOISE)
    query = "client=ads-integrity-transparency&creativeId=1"
    link = f"http://{host.pair}/ads/preview/content.js?{query}"
    await archive.show(host, range(1, 11))
    await archive.store(creative(99, image=..., width=..., height=..., link=link))
    first = await archive.run()
    assert (first.stored, first.failed) == (10, 1)
    assert re.fullmatch(
        r"A picture of 2\d MB is too large; at most 20 MB\.", first.failures[0].cause
    )
    await change(archive.database, DUE)
    assert (await archive.run()).given_up == 1
    assert len((await archive.media.list_folder()).pictures) == 20


async def test_a_picture_that_the_store_does_not_take_is_a_failure_of_its_own(
    archive: Archive, host: PictureHost, tmp_path: Path
) -> None:
    class Choosy(MediaStore):
        async def save_archived(self, content: bytes, picture: InspectedPicture) -> tuple[str, str]:
            if content == draw_ad(1):
                raise UnusableContentError("It is not kept here.")
            return await super().save_archived(content, picture)

    await archive.show(host, range(1, 6))
    summary = await replace(archive, media=Choosy(str(tmp_path / "media"))).run()
    assert (summary.stored, summary.failed) == (4, 1)
    assert summary.failures[0].cause == "It is not kept here."
    assert [row.attempts for row in await archive.rows()] == [1] * 5


async def test_a_store_that_cannot_be_used_ends_the_run_and_costs_no_attempt(
    archive: Archive, host: PictureHost, tmp_path: Path
) -> None:
    await archive.show(host, range(1, 11))
    (tmp_path / "file").write_text("in the way")
    usable, archive.media = archive.media, MediaStore(str(tmp_path / "file"))
    with pytest.raises(ConfigurationError, match="ADSPARK_MEDIA_URL"):
        await archive.run()
    assert {(row.status, row.attempts) for row in await archive.rows()} == {("pending", 0)}
    archive.media = usable
    assert (await archive.run()).stored == 10


async def test_preview_scripts_are_rendered_to_a_still(archive: Archive) -> None:
    with serve(SandboxSettings()) as url:
        archive.trusted = (url.removeprefix("http://"),)
        await _store_previews(archive, url)
        summary = await archive.run(replace(AMPLE, pictures=2))
    assert (summary.stored, summary.failures) == (2, [])
    stored = [row for row in await archive.rows() if row.status == "stored"]
    for row in stored:
        assert row.is_preview
        info = await check_picture(await archive.media.read(row.path))
        assert (info.format, info.is_blank) == ("png", False)
        assert info.width >= 300


async def test_without_a_browser_pictures_are_archived_and_previews_wait(
    archive: Archive, host: PictureHost, tmp_path: Path
) -> None:
    await archive.show(host, range(1, 6))
    await _store_previews(archive, "http://127.0.0.1:9")
    archive.browser = tmp_path / "no-browser"
    summary = await archive.run()
    assert (summary.stored, summary.failed, summary.given_up) == (5, 0, 0)
    assert "previews: " in summary.headline
    waiting = [row for row in await archive.rows() if row.status == "pending"]
    assert summary.waiting == len(waiting) > 0
    assert {row.attempts for row in waiting} == {0}


async def _store_previews(archive: Archive, url: str) -> None:
    """Two ads that have a preview script and no picture."""
    link = f"{url}/ads/preview/content.js?client=ads-integrity-transparency&creativeId="
    numbers = enumerate(("815168235795", "CR06923374512490676225"), start=101)
    await archive.store(*(creative(n, image=..., link=link + name) for n, name in numbers))


async def test_what_is_stored_while_a_run_is_under_way_is_archived_by_it(
    archive: Archive, host: PictureHost, tmp_path: Path
) -> None:
    class Meanwhile(MediaStore):
        async def save_archived(self, content: bytes, picture: InspectedPicture) -> tuple[str, str]:
            await archive.show(host, [2])
            return await super().save_archived(content, picture)

    await archive.show(host, [1])
    summary = await replace(archive, media=Meanwhile(str(tmp_path / "media"))).run()
    assert (summary.stored, summary.waiting) == (2, 0)


async def test_each_ad_has_a_version_but_for_those_that_the_source_shows_no_picture_of(
    archive: Archive,
) -> None:
    lines = resources.files("adspark.sandbox").joinpath("data/creatives.jsonl").read_text("utf-8")
    recorded = [CreativePayload.model_validate_json(line) for line in lines.splitlines()]
    asked = {"AR04323445746671026177", "AR12707166228507000833"}
    rows = [row for row in recorded if row.advertiser_id in asked]
    await archive.store(*rows)
    async with archive.database.session() as session:
        await enqueue_versions(session)
        await session.commit()
        waiting = (await count_archive(session)).waiting
    shown = {row.ad_creative_id for row in rows if row.image or row.link}
    assert (len(rows), len(shown), waiting) == (63, 54, 54)
    assert {one.ad_creative_id for one in await archive.rows()} == shown
