"""The flow archive-creatives: pictures of recorded ads are kept, and one run works at a time."""

import json
from collections.abc import Iterator

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from adspark.archive.counts import count_archive
from adspark.db.engine import Database
from adspark.sandbox.control.pictures import draw_picture
from adspark.settings import get_settings
from flows.archive_creatives import archive_creatives
from flows.health_check import health_check
from tests.support.picture_host import PictureHost, picture_host
from tests.support.queued import delete_deployments_without_pool
from tests.support.sandbox_control import searches
from tests.support.stored_ads import change, ids
from tests.support.variants_at_hand import AD, ask, finish, stocked
from tests.support.workshop import Workshop

PICTURE = draw_picture({"advertiser": "A", "ad_creative_id": AD, "format": "text"})
pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def host(environment: pytest.MonkeyPatch, sandbox_url: str) -> Iterator[PictureHost]:
    """A host beside the sandbox that may be asked."""
    with picture_host() as opened:
        pair = sandbox_url.removeprefix("http://")
        environment.setenv("ADSPARK_TRUSTED_HOSTS", f"{pair},{opened.pair}")
        get_settings.cache_clear()
        yield opened


async def artifact() -> str:
    """What a person reads under Artifacts."""
    async with get_client() as client:
        found = await client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["archive"])), limit=200
        )
    return str(max(found, key=lambda one: str(one.created)).data)


async def test_recorded_ads_are_archived_without_a_search_and_health_tells_of_it(
    shop: Workshop, environment: pytest.MonkeyPatch, database: Database
) -> None:
    ids = await shop.stock()
    await change(database, "DELETE FROM new_version WHERE is_preview")
    paid = searches(shop.url)["billed"]
    state = await archive_creatives(return_state=True)
    summary = await state.aresult()
    assert (summary.stored, summary.waiting, summary.failures) == (len(ids), 0, [])
    assert state.message == summary.headline == await headline()
    assert searches(shop.url)["billed"] == paid
    async with database.session() as session:
        counts = await count_archive(session)
    assert counts.versions == len(ids)
    get_settings().home.mkdir(parents=True, exist_ok=True)
    async with get_client() as client:
        await delete_deployments_without_pool(client)
    checks = (await health_check()).checks
    (archive,) = [one for one in checks if one.name == "archive"]
    assert archive.state == "ok"
    assert archive.what == counts.describe(10_000 * 2**20)
    assert f"{counts.pictures} pictures" in archive.what


async def headline() -> str:
    """The artifact's first line, without its mark-up."""
    return (await artifact()).splitlines()[0].strip("*").replace("\\", "")


async def test_a_picture_that_cannot_be_had_is_told_and_tried_again_when_asked(
    shop: Workshop, host: PictureHost, database: Database
) -> None:
    await shop.stock()
    await change(
        database,
        "DELETE FROM creative WHERE ad_creative_id <> (SELECT min(ad_creative_id) FROM creative)",
        "DELETE FROM new_version v "
        "WHERE NOT EXISTS (SELECT FROM creative c WHERE c.ad_creative_id = v.ad_creative_id)",
        f"UPDATE new_version SET source_url = '{host.url('gone')}', is_preview = false",
    )
    assert (await archive_creatives()).failed == 1
    assert "answered 404" in (await artifact()).replace("\\", "")
    await change(database, "UPDATE picture_version SET next_attempt_at = now()")
    assert (await archive_creatives()).given_up == 1
    host.answers["/gone.png"] = host._answer("/1.png")
    assert (await archive_creatives()).stored == 0
    assert (await archive_creatives(retry_failed=True)).stored == 1


async def test_variants_that_were_stored_without_a_thumbnail_get_theirs(
    shop: Workshop, database: Database
) -> None:
    path, _ = await shop.media.save_variant(PICTURE)
    async with stocked(database) as session:
        await finish(session, await ask(session), image_path=path, thumbnail_path=None)
        await session.commit()
    await change(database, "DELETE FROM new_version")
    await archive_creatives()
    (made,) = await ids(database, "SELECT thumbnail_path FROM ad_variant")
    assert await shop.media.reuse(str(made))


async def test_the_settings_bound_a_run(shop: Workshop, environment: pytest.MonkeyPatch) -> None:
    await shop.stock()
    environment.setenv("ADSPARK_ARCHIVE_RUN_PICTURES", "3")
    get_settings.cache_clear()
    state = await archive_creatives(return_state=True)
    assert json.loads((await state.aresult()).model_dump_json())["stored"] == 3
    assert (state.message or "").endswith("; ended by the pictures of a run")


async def test_a_second_run_at_the_same_time_is_cancelled(
    shop: Workshop, database: Database
) -> None:
    async with database.lock("archive"):
        state = await archive_creatives(return_state=True)
    assert state.is_cancelled()


async def test_without_a_browser_it_ends_partly_failed_and_says_what_to_do(
    shop: Workshop, environment: pytest.MonkeyPatch, database: Database
) -> None:
    await shop.stock()
    await change(
        database,
        "UPDATE new_version v SET source_url = video_link, is_preview = true "
        "FROM creative c WHERE c.ad_creative_id = v.ad_creative_id AND video_link IS NOT NULL",
    )
    environment.setenv("ADSPARK_BROWSER", "/no/browser")
    get_settings.cache_clear()
    state = await archive_creatives(return_state=True)
    assert (state.is_failed(), state.name) == (True, "Partly Failed")
    assert "previews: ADSPARK_BROWSER: there is no program" in (state.message or "")
    async with database.session() as session:
        counts = await count_archive(session)
    assert counts.versions > 0
    assert (counts.failed, counts.waiting > 0) == (0, True)
