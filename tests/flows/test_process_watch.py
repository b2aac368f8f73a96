"""The flow process-watch: its result, its table, and the events that automations hang on."""

import asyncio
import time
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State

from adspark.creatives.details import DetailsSummary
from adspark.db.engine import Database
from adspark.errors import UnknownWatchError
from adspark.watches.check import WatchSummary
from flows.fetch_details import fetch_details
from flows.process_watch import process_watch
from tests.support.events import events_of
from tests.support.sandbox_control import searches, switch_on
from tests.support.watching import Place

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def place(database: Database, sandbox_url: str) -> Place:
    """The database and the sandbox that the environment names."""
    return Place(database, sandbox_url)


async def later(place: Place) -> None:
    """So late that SerpApi's cache has forgotten: here, a search with another page size."""
    await place.change("UPDATE watch SET region = '2840'")


async def test_a_check_gives_its_summary_and_says_that_it_has_looked(place: Place) -> None:
    watch_id = await place.add()
    summary = await process_watch(watch_id)
    assert (summary.name, summary.coverage, summary.events.baseline) == ("a watch", "complete", 40)


async def test_news_are_a_table_and_an_event_each_and_announced_once(place: Place) -> None:
    ad = place.ads()[7]  # of which no other test has events in the server that they share
    place.change_ads({"action": "remove", "ad_creative_id": ad["ad_creative_id"]})
    watch_id = await place.add()
    await process_watch(watch_id)
    shown_now = {"last_shown": int(time.time())}
    place.change_ads({"action": "alter", "ad_creative_id": ad["ad_creative_id"], "row": shown_now})
    await later(place)
    summary = await process_watch(watch_id)
    assert summary.events.new == 1

    async with get_client() as client:
        key = ArtifactFilterKey(any_=[f"watch-{watch_id}"])
        artifacts = await client.read_latest_artifacts(artifact_filter=_latest(key))
    assert ad["ad_creative_id"] in str(artifacts[0].data)
    assert "1 new" in (artifacts[0].description or "")

    (event,) = await events_of(f"adspark.creative.{ad['ad_creative_id']}")
    assert event["event"] == "adspark.creative.new"
    assert event["payload"]["advertiser"] == "New Balance Athletic Shoe, Inc."
    related = {one["prefect.resource.id"] for one in event["related"]}
    assert f"adspark.watch.{watch_id}" in related
    assert await place.rows("SELECT 1 FROM creative_event WHERE announced_at IS NULL") == []

    # A run that died after telling Prefect and before noting it tells it again, under the same id.
    await place.change("UPDATE creative_event SET announced_at = NULL WHERE kind = 'new'")
    await process_watch(watch_id)
    await asyncio.sleep(1)
    assert len(await events_of(f"adspark.creative.{ad['ad_creative_id']}")) == 1


def _latest(key: ArtifactFilterKey) -> Any:  # noqa: ANN401
    from prefect.client.schemas.filters import ArtifactCollectionFilter  # noqa: PLC0415

    assert ArtifactFilter is not None
    return ArtifactCollectionFilter.model_validate({"key": key.model_dump(exclude_unset=True)})


async def test_a_temporary_failure_is_tried_again(place: Place, sandbox_url: str) -> None:
    watch_id = await place.add()
    switch_on(sandbox_url, {"kind": "unavailable_503", "times": 2})
    assert (await process_watch(watch_id)).events.baseline == 40
    assert searches(sandbox_url)["billed"] == 1


@pytest.mark.parametrize(
    ("fields", "message"), [({}, "paused"), (None, "watch_id: There is no watch 77")]
)
async def test_an_unknown_or_paused_watch_fails_at_once_with_the_remedy(
    place: Place, sandbox_url: str, fields: dict[str, Any] | None, message: str
) -> None:
    watch_id = 77 if fields is None else await place.add(is_active=False)
    state: State[WatchSummary] = await process_watch(watch_id, return_state=True)
    assert state.is_failed()
    assert message in (state.message or "")
    with pytest.raises(UnknownWatchError):
        await state.aresult()
    assert searches(sandbox_url)["requests"] == 0


async def test_a_look_up_of_an_unknown_watch_names_the_parameter(place: Place) -> None:
    state: State[DetailsSummary] = await fetch_details(watch_id=77, return_state=True)
    assert "watch_id: There is no watch 77; list them with" in (state.message or "")
