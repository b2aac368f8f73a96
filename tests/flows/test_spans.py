"""What a collector of OpenTelemetry gets of runs: which spans, with which ids, and no secret."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client

from adspark import tracing
from adspark.db.engine import Database
from adspark.tracing import send_spans
from flows.generate_ad_variant import generate_ad_variant
from flows.process_watch import process_watch
from tests.support.collector import Collector, attributes, collecting
from tests.support.contained import make_run
from tests.support.forked import fork_and_wait
from tests.support.sandbox_control import SANDBOX_KEY
from tests.support.watching import Place
from tests.support.workshop import Workshop

pytestmark = pytest.mark.usefixtures("environment")

PROMPT = "Create a summer-themed version"
FLOW = """
from prefect import flow
from adspark.tracing import span

@flow(name="traced")
async def traced() -> None:
    with span("search"):
        pass
"""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    tracing._provider.cache_clear()
    with collecting() as opened:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", opened.url)
        yield opened
        if provider := tracing._provider():
            provider.shutdown()
    tracing._provider.cache_clear()


def found(collector: Collector) -> dict[str, dict[str, str | int]]:
    """The attributes of each span, by its name; there is one of each."""
    send_spans()
    spans = {one.name: attributes(one.attributes) for one in collector.spans}
    assert len(spans) == len(collector.spans)
    return spans


async def test_a_check_of_a_watch_is_a_fetch_with_its_search_and_its_storing(
    database: Database, sandbox_url: str, collector: Collector
) -> None:
    watch_id = await Place(database, sandbox_url).add(name="shoes")
    state = await process_watch(watch_id, return_state=True)
    spans = found(collector)
    assert sorted(spans) == ["fetch", "search", "store"]
    run_id = str(state.state_details.flow_run_id)
    for one in spans.values():
        assert (one["prefect.flow_run.id"], one["adspark.watch.id"]) == (run_id, watch_id)
        assert len(str(one["prefect.task_run.id"])) == len(str(one["adspark.fetch.id"])) == 36
    ids = {one.name: one.span_id for one in collector.spans}
    assert {one.parent_span_id for one in collector.spans if one.name != "fetch"} == {ids["fetch"]}
    sent = b"".join(collector.bodies)
    for secret in (SANDBOX_KEY, sandbox_url, "api_key", "http://"):
        assert secret.encode() not in sent


async def test_a_variant_is_rendered_generated_and_stored(
    shop: Workshop, collector: Collector
) -> None:
    ad, *_ = await shop.stock()
    send_spans()
    collector.bodies.clear()
    made = await generate_ad_variant(ad, PROMPT, 1)
    spans = found(collector)
    assert sorted(spans) == ["generate", "render", "store"]
    for one in spans.values():
        assert one["adspark.variant.id"] == made.id
    assert len({one["prefect.flow_run.id"] for one in spans.values()}) == 1
    assert len({one["prefect.task_run.id"] for one in spans.values()}) == 2
    sent = b"".join(collector.bodies)
    for secret in (PROMPT, "app-sandbox", "http://"):
        assert secret.encode() not in sent


async def test_a_run_in_a_process_of_its_own_sends_its_spans_before_it_ends(
    tmp_path: Path, collector: Collector
) -> None:
    async with get_client() as client:
        run_id = await make_run(client, tmp_path, FLOW, "traced")
    assert (await fork_and_wait(run_id, tmp_path)).is_completed()
    assert [one.name for one in collector.spans] == ["search"]
