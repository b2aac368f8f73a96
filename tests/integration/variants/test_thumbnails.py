"""Thumbnails of variants: made with the picture, or afterwards for those of before."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.sandbox.control.pictures import draw_picture
from adspark.variants.thumbnails import ThumbnailSummary, make_thumbnails
from tests.support.stored_ads import change, ids
from tests.support.variants_at_hand import AD, ask, finish, stocked
from tests.support.workshop import Workshop

PICTURE = draw_picture({"advertiser": "A", "ad_creative_id": AD, "format": "text"})
MISSING = f"variants/{'0' * 2}/{'0' * 64}.png"


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(str(tmp_path / "media"))


async def stored(database: Database, *paths: str | None) -> list[int]:
    """Completed variants with these pictures, stored without thumbnails; their numbers."""
    async with stocked(database) as session:
        made = []
        for path in paths:
            asked = await ask(session)
            made.append(await finish(session, asked, image_path=path, thumbnail_path=None))
        await session.commit()
    return [one.id for one in made]


async def run(database: Database, media: MediaStore, seconds: float = 60) -> ThumbnailSummary:
    return await make_thumbnails(database, media, seconds=seconds)


async def thumbnails(database: Database) -> list[object]:
    return await ids(database, "SELECT thumbnail_path FROM ad_variant ORDER BY id")


async def test_a_variant_is_stored_with_a_small_webp_of_its_picture(shop: Workshop) -> None:
    ad, *_ = await shop.stock()
    (variant_id,) = await shop.request(ad)
    made = await shop.make(variant_id)
    assert made.image_path is not None
    assert made.thumbnail_path is not None
    small, whole = (
        await shop.media.read(made.thumbnail_path),
        await shop.media.read(made.image_path),
    )
    assert len(small) < len(whole) / 2
    with Image.open(BytesIO(small)) as shown:
        assert (shown.format, shown.width <= 320) == ("WEBP", True)
    assert (await run(shop.database, shop.media)).made == 0


async def test_variants_of_before_get_theirs_once_and_one_without_a_picture_none(
    database: Database, media: MediaStore
) -> None:
    path, _ = await media.save_variant(PICTURE)
    await stored(database, path, None)
    assert await run(database, media) == ThumbnailSummary(made=1)
    first, second = await thumbnails(database)
    assert str(first) == path.replace("variants", "thumbnails").replace(".png", ".webp")
    assert second is None
    assert await media.reuse(str(first))
    assert await run(database, media) == ThumbnailSummary()


async def test_a_picture_that_is_gone_or_broken_holds_no_other_up_and_may_come_back(
    database: Database, media: MediaStore
) -> None:
    path, _ = await media.save_variant(PICTURE)
    broken = f"variants/11/{'1' * 64}.png"
    place = Path(media.locate(broken))
    place.parent.mkdir()
    place.write_bytes(b"no picture")
    unreadable = f"variants/22/{'2' * 64}.png"
    Path(media.locate(unreadable)).mkdir(parents=True)
    first, *_, folder, last = await stored(database, path, broken, unreadable, MISSING)
    summary = await run(database, media)
    assert summary.made == 1
    assert summary.failures[last] == "The media store has no such picture."
    assert summary.failures[folder].startswith("The picture cannot be read: ")
    assert len(summary.failures) == 3
    assert [one is None for one in await thumbnails(database)] == [False, True, True, True]
    await change(database, f"UPDATE ad_variant SET image_path = '{path}' WHERE id <> {first}")
    assert (await run(database, media)).made == 3


async def test_a_run_ends_when_its_time_is_over(database: Database, media: MediaStore) -> None:
    path, _ = await media.save_variant(PICTURE)
    await stored(database, path)
    assert await run(database, media, seconds=0) == ThumbnailSummary()
    assert await thumbnails(database) == [None]
