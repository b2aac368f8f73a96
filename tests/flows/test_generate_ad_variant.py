"""The flow generate-ad-variant: its result, its page, and that nothing is paid twice."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey

from adspark.errors import GenerationFailedError, InvalidQueryError, UnknownVariantError
from adspark.models import VariantStatus
from adspark.settings import get_settings
from adspark.variants.lists import list_variants
from adspark.variants.state import VariantState
from adspark.variants.store import read_variant
from flows.generate_ad_variant import generate_ad_variant
from tests.support import asking
from tests.support.workshop import Workshop

pytestmark = pytest.mark.usefixtures("environment")


async def artifact(key: str) -> Any:  # noqa: ANN401
    """The latest artifact of a key."""
    wanted = ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=[key]))
    async with get_client() as client:
        (found,) = await client.read_latest_artifacts(artifact_filter=wanted)
    return found


async def test_without_a_row_it_makes_one_and_shows_both_pictures(shop: Workshop) -> None:
    ad, *_ = await shop.stock()
    made = await generate_ad_variant(ad, "Create a summer-themed version", 1)
    assert made.status is VariantStatus.COMPLETED
    assert made.image_path is not None
    assert await shop.media.reuse(made.image_path)
    page = await artifact(f"variant-{made.id}")
    assert str(page.data).count("](data:image/jpeg;base64,") == 2
    assert "Summer" in str(page.data)
    assert page.description == f"variant {made.id} completed: confidence 100%"
    assert (await artifact(f"variant-{made.id}-progress")).data == 100.0


async def test_with_an_id_it_takes_up_that_row_and_a_second_run_pays_nothing(
    shop: Workshop,
) -> None:
    ad, *_ = await shop.stock()
    (variant_id,) = await shop.request(ad, prompt="Red")
    first = await generate_ad_variant(ad, "Red", 1, variant_id=variant_id)
    assert first.id == variant_id
    assert await generate_ad_variant(ad, "Red", 1, variant_id=variant_id) == first
    assert shop.bill["paid"] == 1


async def test_a_finished_variant_whose_picture_is_gone_is_completed_and_reviewed(
    shop: Workshop, environment: pytest.MonkeyPatch
) -> None:
    ad, *_ = await shop.stock()
    reviewed: list[int] = []

    async def note(variant_id: int) -> None:
        reviewed.append(variant_id)

    environment.setattr("flows.generate_ad_variant.request_review", note)
    made = await generate_ad_variant(ad, "Red", 1, review=True)
    Path(shop.media.locate(str(made.image_path))).unlink()
    again = await generate_ad_variant(ad, "Red", 1, variant_id=made.id, review=True)
    assert again.status is VariantStatus.COMPLETED
    assert reviewed == [made.id, made.id]
    page = str((await artifact(f"variant-{made.id}")).data)
    assert page.count("](data:image/jpeg;base64,") == 1
    assert "cannot be shown: The media store has no such picture" in page


async def test_a_row_of_something_else_is_refused_and_left_alone(shop: Workshop) -> None:
    ad, other, *_ = await shop.stock()
    (variant_id,) = await shop.request(ad, prompt="Red")
    with pytest.raises(InvalidQueryError, match=f"original_ad_id: variant {variant_id} was"):
        await generate_ad_variant(other, "Red", 1, variant_id=variant_id)
    with pytest.raises(InvalidQueryError, match="prompt: variant"):
        await generate_ad_variant(ad, "Blue", 1, variant_id=variant_id)
    assert (await shop.row(variant_id)).status == "pending"


async def test_an_ad_that_is_not_stored_costs_nothing(shop: Workshop) -> None:
    with pytest.raises(InvalidQueryError, match=r"original_ad_id: no ad CR0+1 is stored"):
        await generate_ad_variant("CR00000000000000000001", "Red", 1)
    assert shop.bill["runs"] == 0


async def count_rows(shop: Workshop) -> int:
    """How many variants there are."""
    async with shop.database.session() as session:
        return len(await list_variants(session, limit=10))


async def test_a_prompt_longer_than_the_workflow_takes_is_refused_before_anything_is_requested(
    shop: Workshop,
) -> None:
    ad, *_ = await shop.stock()
    state = await generate_ad_variant(ad, "x" * 7999, 1, return_state=True)
    assert state.is_failed()
    assert "prompt: 7999 characters; this workflow's input 'prompt' takes at most 2000." in (
        state.message or ""
    )
    assert await count_rows(shop) == shop.bill["uploads"] == 0
    # Characters are counted as Dify counts them, and as they are sent: trimmed.
    fits = "\U0001f600" * 2000
    made = await generate_ad_variant(ad, f"  {fits}\n", 1)
    assert made.prompt == fits


async def test_a_row_whose_prompt_the_workflow_does_not_take_fails_with_its_run(
    shop: Workshop,
) -> None:
    """It was requested while the limit could not be asked, or before the limit was lowered."""
    ad, *_ = await shop.stock()
    (variant_id,) = await shop.request(ad, prompt="x" * 2001)
    state = await generate_ad_variant(ad, "x" * 2001, 1, variant_id=variant_id, return_state=True)
    assert state.is_failed()
    assert "prompt: 2001 characters" in (state.message or "")
    row = await shop.row(variant_id)
    assert (row.status, row.error_kind) == ("failed", "InvalidQueryError")
    assert shop.bill["uploads"] == 0


@pytest.mark.parametrize(("length", "rows"), [(20_001, 0), (20_000, 1)])
async def test_where_the_workflow_cannot_be_asked_the_products_own_bound_holds(
    shop: Workshop, environment: pytest.MonkeyPatch, length: int, rows: int
) -> None:
    ad, *_ = await shop.stock()
    environment.setenv("ADSPARK_DIFY_URL", "http://127.0.0.1:9/v1")
    get_settings.cache_clear()
    state = await generate_ad_variant(ad, "x" * length, 1, return_state=True)
    assert state.is_failed()
    told = "prompt: has 20001 characters; shorten it to 20000" if rows == 0 else "cannot be reached"
    assert told in (state.message or "")
    assert await count_rows(shop) == rows


async def test_what_fails_for_a_moment_is_tried_again_and_paid_once(shop: Workshop) -> None:
    ad, *_ = await shop.stock()
    shop.switch_on({"kind": "server_error", "times": 2})
    assert (await generate_ad_variant(ad, "Red", 1)).status is VariantStatus.COMPLETED
    assert shop.bill["paid"] == 1


async def test_a_variant_that_is_cancelled_between_two_attempts_ends_its_run_as_cancelled(
    shop: Workshop, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ADSPARK_RETRY_DELAYS", ",".join(["0.05"] * 50))
    get_settings.cache_clear()
    ad, *_ = await shop.stock()
    shop.switch_on({"kind": "server_error", "times": 1000})
    (variant_id,) = await shop.request(ad, prompt="Red")

    async def cancel() -> None:
        while (await shop.row(variant_id)).status != "processing":
            await asyncio.sleep(0.05)
        async with shop.database.session() as session:
            row = await read_variant(session, variant_id=variant_id)
            assert await VariantState(session, row).cancel()
            await session.commit()

    cancelling = asyncio.create_task(cancel())
    state = await generate_ad_variant(ad, "Red", 1, variant_id=variant_id, return_state=True)
    await cancelling
    assert (state.is_cancelled(), state.message) == (True, f"variant {variant_id} was cancelled")


async def test_a_failure_ends_run_and_row_with_its_cause(shop: Workshop) -> None:
    ad, *_ = await shop.stock()
    shop.switch_on({"kind": "failed_run"})
    (variant_id,) = await shop.request(ad, prompt="Red")
    with pytest.raises(GenerationFailedError, match="Dify's run failed"):
        await generate_ad_variant(ad, "Red", 1, variant_id=variant_id)
    assert (await shop.row(variant_id)).status == "failed"
    with pytest.raises(UnknownVariantError, match="adspark variant retry"):
        await generate_ad_variant(ad, "Red", 1, variant_id=variant_id)
    assert shop.bill["paid"] == 1


async def test_secrets_are_in_no_state_log_or_artifact(shop: Workshop) -> None:
    ad, *_ = await shop.stock()
    shop.switch_on({"kind": "unauthorized"})
    with pytest.raises(Exception, match="ADSPARK_DIFY_KEY"):
        await generate_ad_variant(ad, str(uuid4()), 1)
    async with get_client() as client:
        told = [one.model_dump_json() for one in await client.read_flow_runs(limit=5)]
        told += [one.model_dump_json() for one in await client.read_logs()]
        base = str(client.api_url)
    told.append(asking.post(f"{base}/artifacts/filter", json={}).text)
    assert not any("app-sandbox" in one for one in told)


class _Model(BaseHTTPRequestHandler):
    """A chat endpoint without a key, as of a local model."""

    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.asked.append(json.loads(self.rfile.read(length)))
        message = {"role": "assistant", "content": "Summer is here\nCome and see."}
        answer = json.dumps({"id": "chat-1", "choices": [{"message": message}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Be silent."""


async def test_where_there_is_no_dify_a_local_model_writes_the_copy(
    shop: Workshop, environment: pytest.MonkeyPatch
) -> None:
    ad, *_ = await shop.stock()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Model) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment.setenv("ADSPARK_GENERATOR", "chat")
        environment.setenv("ADSPARK_CHAT_URL", f"http://127.0.0.1:{server.server_port}/v1")
        environment.setenv("ADSPARK_CHAT_MODEL", "llava")
        get_settings.cache_clear()
        made = await generate_ad_variant(ad, "Make it summer", 1)
        server.shutdown()
    assert (made.generator, made.title) == ("chat", "Summer is here")
    assert (made.confidence_score, made.image_path) == (0.8, None)
    assert "no picture" in (made.problem or "")
    (asked,) = _Model.asked
    wish, picture = asked["messages"][1]["content"]
    assert asked["model"] == "llava"
    assert wish["text"].startswith("Make it summer")
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
