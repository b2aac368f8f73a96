"""A generated picture whose host is away, or whose store is full: what was paid is kept."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adspark.errors import AdSparkError
from adspark.generators.chat import ChatGenerator
from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.variants.generate import claim_variant, ensure_original, generate
from adspark.variants.state import VariantState
from adspark.variants.store import read_variant
from tests.support.memory_store import PROTOCOL, MemoryStore
from tests.support.picture_host import PictureHost, picture_host
from tests.support.stored_ads import change
from tests.support.workshop import Workshop

AWAY = (503, b"busy")
COPY = "Summer is on.\n\n"
_SAVED_FIVE_MINUTES_AGO = """
    UPDATE ad_variant SET generated = jsonb_set(
        generated, '{saved_at}', to_jsonb(now() - interval '301 seconds'))
"""


@pytest.fixture
def host() -> Iterator[PictureHost]:
    """Where generated pictures are."""
    with picture_host() as made:
        yield made


@dataclass
class Model:
    """A chat model that draws /7.png, writes `copy` before it, and counts what it is asked."""

    shop: Workshop
    host: PictureHost
    copy: str
    asked: int = 0

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        content = f"{self.copy}![ad]({self.host.url(7)})"
        return httpx.Response(200, json={"choices": [{"message": {"content": content}}]})

    async def make(self, variant_id: int) -> Any:  # noqa: ANN401
        """Take a variant up, whatever becomes of it; returns its row."""
        shop = self.shop
        transport = httpx.MockTransport(self.answer)
        with suppress(AdSparkError):
            async with (
                claim_variant(shop.database, variant_id, flow_run_id=None, generator="chat"),
                shop.renderer() as renderer,
                shop.deps() as deps,
                ChatGenerator("http://m.example/v1", model="m", transport=transport) as generator,
                Downloader(AddressRules([self.host.pair])) as downloader,
            ):
                await ensure_original(shop.database, shop.media, renderer, variant_id=variant_id)
                able = replace(deps, generator=generator, downloader=downloader)
                await generate(able, variant_id=variant_id)
        return await shop.row(variant_id)


async def _request(shop: Workshop) -> int:
    ids = await shop.stock()
    (variant_id,) = await shop.request(ids[0])
    return variant_id


@pytest.mark.parametrize("copy", [COPY, ""], ids=["copy and picture", "picture only"])
async def test_a_picture_whose_host_is_away_for_a_while_is_fetched_later_and_paid_once(
    shop: Workshop, host: PictureHost, copy: str
) -> None:
    variant_id, model = await _request(shop), Model(shop, host, copy)
    host.answers["/7.png"] = AWAY
    for _ in range(2):
        waiting = await model.make(variant_id)
        assert waiting.status == "pending"
        assert "answered 503. Its picture is fetched again." in waiting.error
    host.answers.clear()
    made = await model.make(variant_id)
    assert (made.status, made.problem, made.generated) == ("completed", None, None)
    assert made.image_path
    assert (made.attempt, model.asked) == (1, 1)


@pytest.mark.parametrize(
    ("copy", "status", "message"),
    [
        pytest.param(COPY, "completed", "it has no picture: .* answered 503", id="copy is kept"),
        pytest.param("", "failed", "picture is unusable: .* answered 503", id="nothing is left"),
    ],
)
async def test_once_its_address_may_have_expired_a_picture_is_not_waited_for(
    shop: Workshop, host: PictureHost, copy: str, status: str, message: str
) -> None:
    variant_id, model = await _request(shop), Model(shop, host, copy)
    host.answers["/7.png"] = AWAY
    await model.make(variant_id)
    await change(shop.database, _SAVED_FIVE_MINUTES_AGO)
    ended = await model.make(variant_id)
    assert ended.status == status
    assert re.search(message, ended.problem or ended.error)
    assert model.asked == 1


async def test_a_picture_that_is_gone_is_not_waited_for(shop: Workshop, host: PictureHost) -> None:
    variant_id, model = await _request(shop), Model(shop, host, COPY)
    host.answers["/7.png"] = (404, b"none")
    made = await model.make(variant_id)
    assert made.status == "completed"
    assert "answered 404" in made.problem


@pytest.fixture
def full() -> Iterator[set[str]]:
    """Folders of the object store in which there is no room."""
    yield MemoryStore.full
    MemoryStore.full.clear()


def elsewhere(shop: Workshop) -> tuple[Workshop, str]:
    """The workshop with an object store of its own, and its folder there."""
    bucket = uuid4().hex
    return replace(shop, media=MediaStore(f"{PROTOCOL}://{bucket}/media")), f"/{bucket}/media"


async def retry(shop: Workshop, variant_id: int) -> None:
    """A person asks for another try."""
    async with shop.database.session() as session, session.begin():
        variant = await read_variant(session, variant_id=variant_id)
        await VariantState(session, variant).retry()


@pytest.mark.parametrize("copy", [COPY, ""], ids=["copy and picture", "picture only"])
@pytest.mark.parametrize("place", ["variants", "thumbnails"])
async def test_a_paid_picture_for_which_there_is_no_room_outlives_its_address(
    shop: Workshop, host: PictureHost, full: set[str], copy: str, place: str
) -> None:
    shop, root = elsewhere(shop)
    variant_id, model = await _request(shop), Model(shop, host, copy)
    full.add(f"{root}/{place}")
    assert (await model.make(variant_id)).status == "failed"
    host.answers["/7.png"] = (403, b"expired")
    await change(shop.database, _SAVED_FIVE_MINUTES_AGO)
    await retry(shop, variant_id)
    failed = await model.make(variant_id)
    assert failed.status == "failed"
    assert failed.error.endswith("has no room (No space left on device); make some.")
    full.clear()
    await retry(shop, variant_id)
    made = await model.make(variant_id)
    assert (made.status, made.problem, made.generated) == ("completed", None, None)
    assert await shop.media.read(made.image_path)
    assert (made.attempt, model.asked) == (1, 1)


async def test_nothing_is_paid_while_the_store_takes_no_picture(
    shop: Workshop, host: PictureHost, full: set[str]
) -> None:
    shop, root = elsewhere(shop)
    variant_id, model = await _request(shop), Model(shop, host, COPY)
    full.add(f"{root}/variants")
    await model.make(variant_id)  # its original is kept from then on
    variant_id = await _request(shop)
    full.add(root)
    failed = await model.make(variant_id)
    assert (failed.status, failed.asked_at, model.asked) == ("failed", None, 1)
    assert "has no room (No space left on device)" in failed.error
