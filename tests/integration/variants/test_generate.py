"""Making variants: what a person gets, what is paid, and what becomes of every mishap."""

import asyncio
import base64
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from adspark.errors import (
    AdSparkError,
    BusyError,
    ConfigurationError,
    GenerationFailedError,
    InvalidCredentialsError,
    InvalidQueryError,
    PostponedError,
    QuotaExhaustedError,
    ServiceUnavailableError,
    UnknownVariantError,
)
from adspark.generators.chat import ChatGenerator
from adspark.media.store import MediaStore
from adspark.models import VariantStatus
from adspark.sandbox.control.pictures import draw_picture
from adspark.variants.beginning import build_request, read_original
from adspark.variants.generate import claim_variant, ensure_original, generate
from adspark.variants.state import VariantState
from adspark.variants.store import read_variant
from tests.support.variants_at_hand import READ_WORDS
from tests.support.workshop import Workshop


async def retry(shop: Workshop, variant_id: int) -> None:
    """A person asks for another try."""
    async with shop.database.session() as session:
        variant = await read_variant(session, variant_id=variant_id)
        await VariantState(session, variant).retry()
        await session.commit()


async def one(shop: Workshop, prompt: str = "Make it a summer ad") -> int:
    """A request for a variant of a stored ad."""
    ids = await shop.stock()
    (variant_id,) = await shop.request(ids[0], prompt=prompt)
    return variant_id


async def test_a_variant_has_copy_picture_and_both_pictures_are_kept(shop: Workshop) -> None:
    made = await shop.make(await one(shop))
    assert made.status is VariantStatus.COMPLETED
    assert made.title is not None
    assert made.title.startswith("[SANDBOX]")
    assert made.description is not None
    assert made.image_path is not None
    assert made.original_path is not None
    assert await shop.media.read(made.image_path) != await shop.media.read(made.original_path)
    assert made.confidence_score == 1.0
    assert made.picture_similarity is not None
    assert made.picture_similarity < 0.9
    assert not made.is_too_close
    assert made.problem is None
    assert "Write copy" in shop.steps
    row = await shop.row(made.id)
    assert row.response_metadata["workflow_run_id"] == row.receipt_run_id
    assert row.image_sha256
    assert row.original_sha256


async def test_made_again_nothing_is_rendered_asked_or_paid(shop: Workshop) -> None:
    variant_id = await one(shop)
    first = await shop.make(variant_id)
    assert await shop.make(variant_id) == first
    assert shop.bill["paid"] == 1


async def test_a_second_variant_of_the_same_ad_uses_the_same_original(shop: Workshop) -> None:
    ids = await shop.stock()
    first, second = await shop.request(ids[0], ids[0])
    made = await shop.make(first)
    assert (await shop.make(second)).original_path == made.original_path
    kept = Path(shop.media.locate(made.original_path or "")).parents[1].rglob("*")
    assert len([file for file in kept if file.is_file()]) == 1


async def test_only_one_works_on_a_variant(shop: Workshop) -> None:
    variant_id = await one(shop)
    async with claim_variant(shop.database, variant_id, flow_run_id=None, generator="dify"):
        with pytest.raises(BusyError, match="Another run"):
            await shop.make(variant_id)
    assert (await shop.row(variant_id)).status == "processing"


async def test_a_prompt_too_long_for_the_workflow_costs_nothing(shop: Workshop) -> None:
    shop.shape(prompt_max_length=48)
    variant_id = await one(shop, prompt="x" * 49)
    with pytest.raises(InvalidQueryError, match=r"prompt: 49 characters.*at most 48"):
        await shop.make(variant_id)
    row = await shop.row(variant_id)
    assert (row.status, row.error_kind) == ("failed", "InvalidQueryError")
    assert shop.bill["uploads"] == shop.bill["runs"] == 0


@pytest.mark.parametrize("kind", ["text-input", "file", "file-list"])
async def test_the_picture_goes_in_as_the_workflow_takes_it(shop: Workshop, kind: str) -> None:
    shop.shape(picture_input={"variable": "url", "kind": kind})
    assert (await shop.make(await one(shop))).confidence_score == 1.0


@pytest.mark.parametrize("outputs", ["markdown", "file", "file_list", "relative"])
async def test_copy_and_picture_are_found_wherever_they_are(shop: Workshop, outputs: str) -> None:
    shop.shape(outputs=outputs)
    made = await shop.make(await one(shop))
    assert made.confidence_score == 1.0
    assert made.description is not None
    assert "![" not in made.description


