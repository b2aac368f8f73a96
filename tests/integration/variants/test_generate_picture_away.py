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
from adspark.media.images import normalise_picture
from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.variants.generate import claim_variant, ensure_original, generate
from adspark.variants.state import VariantState
from adspark.variants.store import read_variant
from tests.support.memory_store import PROTOCOL, MemoryStore
from tests.support.picture_host import PictureHost, draw_ad, picture_host
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
    """A chat model that draws /7.png, writes `copy` before it, and counts what it is asked; it may
    name another picture behind."""

    shop: Workshop
    host: PictureHost
    copy: str
    asked: int = 0
    behind: str = ""

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        content = f"{self.copy}![ad]({self.host.url(7)}){self.behind}"
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


async def test_while_the_likeliest_picture_is_away_no_other_of_the_answer_is_taken_for_it(
    shop: Workshop, host: PictureHost
) -> None:
    variant_id = await _request(shop)
    model = Model(shop, host, COPY, behind=f"\n\nMade from: {host.url(8)}")
    host.answers["/7.png"] = AWAY
    waiting = await model.make(variant_id)
    assert (waiting.status, waiting.image_path) == ("pending", None)
    assert "answered 503. Its picture is fetched again." in waiting.error
    assert "/8.png" not in host.asked
    host.answers.clear()
    made = await model.make(variant_id)
    drawn = (await normalise_picture(draw_ad(7))).info.sha256
    assert (made.status, made.problem, made.image_sha256) == ("completed", None, drawn)
    assert model.asked == 1


async def test_another_picture_of_the_answer_is_taken_at_last_and_told_to_be_another(
    shop: Workshop, host: PictureHost
) -> None:
    variant_id = await _request(shop)
    model = Model(shop, host, COPY, behind=f"\n\nMade from: {host.url(8)}")
    host.answers["/7.png"] = AWAY
    await model.make(variant_id)
    await change(shop.database, _SAVED_FIVE_MINUTES_AGO)
    made = await model.make(variant_id)
    other = (await normalise_picture(draw_ad(8))).info.sha256
    assert (made.status, made.image_sha256) == ("completed", other)
    assert made.problem.startswith("its picture may be another than the generated one: ")
    assert "answered 503" in made.problem


@pytest.mark.parametrize("shows", [None, 1], ids=["nothing", "another picture"])
async def test_a_paid_variant_keeps_the_original_that_it_was_made_from(
    shop: Workshop, host: PictureHost, shows: int | None
) -> None:
    ids = await shop.stock()
    (variant_id,), model = await shop.request(ids[0]), Model(shop, host, COPY)
    host.answers["/7.png"] = AWAY
    asked = await model.make(variant_id)
    address = f"'{shop.url}/gone.png'"
    if shows is not None:
        address = f"(SELECT image_url FROM creative WHERE ad_creative_id = '{ids[shows]}')"
    await change(
        shop.database,
        f"UPDATE creative SET image_url = {address} WHERE ad_creative_id = '{ids[0]}'",
    )
    host.answers.clear()
    made = await model.make(variant_id)
    assert (made.status, made.error, model.asked) == ("completed", None, 1)
    for name in ("original_path", "original_sha256", "original_version"):
        assert getattr(made, name) == getattr(asked, name)


async def test_a_new_attempt_is_made_from_what_the_ad_shows_by_now(
    shop: Workshop, host: PictureHost
) -> None:
    ids = await shop.stock()
    (variant_id,), model = await shop.request(ids[0]), Model(shop, host, "")
    host.answers["/7.png"] = (404, b"none")
    failed = await model.make(variant_id)
    assert failed.status == "failed"
    host.answers.clear()
    await change(
        shop.database,
        "UPDATE creative SET image_url = (SELECT image_url FROM creative "
        f"WHERE ad_creative_id = '{ids[1]}') WHERE ad_creative_id = '{ids[0]}'",
    )
    await retry(shop, variant_id)
    made = await model.make(variant_id)
    assert (made.status, made.attempt, model.asked) == ("completed", 2, 2)
    assert made.original_path != failed.original_path


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
    async with shop.database.transaction() as session:
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
