"""The life of a variant's row: what is refused, what is kept, what overtaken workers cannot do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import (
    AdSparkError,
    GenerationFailedError,
    InvalidQueryError,
    ServiceUnavailableError,
    UnknownVariantError,
)
from adspark.generators.base import RemoteRun
from adspark.models import AdVariant, VariantStatus
from adspark.validation.bounds import PROMPT
from adspark.variants import store as variants
from adspark.variants.lists import list_variants
from adspark.variants.requests import (
    VariantRequest,
    check_originals,
    check_request,
    find_requested,
    request_variants,
)
from adspark.variants.state import VariantState, generation_key, is_retry_paid
from tests.support.variants_at_hand import (
    AD,
    DONE,
    OTHER,
    accept,
    ask,
    begin,
    fail,
    finish,
    make,
    read,
    stocked,
)

# Tests of cleaning up have these from here.
__all__ = ["AD", "OTHER", "ask", "finish"]

Act = Callable[[AsyncSession, AdVariant], Awaitable[None]]
PENDING, PROCESSING, COMPLETED, FAILED, CANCELLED = VariantStatus
OPEN = (PENDING, PROCESSING)


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session in which three ads are stored."""
    async with stocked(database) as opened:
        yield opened


async def _begin(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).claim(flow_run_id=None, generator="chat")


async def _ask(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).submit()


async def _ensure_original(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).save_original(path="originals/x", sha256="x")


async def _complete(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).complete(DONE)


async def _fail(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).fail(TimeoutError("late"))


async def _postpone(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).postpone("wait")


async def _cancel(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).cancel()


async def _retry(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).retry()


async def _keep_receipt(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).accept(RemoteRun("late"))


async def _forget_asking(session: AsyncSession, variant: AdVariant) -> None:
    await VariantState(session, variant).refuse()


async def row(session: AsyncSession, variant: AdVariant) -> dict[str, Any]:
    """All columns as they are now."""
    statement = text("SELECT * FROM ad_variant WHERE id = :id")
    return (await session.execute(statement, {"id": variant.id})).one()._asdict()


async def refuses(act: Act, session: AsyncSession, variant: AdVariant) -> bool:
    """Carry it out; whether it says that there is nothing to be done."""
    try:
        await act(session, variant)
    except UnknownVariantError:
        return True
    return False


