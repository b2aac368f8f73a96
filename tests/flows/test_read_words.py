"""The flow read-words: what the archive kept is read, and one run works at a time."""

import sys

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from adspark.db.engine import Database
from adspark.settings import get_settings
from adspark.words.reader_process import MISSING
from flows.archive_creatives import archive_creatives
from flows.read_words import read_words
from tests.support.sandbox_control import searches
from tests.support.stored_ads import change
from tests.support.workshop import Workshop

pytestmark = pytest.mark.usefixtures("environment")


async def test_the_words_of_an_archived_ad_are_read_without_a_search(
    shop: Workshop, environment: pytest.MonkeyPatch, database: Database
) -> None:
    pytest.importorskip("rapidocr", reason="pip install 'adspark[ocr]'")
    await shop.stock()
    await change(database, "DELETE FROM new_version WHERE is_preview")
    environment.setenv("ADSPARK_ARCHIVE_RUN_PICTURES", "2")
    get_settings.cache_clear()
    await archive_creatives()
    paid = searches(shop.url)["billed"]
    environment.setenv("ADSPARK_WORDS_RUN_PICTURES", "1")
    get_settings.cache_clear()
    state = await read_words(return_state=True)
    summary = await state.aresult()
    assert (summary.read, summary.failures) == (1, [])
    assert state.message == summary.headline == await headline()
    assert summary.headline.endswith("; ended by the pictures of a run")
    assert searches(shop.url)["billed"] == paid
    with environment.context() as without:
        without.setitem(sys.modules, "rapidocr", None)  # as where it is not installed
        state = await read_words(return_state=True)
    assert state.is_completed()
    assert (state.message or "").endswith(MISSING)


async def test_a_second_run_at_the_same_time_is_cancelled(
    shop: Workshop, database: Database
) -> None:
    async with database.lock("words"):
        state = await read_words(return_state=True)
    assert state.is_cancelled()


async def headline() -> str:
    """The artifact's first line, without its mark-up."""
    async with get_client() as client:
        found = await client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["words"])), limit=200
        )
    newest = str(max(found, key=lambda one: str(one.created)).data)
    return newest.splitlines()[0].strip("*").replace("\\", "")
