"""The flow cleanup-old-creatives: the guide's call, its counts, and settings that it refuses."""

import re
from datetime import timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from adspark.db.engine import Database
from adspark.db.rates import CLEANUPS
from adspark.errors import ConfigurationError
from adspark.media.store import MediaStore
from adspark.sandbox.control.pictures import draw_picture
from adspark.settings import get_settings, media_url
from flows.cleanup_old_creatives import cleanup_old_creatives
from tests.support.memory_store import PROTOCOL, MemoryStore
from tests.support.stored_ads import ids, stock
from tests.support.variants_at_hand import ask, finish, stocked

PNG = draw_picture({"advertiser": "A", "ad_creative_id": "CR1", "format": "text"})
pytestmark = pytest.mark.usefixtures("environment")


async def test_old_ads_are_counted_then_removed(database: Database) -> None:
    await stock(database)
    assert (await cleanup_old_creatives(days_old=200)).creatives == 0
    foreseen = await cleanup_old_creatives(dry_run=True)
    assert foreseen.headline == "would remove 3 ads"
    done = await cleanup_old_creatives(days_old=90)
    assert (done.creatives, done.advertisers) == (3, 1)
    assert await ids(database, "SELECT count(*) FROM creative") == [0]


async def test_a_ledger_too_short_for_budgets_is_refused(
    database: Database, environment: pytest.MonkeyPatch
) -> None:
    await stock(database)
    environment.setenv("ADSPARK_KEEP_FETCHES_DAYS", "7")
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match="KEEP_FETCHES_DAYS: must be 62 to 36500, not 7"):
        await cleanup_old_creatives()
    assert await ids(database, "SELECT count(*) FROM creative") == [3]


async def test_a_run_that_could_not_remove_a_picture_says_so_and_is_no_success(
    database: Database, environment: pytest.MonkeyPatch
) -> None:
    await stock(database)
    environment.setenv("ADSPARK_MEDIA_URL", f"{PROTOCOL}://flow")
    get_settings.cache_clear()
    path = await MediaStore(f"{PROTOCOL}://flow").save_original("1" * 64, PNG)
    foreign = await cleanup_old_creatives(return_state=True, dry_run=True)
    assert (foreign.is_failed(), foreign.name) == (True, "Partly Failed")
    assert "-p take_over_store=true" in (foreign.message or "")
    await cleanup_old_creatives(take_over_store=True, days_old=36500)
    MemoryStore.store[f"/flow/{path}"].modified -= timedelta(days=2)
    environment.setattr(MemoryStore, "protected", {f"/flow/{path}"})
    ended = await cleanup_old_creatives(return_state=True)
    assert (ended.is_failed(), ended.name) == (True, "Partly Failed")
    assert (ended.message or "").startswith("removed 3 ads, 1 advertiser; 1 picture could not be")
    assert f"{path}: Operation not permitted" in (ended.message or "")


async def test_the_run_that_enters_the_owner_of_the_pictures_says_so_and_is_a_success(
    database: Database,
) -> None:
    media = MediaStore(media_url(get_settings()))
    path, _ = await media.save_variant(PNG)
    async with stocked(database) as session:
        await finish(session, await ask(session), image_path=path, thumbnail_path=None)
        await session.commit()
    ended = await cleanup_old_creatives(return_state=True)
    assert ended.is_completed()
    assert "unused pictures are removed from the next clean-up on" in (ended.message or "")


async def test_it_cleans_up_once_an_hour_as_operators_set(database: Database) -> None:
    async with get_client() as client:
        once = GlobalConcurrencyLimitCreate(name=CLEANUPS, limit=1, slot_decay_per_second=1 / 3600)
        await client.create_global_concurrency_limit(once)
        try:
            await cleanup_old_creatives()
            await stock(database)
            refused = await cleanup_old_creatives(return_state=True)
            counted = await cleanup_old_creatives(dry_run=True)
            await client.upsert_global_concurrency_limit_by_name(CLEANUPS, 2, 2 / 3600)
            done = await cleanup_old_creatives()
        finally:
            await client.delete_global_concurrency_limit_by_name(CLEANUPS)
    assert refused.is_cancelled()
    assert re.search(r"cleaned up lately .* again in (59|60) min", refused.message or "")
    assert (counted.creatives, done.creatives) == (3, 3)