REFUSED = [
    # field, what is wrong, what is said
    ({"prompt": ""}, "prompt: is empty; say what the variant should be like"),
    ({"prompt": " \n\t "}, "prompt: is empty"),
    ({"prompt": "x" * 20_001}, "prompt: 20001 characters; at most 20000. Shorten it"),
    ({"prompt": "a\x00b"}, "prompt: holds a NUL or half a character; remove it"),
    ({"prompt": "a\udcffb"}, "prompt: holds a NUL"),
    ({"user_id": 0}, "user_id: must be 1 or more, not 0"),
    ({"user_id": 2**31}, "user_id: must be 1 to 2147483647, not 2147483648"),
    ({"workspace_id": -1}, "workspace_id: must be 1 or more, not -1"),
    ({"workspace_id": 2**31}, "workspace_id: must be 1 to 2147483647, not 2147483648"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_wrong_request_names_field_and_remedy(words: dict[str, Any], message: str) -> None:
    right: dict[str, Any] = {"original_ad_id": AD, "prompt": "Red", "user_id": 1}
    with pytest.raises(InvalidQueryError) as raised:
        check_request(VariantRequest(**(right | words)))
    assert str(raised.value).startswith(message)
    assert raised.value.field == next(iter(words))


def test_a_prompt_is_trimmed_and_may_be_as_long_as_is_said() -> None:
    longest = "x" * PROMPT.most
    wanted = VariantRequest(original_ad_id=AD, prompt=f"  {longest}\n", user_id=2**31 - 1)
    assert check_request(wanted).prompt == longest


async def test_of_several_requests_all_are_made_in_order_or_none(session: AsyncSession) -> None:
    wanted = [VariantRequest(original_ad_id=ad, prompt=" a ", user_id=1) for ad in (OTHER, AD, AD)]
    made = await request_variants(session, requests=wanted)
    rows = [await read(session, number) for number in made]
    assert [one.original_ad_id for one in rows] == [OTHER, AD, AD]
    assert {(one.prompt, one.status, one.attempt) for one in rows} == {("a", PENDING, 1)}
    for wrong, message in (
        ({"original_ad_id": f"CR{9:020d}"}, "original_ad_id: no ad CR0{19}9 is stored; fetch .*AR"),
        ({"original_ad_id": "CR\x00"}, "original_ad_id: holds a NUL or half a character"),
        ({"prompt": ""}, "prompt: is empty"),
        ({"user_id": -1}, "user_id: must be 1 or more, not -1"),
    ):
        with pytest.raises(InvalidQueryError, match=message):
            await request_variants(session, requests=[*wanted, wanted[0].model_copy(update=wrong)])
    assert [one.id for one in await list_variants(session, limit=10)] == sorted(made, reverse=True)
    assert await request_variants(session, requests=[]) == []


async def test_ads_that_are_not_stored_are_named_but_not_all_of_many(
    session: AsyncSession,
) -> None:
    with pytest.raises(InvalidQueryError) as raised:
        await check_originals(session, [*(f"CR{one:020d}" for one in (91, 94, 92, 93)), AD])
    assert str(raised.value) == (
        f"original_ad_id: no ad CR{91:020d}, CR{92:020d}, CR{93:020d} is stored; "
        "fetch its advertiser's ads first, with: adspark fetch AR…"
    )


async def test_a_flow_run_makes_one_row_and_finds_it_again(
    session: AsyncSession, database: Database
) -> None:
    run = uuid4()
    wanted = [VariantRequest(original_ad_id=AD, prompt="Red", user_id=1)]
    assert await find_requested(session, requested_by=run) is None
    (made,) = await request_variants(session, requests=wanted, requested_by=run)
    await session.commit()
    assert await find_requested(session, requested_by=run) == made
    assert await find_requested(session, requested_by=uuid4()) is None
    with pytest.raises(AdSparkError, match="requested_by"):
        async with database.session() as second:
            await request_variants(second, requests=wanted, requested_by=run)
    assert [one.id for one in await list_variants(session, limit=10)] == [made]


async def test_no_two_attempts_have_the_same_name_at_the_generator(session: AsyncSession) -> None:
    first, second = await ask(session), await ask(session)
    keys = {generation_key(one) for one in (first, second)}
    await VariantState(session, first).cancel()
    await VariantState(session, await read(session, first)).retry()
    keys.add(generation_key(await read(session, first)))
    # Another database numbers its variants from 1 on as well.
    await session.execute(text("TRUNCATE ad_variant RESTART IDENTITY CASCADE"))
    elsewhere = await ask(session)
    assert elsewhere.id == first.id
    assert len(keys | {generation_key(elsewhere)}) == 4


ACTS = [
    # act, from which statuses it leads where, whether it refuses the others
    (_begin, OPEN, PROCESSING, True),
    (_ensure_original, (PROCESSING,), PROCESSING, False),
    (_ask, (PROCESSING,), PROCESSING, True),
    (_complete, (PROCESSING,), COMPLETED, False),
    (_fail, OPEN, FAILED, False),
    (_postpone, (PROCESSING,), PENDING, False),
    (_cancel, OPEN, CANCELLED, False),
    (_retry, (FAILED, CANCELLED), PENDING, True),
]


@pytest.mark.parametrize(
    ("act", "allowed", "result", "is_refused"), ACTS, ids=[act[0].__name__ for act in ACTS]
)
async def test_an_act_is_for_some_statuses_and_leaves_the_others_alone(
    session: AsyncSession,
    act: Act,
    allowed: tuple[VariantStatus, ...],
    result: VariantStatus,
    is_refused: bool,
) -> None:
    for status in VariantStatus:
        variant = await make(session, status)
        before = await row(session, variant)
        refused = await refuses(act, session, variant)
        after = await row(session, variant)
        if status in allowed:
            assert (refused, after["status"]) == (False, result), status
            assert after != before, status
        else:
            assert (refused, after) == (is_refused, before), status


@pytest.mark.parametrize(
    "act",
    [
        _begin, _ensure_original, _ask, _complete, _fail, _postpone, _cancel, _keep_receipt,
        _forget_asking,
    ],
)  # fmt: skip
async def test_a_worker_on_an_earlier_attempt_changes_nothing(
    session: AsyncSession, act: Act
) -> None:
    old = await begin(session, await ask(session))
    await VariantState(session, old).cancel()
    await VariantState(session, await read(session, old)).retry()
    new = await accept(session, await read(session, old))
    before = await row(session, new)
    await refuses(act, session, old)
    assert await row(session, new) == before


async def test_one_that_was_cancelled_is_not_asked_for(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    assert await VariantState(session, begun).cancel()
    with pytest.raises(UnknownVariantError, match="not to be worked on any more: it was cancelled"):
        await VariantState(session, begun).submit()
    assert not await VariantState(session, begun).cancel()


async def test_of_two_that_ask_at_the_same_time_only_one_does(
    session: AsyncSession, database: Database
) -> None:
    begun = await begin(session, await ask(session))
    await session.commit()

    async def is_refused() -> bool:
        async with database.session() as own:
            refused = await refuses(_ask, own, begun)
            await asyncio.sleep(0.05)
            await own.commit()
            return refused

    assert sorted(await asyncio.gather(*(is_refused() for _ in range(3)))) == [False, True, True]


async def test_who_has_asked_may_ask_again_until_the_service_has_taken_it_up(
    session: AsyncSession,
) -> None:
    begun = await begin(session, await ask(session))
    await VariantState(session, begun).submit()
    asked = await read(session, begun)
    await VariantState(session, asked).submit()
    again = await read(session, begun)
    assert asked.asked_at is not None
    assert again.asked_at is not None
    assert again.asked_at > asked.asked_at
    await VariantState(session, again).accept(RemoteRun("run-1", "task-1"))
    with pytest.raises(UnknownVariantError):
        await VariantState(session, again).submit()


async def test_what_was_refused_was_not_asked_for(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await VariantState(session, begun).submit()
    await VariantState(session, begun).refuse()
    assert (await read(session, begun)).asked_at is None


@pytest.mark.parametrize("act", [_fail, _postpone])
async def test_a_worker_whose_claim_was_taken_over_ends_nothing(
    session: AsyncSession, act: Act
) -> None:
    """Its lock died unseen: another works on the same attempt."""
    old = await begin(session, await ask(session))
    await session.commit()  # each claim has the time of its transaction
    new = await begin(session, await read(session, old))
    assert new.attempt == old.attempt
    before = await row(session, new)
    await act(session, old)
    assert await row(session, new) == before


async def test_a_question_of_another_worker_stays_asked(session: AsyncSession) -> None:
    old = await begin(session, await ask(session))
    submitted_at = await VariantState(session, old).submit()
    new = await read(session, old)
    again = await VariantState(session, new).submit()  # the first counts as lost
    await VariantState(session, old).refuse(submitted_at=submitted_at)
    assert (await read(session, new)).asked_at == again
    await VariantState(session, new).refuse(submitted_at=again)
    assert (await read(session, new)).asked_at is None


async def test_an_answer_that_comes_while_it_waits_completes_it(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await VariantState(session, begun).submit()
    await VariantState(session, begun).postpone("the answer is lost")
    await _complete(session, begun)
    done = await read(session, begun)
    assert (done.status, done.error, done.description) == (COMPLETED, None, DONE.description)


async def test_what_was_given_is_kept_until_all_of_it_is(session: AsyncSession) -> None:
    begun = await accept(session, await ask(session))
    await VariantState(session, begun).save_generated({"text": "Sun\x00"})
    first = (await read(session, begun)).generated
    assert first is not None
    assert first["text"] == "Sun\ufffd"
    await _fail(session, begun)
    failed = await read(session, begun)
    await VariantState(session, failed).retry()
    again = await begin(session, await read(session, failed))
    assert again.generated == first
    await session.commit()  # later, it stays the time of the first
    await VariantState(session, again).save_generated({"text": "Moon"})
    saved = (await read(session, again)).generated
    assert saved == {"text": "Moon", "saved_at": first["saved_at"]}
    await _complete(session, again)
    assert (await read(session, again)).generated is None


async def test_the_receipt_is_kept_even_of_a_cancelled_one(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await VariantState(session, begun).cancel()
    await VariantState(session, begun).accept(RemoteRun("run-1", "task-1"))
    kept = await read(session, begun)
    assert (kept.status, kept.receipt_run_id, kept.receipt_task_id) == (
        CANCELLED,
        "run-1",
        "task-1",
    )


async def test_a_cancelled_variant_is_not_completed_nor_failed(session: AsyncSession) -> None:
    begun = await accept(session, await ask(session))
    await VariantState(session, begun).cancel()
    before = await row(session, begun)
    await _complete(session, begun)
    await _fail(session, begun)
    assert await row(session, begun) == before
    assert before["status"] == CANCELLED


async def test_a_completed_one_has_all_that_was_made(session: AsyncSession) -> None:
    done = await finish(session, await ask(session))
    for field, value in DONE.model_dump().items():
        assert getattr(done, field) == value, field
    assert done.completed_at is not None
    assert variants.summary_of(done).headline == f"variant {done.id} completed: confidence 100%"


async def test_what_a_service_tells_is_kept_but_for_what_no_database_holds(
    session: AsyncSession,
) -> None:
    done = await finish(
        session,
        await ask(session),
        description="Sun\x00\udcff & 夏 ☀",
        response_metadata={"out\x00puts": [{"text": "a\x00b"}, 1, None]},
    )
    assert done.description == "Sun\ufffd\ufffd & 夏 ☀"
    assert done.response_metadata == {"out\ufffdputs": [{"text": "a\ufffdb"}, 1, None]}
    failed = await fail(session, await ask(session), ServiceUnavailableError("node\x00 1"))
    assert failed.error == "node\ufffd 1"


@pytest.mark.parametrize(
    ("error", "words", "kind"),
    [
        (GenerationFailedError("the run failed"), "the run failed", "GenerationFailedError"),
        (TimeoutError(), "TimeoutError", "TimeoutError"),  # has no words of its own
    ],
)
async def test_a_failed_one_keeps_words_and_kind(
    session: AsyncSession, error: Exception, words: str, kind: str
) -> None:
    failed = await fail(session, await ask(session), error)
    assert (failed.error, failed.error_kind) == (words, kind)
    assert failed.completed_at is not None
    assert variants.summary_of(failed).headline == f"variant {failed.id} failed: {words}"


async def test_a_postponed_one_waits_with_what_it_knows(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await VariantState(session, begun).submit()
    asked = await read(session, begun)
    await VariantState(session, begun).postpone("not known yet")
    waiting = await read(session, begun)
    assert (waiting.status, waiting.error, waiting.completed_at) == (PENDING, "not known yet", None)
    assert waiting.asked_at == asked.asked_at
    assert (await begin(session, waiting)).error is None


@pytest.mark.parametrize(
    ("is_asked", "generator"),
    [(True, "dify"), (False, "chat")],
    ids=["asked: what one has begun is not to be had from another", "not asked: the setting's"],
)
async def test_the_generator_stays_once_it_was_asked(
    session: AsyncSession, is_asked: bool, generator: str
) -> None:
    begun = await begin(session, await ask(session))
    if is_asked:
        await VariantState(session, begun).submit()
    await _begin(session, await read(session, begun))
    assert (await read(session, begun)).generator == generator


@pytest.mark.parametrize(
    ("error", "attempt", "is_kept"),
    [
        (GenerationFailedError("the run failed"), 2, False),
        (None, 2, False),  # cancelled, and its generation with it
        (ServiceUnavailableError("Dify went away"), 1, True),
        (TimeoutError("the run takes too long"), 1, True),
    ],
    ids=["generation failed", "cancelled", "service away", "time-out"],
)
async def test_a_retry_begins_anew_only_what_is_over(
    session: AsyncSession, error: Exception | None, attempt: int, is_kept: bool
) -> None:
    begun = await accept(session, await ask(session))
    if error is None:
        await VariantState(session, begun).cancel()
    else:
        await VariantState(session, begun).fail(error)
    ended = await read(session, begun)
    assert is_retry_paid(ended) is not is_kept
    await VariantState(session, ended).retry()
    again = await read(session, ended)
    assert (again.status, again.attempt, again.error, again.error_kind) == (
        PENDING,
        attempt,
        None,
        None,
    )
    assert again.completed_at is None
    paid = (begun.asked_at, "run-1", "task-1", "dify")
    known = (again.asked_at, again.receipt_run_id, again.receipt_task_id, again.generator)
    assert known == (paid if is_kept else (None,) * 4)
    assert (generation_key(again) == generation_key(begun)) is is_kept


async def test_the_cancellation_of_a_run_ends_no_variant_that_was_retried_since(
    session: AsyncSession,
) -> None:
    begun = await begin(session, await ask(session))
    assert begun.flow_run_id is not None
    assert not await VariantState(session, begun).cancel(of_run=uuid4())
    assert await VariantState(session, begun).cancel(of_run=begun.flow_run_id)
    await VariantState(session, await read(session, begun)).retry()
    again = await read(session, begun)
    assert (again.status, again.flow_run_id) == (PENDING, None)
    assert not await VariantState(session, again).cancel(of_run=begun.flow_run_id)
    assert (await read(session, again)).status is PENDING


async def test_a_retry_of_what_was_never_submitted_is_paid(session: AsyncSession) -> None:
    begun = await begin(session, await ask(session))
    await VariantState(session, begun).fail(TimeoutError("the ad took too long to render"))
    failed = await read(session, begun)
    assert is_retry_paid(failed)
    assert variants.summary_of(failed).retry_is_paid
    await VariantState(session, failed).retry()
    assert variants.summary_of(await read(session, failed)).retry_is_paid is None


@pytest.mark.parametrize("status", [PENDING, PROCESSING, COMPLETED])
async def test_only_what_has_failed_or_was_cancelled_is_retried(
    session: AsyncSession, status: VariantStatus
) -> None:
    made = await make(session, status)
    with pytest.raises(UnknownVariantError) as raised:
        await VariantState(session, made).retry()
    assert str(raised.value) == (
        f"Variant {made.id} is {status}; only failed and cancelled ones are retried."
    )


async def test_an_unknown_variant_says_where_to_look(session: AsyncSession) -> None:
    for number in (0, -1, 99, 2**31):
        with pytest.raises(UnknownVariantError, match=f"no variant {number}; .*variant list"):
            await variants.read_variant(session, variant_id=number)


async def test_the_words_of_an_original_are_those_of_its_details(session: AsyncSession) -> None:
    await session.execute(
        text(
            "INSERT INTO creative_detail (ad_creative_id, headline, call_to_action) "
            "VALUES (:ad, 'Shoes', 'Buy'), (:other, NULL, NULL)"
        ),
        {"ad": AD, "other": OTHER},
    )
    known = {AD: variants.OriginalCopy("Shoes\nBuy", is_bought=True), OTHER: None, "CR0": None}
    for ad, words in known.items():
        assert await variants.read_original_copy(session, ad_creative_id=ad) == words