async def test_outputs_that_fit_nowhere_fail_loudly_and_are_read_again_for_nothing(
    shop: Workshop,
) -> None:
    shop.shape(outputs="nothing")
    variant_id = await one(shop)
    with pytest.raises(ConfigurationError, match=r"'answer'.*neither copy nor picture"):
        await shop.make(variant_id)
    await retry(shop, variant_id)
    with pytest.raises(ConfigurationError):
        await shop.make(variant_id)
    assert shop.bill["paid"] == 1


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("no_picture", "the generator gave none"),
        ("expired_picture", "answered 403"),
        ("broken_picture", "it has no picture"),
    ],
)
async def test_without_its_picture_a_variant_keeps_its_copy_and_says_why(
    shop: Workshop, fault: str, problem: str
) -> None:
    shop.switch_on({"kind": fault})
    made = await shop.make(await one(shop))
    assert made.status is VariantStatus.COMPLETED
    assert made.confidence_score == 0.8
    assert made.image_path is None
    assert problem in (made.problem or "")


@pytest.mark.parametrize(
    ("fault", "error", "paid"),
    [
        ("quota", QuotaExhaustedError, 0),
        ("plan_limit", QuotaExhaustedError, 0),
        ("unauthorized", InvalidCredentialsError, 0),
        ("failed_run", GenerationFailedError, 1),
        ("error_event", GenerationFailedError, 1),
    ],
)
async def test_a_failure_ends_it_with_its_true_cause(
    shop: Workshop, fault: str, error: type[Exception], paid: int
) -> None:
    shop.switch_on({"kind": fault})
    variant_id = await one(shop)
    with pytest.raises(error):
        await shop.make(variant_id)
    row = await shop.row(variant_id)
    assert (row.status, row.error_kind) == ("failed", error.__name__)
    assert shop.bill["paid"] == paid


@pytest.mark.parametrize("fault", ["busy", "server_error", "unavailable", "upload_error"])
async def test_what_passes_is_tried_again_and_paid_once(shop: Workshop, fault: str) -> None:
    shop.switch_on({"kind": fault, "times": 1})
    made = await shop.make(await one(shop), tries=2)
    assert made.status is VariantStatus.COMPLETED
    assert shop.bill["paid"] == 1


@pytest.mark.parametrize(
    "fault", ["cut_stream", "lost_answer", "silence", "late_first_event", "slow"]
)
async def test_a_run_that_was_lost_sight_of_is_found_again(shop: Workshop, fault: str) -> None:
    seconds = {"seconds": 3.0} if fault in ("late_first_event", "slow") else {}
    shop.first_event = shop.silence = 1.0
    shop.switch_on({"kind": fault, "times": 1} | seconds)
    made = await shop.make(await one(shop))
    assert made.confidence_score == 1.0
    assert shop.bill["paid"] == shop.bill["runs"] == 1


async def test_a_run_that_takes_too_long_is_stopped(shop: Workshop) -> None:
    shop.run_limit = 1.0
    shop.switch_on({"kind": "slow", "seconds": 60})
    variant_id = await one(shop)
    with pytest.raises(GenerationFailedError, match="longer than 1 s and was stopped"):
        await shop.make(variant_id)
    assert (shop.bill["stopped"], shop.bill["running"]) == (1, 0)


async def test_a_failed_generation_is_paid_again_only_when_a_person_says_so(
    shop: Workshop,
) -> None:
    shop.switch_on({"kind": "failed_run", "times": 1})
    variant_id = await one(shop)
    await shop.try_to_make(variant_id)
    with pytest.raises(UnknownVariantError, match=f"adspark variant retry {variant_id}"):
        await shop.make(variant_id)
    assert shop.bill["paid"] == 1
    await retry(shop, variant_id)
    assert (await shop.make(variant_id)).attempt == 2
    assert shop.bill["paid"] == 2


async def test_whether_it_was_begun_is_found_out_before_it_is_asked_again(shop: Workshop) -> None:
    """Asked, then no sign of it: not asked again until Dify's log would have shown it."""
    shop.lost_after = 1200
    variant_id = await one(shop)
    async with shop.database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "UPDATE ad_variant SET asked_at = now() - interval '1 minute'"
        )
        await session.commit()
    with pytest.raises(PostponedError):
        await shop.make(variant_id)
    assert (await shop.row(variant_id)).status == "pending"
    assert shop.bill["runs"] == 0
    shop.lost_after = 30
    assert (await shop.make(variant_id)).status is VariantStatus.COMPLETED
    assert shop.bill["paid"] == 1


async def test_a_cancelled_variant_stops_its_generation_and_stays_cancelled(
    shop: Workshop,
) -> None:
    shop.switch_on({"kind": "slow", "seconds": 60})
    variant_id = await one(shop)
    making = asyncio.create_task(shop.try_to_make(variant_id))
    while (await shop.row(variant_id)).receipt_run_id is None:
        await asyncio.sleep(0.05)
    assert await shop.cancel(variant_id)
    assert (await making).status is VariantStatus.CANCELLED
    assert (shop.bill["stopped"], shop.bill["running"]) == (1, 0)
    assert not await shop.cancel(variant_id)


