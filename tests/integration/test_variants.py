"""The life of a variant's row: what is refused, what is kept, what overtaken workers cannot do."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark import variants
from adspark.creatives import save_creatives
from adspark.database import Database
from adspark.errors import (
    GenerationFailedError,
    InvalidQueryError,
    ServiceUnavailableError,
    UnknownVariantError,
)
from adspark.generation import Receipt
from adspark.models import AdVariant, VariantStatus
from adspark.reviews import Review, list_reviews, read_statistics, save_review
from adspark.variant_lists import find_new_creatives, list_variants, read_open
from adspark.variants import Completion, VariantRequest
from tests.factories import creative

AD = f"CR{1:020d}"
OTHER = f"CR{2:020d}"
DONE = Completion(
    title="Summer",
    description="Summer\nSun",
    image_path=f"variants/00/{'0' * 64}.png",
    image_sha256="0" * 64,
    picture_similarity=0.1,
    text_similarity=None,
    is_too_close=False,
    confidence_score=1.0,
    response_metadata={"workflow_run_id": "run-1"},
    problem=None,
)


@pytest.fixture
async def session(database: Database) -> Any:  # noqa: ANN401
    """A session in which three ads are stored."""
    async with database.session() as opened:
        await save_creatives(opened, rows=[creative(number) for number in (1, 2, 3)])
        await opened.commit()
        yield opened


async def ask(session: AsyncSession, ad: str = AD, **words: Any) -> AdVariant:  # noqa: ANN401
    """A pending variant."""
    wanted = VariantRequest(**({"original_ad_id": ad, "prompt": "Red", "user_id": 1} | words))
    (number,) = await variants.request_variants(session, requests=[wanted])
    return await read(session, number)


async def read(session: AsyncSession, variant: AdVariant | int) -> AdVariant:
    """The row as it is now, apart from what is in hand."""
    number = variant if isinstance(variant, int) else variants.id_of(variant)
    found = await variants.read_variant(session, variant_id=number)
    session.expunge(found)
    return found


async def begin(session: AsyncSession, variant: AdVariant) -> AdVariant:
    """A variant that is being worked on."""
    await variants.save_begin(session, variant=variant, flow_run_id=uuid4(), generator="dify")
    return await read(session, variant)


async def finish(session: AsyncSession, variant: AdVariant, **changes: Any) -> AdVariant:  # noqa: ANN401
    """A completed variant."""
    begun = await begin(session, variant)
    done = DONE.model_copy(update=changes)
    await variants.save_completed(session, variant=begun, completion=done)
    return await read(session, variant)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"prompt": "  "}, "prompt: is empty"),
        ({"prompt": "x" * 20_001}, "prompt: 20001 characters; at most 20000"),
        ({"user_id": 0}, "user_id: 0 is no id"),
        ({"workspace_id": -1}, "workspace_id: -1 is no id"),
        ({"original_ad_id": f"CR{9:020d}"}, "original_ad_id: no ad CR0+9 is stored; fetch"),
    ],
)
async def test_a_wrong_request_names_field_and_remedy(
    session: AsyncSession, words: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidQueryError, match=message):
        await ask(session, **words)
    assert await list_variants(session, limit=10) == []


async def test_of_several_requests_all_are_made_in_order_or_none(session: AsyncSession) -> None:
    wanted = [VariantRequest(original_ad_id=ad, prompt=" a ", user_id=1) for ad in (OTHER, AD, AD)]
    made = await variants.request_variants(session, requests=wanted)
    rows = [await read(session, number) for number in made]
    assert [row.original_ad_id for row in rows] == [OTHER, AD, AD]
    assert {row.prompt for row in rows} == {"a"}
    assert len({variants.generation_key(row) for row in rows}) == 3
    wrong = [*wanted, VariantRequest(original_ad_id="CR1", prompt="a", user_id=1)]
    with pytest.raises(InvalidQueryError):
        await variants.request_variants(session, requests=wrong)
    assert len(await list_variants(session, limit=10)) == 3


async def test_a_flow_run_finds_the_row_that_it_has_made(session: AsyncSession) -> None:
    run = uuid4()
    wanted = VariantRequest(original_ad_id=AD, prompt="Red", user_id=1)
    assert await variants.find_requested(session, requested_by=run) is None
    (made,) = await variants.request_variants(session, requests=[wanted], requested_by=run)
    assert await variants.find_requested(session, requested_by=run) == made


async def test_one_that_was_cancelled_is_not_asked_for(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    assert await variants.save_cancelled(session, variant=begun)
    with pytest.raises(UnknownVariantError, match="not to be worked on any more"):
        await variants.save_asking(session, variant=begun)


async def test_of_two_that_ask_only_one_does(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await variants.save_asking(session, variant=begun)
    with pytest.raises(UnknownVariantError, match="another run"):
        await variants.save_asking(session, variant=begun)


async def test_one_that_was_taken_up_by_the_service_is_not_asked_for(
    session: AsyncSession,
) -> None:
    begun = await begin(session, await ask(session))
    await variants.save_receipt(session, variant=begun, receipt=Receipt("run-1", "task-1"))
    with pytest.raises(UnknownVariantError):
        await variants.save_asking(session, variant=begun)


async def test_the_receipt_is_kept_even_of_a_cancelled_one(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await variants.save_cancelled(session, variant=begun)
    await variants.save_receipt(session, variant=begun, receipt=Receipt("run-1", "task-1"))
    row = await read(session, begun)
    assert (row.status, row.receipt_run_id, row.receipt_task_id) == (
        "cancelled",
        "run-1",
        "task-1",
    )


async def test_a_cancelled_variant_is_not_completed_nor_failed(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await variants.save_cancelled(session, variant=begun)
    await variants.save_completed(session, variant=begun, completion=DONE)
    await variants.save_failed(session, variant=begun, error=ServiceUnavailableError("gone"))
    assert (await read(session, begun)).status == VariantStatus.CANCELLED


async def test_a_postponed_one_waits_with_what_it_knows(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await variants.save_asking(session, variant=begun)
    await variants.save_postponed(session, variant=begun, reason="not known yet")
    row = await read(session, begun)
    assert (row.status, row.error) == ("pending", "not known yet")
    assert row.asked_at is not None


async def test_what_one_generator_was_asked_for_is_not_asked_of_another(
    session: AsyncSession,
) -> None:
    begun = await begin(session, await ask(session))
    await variants.save_asking(session, variant=begun)
    asked = await read(session, begun)
    await variants.save_begin(session, variant=asked, flow_run_id=None, generator="chat")
    assert (await read(session, asked)).generator == "dify"


@pytest.mark.parametrize(
    ("error", "attempt", "keeps_receipt"),
    [
        (GenerationFailedError("the run failed"), 2, False),
        (ServiceUnavailableError("Dify went away"), 1, True),
    ],
)
async def test_a_retry_begins_anew_only_what_is_over(
    session: AsyncSession, error: Exception, attempt: int, keeps_receipt: bool
) -> None:
    begun = await begin(session, await ask(session))
    await variants.save_asking(session, variant=begun)
    await variants.save_receipt(session, variant=begun, receipt=Receipt("run-1"))
    await variants.save_failed(session, variant=begun, error=error)
    failed = await read(session, begun)
    assert (failed.error, failed.error_kind) == (str(error), type(error).__name__)
    is_over = variants.generation_is_over(failed)
    await variants.save_retry(session, variant=failed, is_over=is_over)
    row = await read(session, failed)
    assert (row.status, row.attempt, row.error) == ("pending", attempt, None)
    assert (row.receipt_run_id is not None) is keeps_receipt
    assert (variants.generation_key(row) == variants.generation_key(begun)) is keeps_receipt


async def test_only_what_has_failed_or_was_cancelled_is_retried(session: AsyncSession) -> None:
    made = await finish(session, await ask(session))
    with pytest.raises(UnknownVariantError, match="only failed and cancelled ones"):
        await variants.save_retry(session, variant=made, is_over=True)


@pytest.mark.parametrize("number", [0, 99, 2**31])
async def test_an_unknown_variant_says_where_to_look(session: AsyncSession, number: int) -> None:
    with pytest.raises(UnknownVariantError, match="adspark variant list"):
        await variants.read_variant(session, variant_id=number)


async def test_lists_are_newest_first_and_what_is_open_oldest_first(
    session: AsyncSession,
) -> None:
    first, second = await ask(session), await ask(session, OTHER, user_id=2)
    done = await finish(session, await ask(session))

    async def ids(**wanted: Any) -> list[int]:  # noqa: ANN401
        return [one.id for one in await list_variants(session, **({"limit": 10} | wanted))]

    assert await ids() == [done.id, second.id, first.id]
    assert await ids(limit=1) == [done.id]
    assert await ids(user_id=2) == await ids(original_ad_id=OTHER) == [second.id]
    assert await ids(status=VariantStatus.COMPLETED) == [done.id]
    assert [one.id for one in await read_open(session)] == [first.id, second.id]


async def test_the_new_ads_of_a_watch_are_those_without_this_variant(
    session: AsyncSession,
) -> None:
    await session.execute(
        text(
            "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
            "VALUES (1, 'w', 'a.com', false, true)"
        )
    )
    for ad, kind in ((AD, "new"), (OTHER, "new"), (f"CR{3:020d}", "baseline")):
        await session.execute(
            text(
                "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash) "
                "VALUES (1, :ad, :kind, 'x')"
            ),
            {"ad": ad, "kind": kind},
        )

    async def find(prompt: str) -> tuple[list[str], int]:
        return await find_new_creatives(session, watch_id=1, prompt=prompt, user_id=1)

    assert await find("Red") == ([AD, OTHER], 0)
    made = await ask(session)
    assert await find("Red") == ([OTHER], 1)
    assert await find("Blue") == ([AD, OTHER], 0)
    await variants.save_cancelled(session, variant=made)
    assert await find("Red") == ([AD, OTHER], 0)


async def test_a_person_has_one_review_which_they_may_change(session: AsyncSession) -> None:
    made = await finish(session, await ask(session))
    for review in (
        Review(user_id=1, rating=2),
        Review(user_id=2, is_approved=False, comment="no"),
        Review(user_id=1, is_approved=True, rating=5),
    ):
        await save_review(session, variant=made, review=review)
        await session.commit()
        await asyncio.sleep(0.01)
    found = await list_reviews(session, variant_id=variants.id_of(made))
    assert [(one.user_id, one.is_approved, one.rating) for one in found] == [
        (2, False, None),
        (1, True, 5),
    ]


@pytest.mark.parametrize(
    ("review", "message"),
    [
        (Review(user_id=1, rating=6), "rating: 6 is not 1 to 5"),
        (Review(user_id=1, comment="x" * 5_001), "comment: is longer"),
    ],
)
async def test_a_wrong_review_names_its_field(
    session: AsyncSession, review: Review, message: str
) -> None:
    made = await finish(session, await ask(session))
    with pytest.raises(InvalidQueryError, match=message):
        await save_review(session, variant=made, review=review)


async def test_what_is_too_close_is_not_approved_without_saying_so(session: AsyncSession) -> None:
    made = await finish(session, await ask(session), is_too_close=True)
    with pytest.raises(InvalidQueryError, match=r"accepts_closeness: variant .* is too close"):
        await save_review(session, variant=made, review=Review(user_id=1, is_approved=True))
    knowing = Review(user_id=1, is_approved=True, accepts_closeness=True)
    for review in (Review(user_id=1, is_approved=False), knowing):
        await save_review(session, variant=made, review=review)


async def test_only_what_is_completed_is_reviewed(session: AsyncSession) -> None:
    waiting = await ask(session)
    with pytest.raises(UnknownVariantError, match="only completed ones are reviewed"):
        await save_review(session, variant=waiting, review=Review(user_id=1, rating=1))


async def test_figures_of_nothing(session: AsyncSession) -> None:
    figures = await read_statistics(session)
    assert (figures.variants, figures.approval_rate, figures.mean_seconds) == (0, None, None)
    assert figures.failures == []


async def test_figures_by_user_and_failures_by_cause(session: AsyncSession) -> None:
    fail: Callable[..., Any] = variants.save_failed
    for words in ("first", "second"):
        await fail(session, variant=await ask(session), error=GenerationFailedError(words))
        await session.commit()
    await fail(session, variant=await ask(session), error=ServiceUnavailableError("away"))
    for user, approved in ((1, True), (1, False), (2, True)):
        made = await finish(session, await ask(session, user_id=user))
        review = Review(user_id=9, is_approved=approved, rating=3 + approved)
        await save_review(session, variant=made, review=review)
    figures = await read_statistics(session)
    assert (figures.variants, figures.completed, figures.failed) == (6, 3, 3)
    assert (figures.approved, figures.rejected) == (2, 1)
    assert figures.approval_rate == pytest.approx(2 / 3)
    assert figures.mean_rating == pytest.approx(11 / 3)
    assert figures.mean_seconds is not None
    assert [(one.kind, one.variants, one.latest) for one in figures.failures] == [
        ("GenerationFailedError", 2, "second"),
        ("ServiceUnavailableError", 1, "away"),
    ]
    assert (await read_statistics(session, user_id=2)).variants == 1
