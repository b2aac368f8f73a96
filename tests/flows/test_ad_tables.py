"""Tables of new ads under Artifacts show their pictures once they are archived, and stay small."""

import re

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactCollectionFilter,
    ArtifactCollectionFilterKey,
    ArtifactCollectionFilterType,
)
from prefect.client.schemas.sorting import ArtifactCollectionSort

from adspark.archive.thumbnails import Thumbnails
from adspark.db.engine import Database
from adspark.notifications.ad_table import MOST_BYTES, choose_pictures, fill_in, write_ads
from adspark.settings import get_settings
from flows.archive_creatives import archive_creatives
from flows.fetch_creatives import fetch_creatives
from flows.process_all_active_watches import process_all_active_watches
from flows.process_watch import process_watch
from tests.support.factories import ADVERTISER_ID
from tests.support.stored_ads import change
from tests.support.watching import Place
from tests.support.workshop import Workshop

pytestmark = pytest.mark.usefixtures("environment")
KEY = f"new-creatives-{ADVERTISER_ID.lower()}"
PICTURE = re.compile(r"!\[(CR\d{20})\]\(data:image/webp;base64,[\w+/=]+\)")
THUMBNAIL = f"thumbnails/00/{'0' * 64}.webp"


async def latest(key: str) -> tuple[str, str]:
    """The latest artifact of a key: its page, and what stands above it."""
    async with get_client() as client:
        found, *_ = await client.read_latest_artifacts(
            artifact_filter=ArtifactCollectionFilter(
                key=ArtifactCollectionFilterKey(like_=key),
                type=ArtifactCollectionFilterType(any_=["markdown"]),
            ),
            sort=ArtifactCollectionSort.UPDATED_DESC,
        )
    return str(found.data), str(found.description)


async def test_the_ads_of_a_fetch_have_their_pictures_after_the_archive_has_run(
    shop: Workshop, environment: pytest.MonkeyPatch
) -> None:
    summary = await fetch_creatives(advertiser_ids=[ADVERTISER_ID])
    page, above = await latest(KEY)
    assert summary.headline in above
    waiting = page.count("| not archived yet | CR")
    assert waiting == len(summary.new_creatives) == 20
    environment.setenv("ADSPARK_ARCHIVE_RUN_PICTURES", "5")
    get_settings.cache_clear()
    await archive_creatives()
    some, _ = await latest(KEY)
    environment.setenv("ADSPARK_ARCHIVE_RUN_PICTURES", "1000")
    get_settings.cache_clear()
    await archive_creatives()
    page, above = await latest(KEY)
    assert summary.headline in above
    assert some.count("| not archived yet | CR") > page.count("| not archived yet | CR")
    shown = PICTURE.findall(page)
    assert {one.ad_creative_id for one in summary.new_creatives} >= set(shown)
    assert len(shown) > 5
    for line in page.splitlines()[2:]:  # each picture stands beside its own ad
        assert re.match(r"\| (!\[(CR\d+)\]\(\S+\) \| \2 \||not archived yet \| CR)", line), line[
            :90
        ]
    assert len(page) <= MOST_BYTES
    await fetch_creatives(text="hubspot.com")  # and another search's table is another
    assert await latest(KEY) == (page, above)


async def test_watch_and_sweep_show_the_pictures_of_their_news_the_changed_before_and_after(
    shop: Workshop, database: Database
) -> None:
    place = Place(database, shop.url)
    watch_id = await place.add()
    await process_watch(watch_id)
    await archive_creatives()
    changed, other = [row["ad_creative_id"] for row in place.ads() if "image" in row][:2]
    picture = next(row["image"] for row in place.ads() if row["ad_creative_id"] == other)
    place.change_ads({"action": "alter", "ad_creative_id": changed, "row": {"image": picture}})
    await place.change("UPDATE watch SET region = '2840', due_at = now() - interval '1 hour'")
    assert (await process_all_active_watches()).events.changed == 1
    page, _ = await latest("sweep")
    before = rf"\| !\[{changed}\]\(data:\S+\) → "
    assert re.search(rf"(?m)^{before}not archived yet \| {changed} \| a watch \| changed \|", page)
    await archive_creatives()
    page, _ = await latest("sweep")
    assert re.search(rf"(?m)^{before}!\[{changed}\]\(data:\S+\) \| {changed} \|", page)
    await change(database, "UPDATE creative_event SET occurred_at = now() + interval '1 hour' "
                           "WHERE kind = 'changed'")  # fmt: skip
    await place.change("UPDATE watch SET region = '2276'")
    await process_watch(watch_id)
    page, _ = await latest(f"watch-{watch_id}")
    assert re.search(rf"(?m)^{before}!\[{changed}\]\(data:\S+\) \| {changed} \|", page)


async def test_a_dry_run_promises_no_pictures() -> None:
    await fetch_creatives(text="hubspot.com", dry_run=True)
    page, _ = await latest("new-creatives-hubspot-com")
    assert "not archived yet" not in page
    assert page.count("|  | CR") == 3


def test_no_text_from_outside_is_read_as_an_ad_that_waits() -> None:
    name = "x |\n| not archived yet | CR00000000000000000001 |"
    page = write_ads([{"ad": f"CR{2:020d}", "advertiser": name}], {}, waits=True)
    known = {f"CR{number:020d}": Thumbnails(THUMBNAIL) for number in (1, 2)}
    assert fill_in(page, known).count(THUMBNAIL) == 1
    assert f"![CR{2:020d}]({THUMBNAIL}) | CR{2:020d} |" in fill_in(page, known)


def test_a_page_stays_within_its_bytes() -> None:
    pictures = {f"thumbnails/00/{number:064x}.webp": bytes(90_000) for number in range(9)}
    assert list(choose_pictures("x" * 1000, pictures)) == list(pictures)[:3]
    assert choose_pictures("x" * MOST_BYTES, pictures) == {}