async def test_what_was_cancelled_between_question_and_answer_is_stopped_by_the_answer(
    shop: Workshop,
) -> None:
    """Whoever cancels cannot find the run yet; who asked for it learns its name, and stops it."""
    shop.shape(lists="nothing")
    shop.switch_on({"kind": "slow", "seconds": 15}, {"kind": "late_first_event", "seconds": 1.0})
    variant_id = await one(shop)
    making = asyncio.create_task(shop.try_to_make(variant_id))
    while shop.bill["runs"] == 0:
        await asyncio.sleep(0.02)
    with pytest.raises(ServiceUnavailableError):
        await shop.cancel(variant_id)
    assert (await shop.row(variant_id)).receipt_run_id is None
    assert (await making).status is VariantStatus.CANCELLED
    assert (shop.bill["stopped"], shop.bill["running"]) == (1, 0)
    assert (await shop.row(variant_id)).receipt_run_id is not None


async def test_of_a_cancelled_variant_nothing_more_is_rendered(shop: Workshop) -> None:
    variant_id = await one(shop)
    async with shop.renderer() as renderer:
        await shop.cancel(variant_id)
        with pytest.raises(UnknownVariantError, match="is cancelled"):
            await ensure_original(shop.database, shop.media, renderer, variant_id=variant_id)
    assert (await shop.row(variant_id)).original_path is None


async def test_a_variant_is_too_close_from_the_limit_on(shop: Workshop) -> None:
    first = await shop.make(await one(shop))
    similarity = first.picture_similarity
    assert similarity is not None
    judged = {}
    for limit in (similarity, similarity + 0.001):
        shop.too_close = limit
        (variant_id,) = await shop.request(first.original_ad_id)
        judged[limit] = await shop.make(variant_id)
    assert {one.picture_similarity for one in judged.values()} == {similarity}
    assert [one.is_too_close for one in judged.values()] == [True, False]


@pytest.mark.parametrize("is_copied", [True, False])
async def test_words_read_from_the_original_judge_its_variants_as_bought_ones_do(
    shop: Workshop, is_copied: bool
) -> None:
    first = await shop.make(await one(shop))
    assert first.text_similarity is None  # no words of it are known yet
    assert first.description is not None
    lines = [first.description if is_copied else "Winter sale of boots"]
    async with shop.database.session() as session:
        await session.execute(READ_WORDS, {"ad": first.original_ad_id, "lines": lines})
        await session.commit()

    (variant_id,) = await shop.request(first.original_ad_id)
    made = await shop.make(variant_id)

    assert made.text_similarity == (1.0 if is_copied else 0.0)
    assert made.is_too_close == is_copied
    async with shop.deps() as deps:
        row = await shop.row(variant_id)
        original = await read_original(shop.database, shop.media, row)
        request = await build_request(deps.database, deps.media, row, original, None)
    assert request.original_copy is None  # what was read is a guess: the generator has the picture


async def test_a_pending_variant_is_cancelled_without_a_generator(shop: Workshop) -> None:
    variant_id = await one(shop)
    assert await shop.cancel(variant_id)
    with pytest.raises(UnknownVariantError, match="is cancelled"):
        await shop.make(variant_id)
    assert shop.bill["runs"] == 0


async def test_an_answer_that_the_service_gives_once_is_kept_before_its_picture_is(
    shop: Workshop, tmp_path: Path
) -> None:
    """A chat endpoint keeps no answer: where the media store is away, it would be paid again."""
    asked: list[httpx.Request] = []
    ad: dict[str, str | int] = {"advertiser": "A", "ad_creative_id": "CR1", "format": "text"}
    picture = base64.b64encode(draw_picture(ad)).decode()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        copy = f"Summer is on.\n\n![ad](data:image/png;base64,{picture})"
        return httpx.Response(200, json={"choices": [{"message": {"content": copy}}]})

    def chat() -> ChatGenerator:
        return ChatGenerator(
            "http://m.example/v1", model="m", transport=httpx.MockTransport(answer)
        )

    variant_id = await one(shop)
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "variants").write_bytes(b"no folder")
    first = claim_variant(shop.database, variant_id, flow_run_id=None, generator="chat")
    async with first, shop.renderer() as renderer:
        path = await ensure_original(shop.database, shop.media, renderer, variant_id=variant_id)
    place = blocked / path
    place.parent.mkdir(parents=True)
    place.write_bytes(await shop.media.read(path))
    for media in (MediaStore(str(blocked)), shop.media):
        async with shop.deps() as deps, chat() as generator:
            able = replace(deps, generator=generator, media=media)
            claim = claim_variant(shop.database, variant_id, flow_run_id=None, generator="chat")
            with suppress(AdSparkError, OSError):
                async with claim:
                    await generate(able, variant_id=variant_id)
        if media is not shop.media:
            assert (await shop.row(variant_id)).status == "failed"
            await retry(shop, variant_id)
    row = await shop.row(variant_id)
    assert (row.status, row.confidence_score, row.attempt) == ("completed", 1.0, 1)
    assert len(asked) == 1
