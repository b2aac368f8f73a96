"""What becomes of what a model wrote: its copy, cut off or not, and the picture among addresses."""

import base64
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from adspark.errors import GenerationFailedError
from adspark.generators.chat import ChatGenerator
from adspark.serpapi.client import SerpApiClient
from adspark.variants.generate import claim_variant, ensure_original, generate
from adspark.variants.store import VariantSummary
from tests.support.factories import query
from tests.support.hostile_pages import draw
from tests.support.watching import KEY
from tests.support.workshop import Workshop

B64 = base64.b64encode(draw(60, 40)).decode()


async def make(shop: Workshop, message: Any, **choice: Any) -> VariantSummary:  # noqa: ANN401
    """A variant by a chat model that answers with a message."""
    body = {"choices": [{"message": message} | choice]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    (original, *_) = await shop.stock()
    (variant_id,) = await shop.request(original)
    claim = claim_variant(shop.database, variant_id, flow_run_id=None, generator="chat")
    async with (
        claim,
        shop.deps() as deps,
        shop.renderer() as renderer,
        ChatGenerator("http://m.example/v1", model="m", transport=transport) as generator,
    ):
        await ensure_original(shop.database, shop.media, renderer, variant_id=variant_id)
        return await generate(replace(deps, generator=generator), variant_id=variant_id)


async def test_thoughts_and_fences_are_neither_title_nor_copy(shop: Workshop) -> None:
    ad = json.dumps({"headline": "Summer is on", "cta": "Shop now!"})
    content = (
        f"<think>Be short.</think>Here:\n```json\n{ad}\n```\n![ad](data:image/png;base64,{B64})"
    )
    made = await make(shop, {"content": content}, finish_reason="stop")
    assert (made.title, made.description) == ("Summer is on", "Summer is on\n\nShop now!")
    assert (made.problem, made.confidence_score) == (None, 1.0)


async def test_copy_that_was_cut_off_is_not_complete_and_says_so(shop: Workshop) -> None:
    message = {"content": "Summer is on. Shop", "images": [{"b64_json": B64}]}
    made = await make(shop, message, finish_reason="length")
    assert made.description == "Summer is on. Shop"
    assert made.problem == "its copy was cut off by the generator"
    assert made.confidence_score == 0.7
    assert "its copy was cut off" in made.headline


async def test_thoughts_that_were_cut_off_fail_the_variant(shop: Workshop) -> None:
    with pytest.raises(GenerationFailedError, match="cut off before its copy began"):
        await make(shop, {"content": "<think>The user wants"}, finish_reason="length")


async def test_a_page_is_no_picture_and_the_picture_beside_it_is_taken(
    shop: Workshop, sandbox: str
) -> None:
    async with SerpApiClient(KEY, base_url=sandbox) as client:
        page = await client.fetch_page(query())
    picture = next(row.image for row in page.rows if row.image)
    images = [{"image_url": f"{sandbox}/health"}, {"image_url": picture}]
    made = await make(shop, {"content": "Summer is on", "images": images})
    assert made.problem is None
    assert made.image_path is not None


@pytest.mark.parametrize(
    "picture",
    [
        {"images": [{"type": "custom", "url": f"data:image/PNG;charset=utf-8;base64,{B64}"}]},
        {"images": [B64]},
        {"image": "\n".join(B64[at : at + 76] for at in range(0, len(B64), 76))},
    ],
)
async def test_a_picture_is_kept_however_it_is_enclosed(
    shop: Workshop, picture: dict[str, Any]
) -> None:
    made = await make(shop, {"content": "Summer is on"} | picture)
    assert (made.problem, made.image_path is None) == (None, False)
