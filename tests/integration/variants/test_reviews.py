"""What people think of variants: one review each, refused where it should be, and the figures."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import (
    AdSparkError,
    BusyError,
    GenerationFailedError,
    InvalidQueryError,
    ServiceUnavailableError,
    UnknownVariantError,
)
from adspark.models import AdVariant, ReviewReason, VariantStatus
from adspark.variants.lists import list_variants
from adspark.variants.reviews.decisions import Decision, read_decisions
from adspark.variants.reviews.store import (
    Review,
    VariantStatistics,
    check_review,
    list_reviews,
    read_statistics,
    save_review,
)
from adspark.variants.reviews.waiting import count_waiting, find_next_waiting
from adspark.variants.state import VariantState
from tests.support.checked import BROKEN, KEPT
from tests.support.variants_at_hand import AD, ask, fail, finish, make, read, stocked

LONGEST = "x" * 5_000


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session in which three ads are stored."""
    async with stocked(database) as opened:
        yield opened


def variant(status: VariantStatus = VariantStatus.COMPLETED, **words: Any) -> AdVariant:  # noqa: ANN401
    """A variant's row in hand."""
    return AdVariant(id=7, original_ad_id=AD, user_id=1, prompt="Red", status=status, **words)


async def opinions(session: AsyncSession, made: AdVariant) -> list[tuple[Any, ...]]:
    """Who has said what, the latest last."""
    found = await list_reviews(session, variant_id=made.id)
    return [(one.user_id, one.is_approved, one.rating, one.comment) for one in found]


async def test_a_person_has_one_review_which_they_may_change_and_add_to(
    session: AsyncSession,
) -> None:
    made, other = [await finish(session, await ask(session)) for _ in range(2)]
    for review in (
        Review(user_id=1, rating=2, comment="hm"),
        Review(user_id=2, is_approved=False, comment="no"),
        Review(user_id=1, is_approved=True, rating=5),
    ):
        await save_review(session, variant=made, review=review)
        await session.commit()  # each at a time of its own
    assert await opinions(session, made) == [(2, False, None, "no"), (1, True, 5, "hm")]
    assert await opinions(session, other) == []
    kept = {one.user_id: one for one in await list_reviews(session, variant_id=made.id)}
    assert kept[1].updated_at > kept[2].updated_at


@pytest.mark.parametrize(
    ("review", "says_something"),
    [
        (Review(user_id=1), False),
        (Review(user_id=1, accepts_closeness=True), False),
        (Review(user_id=1, is_approved=False), True),
        (Review(user_id=1, rating=1), True),
        (Review(user_id=1, comment="x"), True),
        (Review(user_id=1, comment=""), False),
        (Review(user_id=1, comment=" \u200b\n"), False),
        (Review(user_id=1, comment="\u3164\u2800"), False),
        (Review(user_id=1, reasons=[]), False),
        (Review(user_id=1, reasons=[ReviewReason.OFF_BRAND]), True),
    ],
)
def test_a_review_without_decision_rating_and_comment_says_nothing(
    review: Review, says_something: bool
) -> None:
    assert review.says_something is says_something
    if says_something:
        check_review(variant(), review)
        return
    with pytest.raises(
        InvalidQueryError, match=r"^decision: approve or reject it, rate it, or wri"
    ):
        check_review(variant(), review)


def test_a_comment_that_is_not_seen_is_none_beside_a_decision() -> None:
    review = Review(user_id=1, is_approved=True, comment="\u3164\u2800")
    assert review.comment == ""


REFUSED = [
    ({"rating": 0}, "rating: must be 1 to 5, not 0"),
    ({"rating": 6}, "rating: must be 1 to 5, not 6"),
    ({"comment": LONGEST + "x"}, "comment: has 5001 characters; shorten it to 5000"),
    ({"comment": "a\x00"}, "comment: holds a NUL or half a character; remove it"),
    ({"comment": "a\u202e"}, "comment: holds a character that turns the text behind it"),
    ({"overrule_reason": "a\u2067"}, "overrule_reason: holds a character that turns the text"),
    ({"user_id": 0}, "user_id: must be 1 or more, not 0"),
    ({"user_id": 2**31}, "user_id: must be 1 to 2147483647, not 2147483648"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_wrong_review_names_its_field(words: dict[str, Any], message: str) -> None:
    review = Review(**({"user_id": 1, "is_approved": True} | words))
    with pytest.raises(InvalidQueryError) as raised:
        check_review(variant(), review)
    assert str(raised.value).startswith(message)
    assert raised.value.field == next(iter(words))


@pytest.mark.parametrize("rating", [1, 5, None])
async def test_what_is_within_the_bounds_is_kept(session: AsyncSession, rating: int | None) -> None:
    made = await finish(session, await ask(session))
    review = Review(user_id=2**31 - 1, rating=rating, comment=LONGEST)
    await save_review(session, variant=made, review=review)
    assert await opinions(session, made) == [(2**31 - 1, None, rating, LONGEST)]


async def test_the_database_keeps_the_bounds_as_well(database: Database) -> None:
    async with stocked(database) as session:
        made = await finish(session, await ask(session))
        await session.commit()
    statement = "INSERT INTO variant_feedback (variant_id, user_id, rating) VALUES (:id, 1, 6)"
    with pytest.raises(AdSparkError, match="rating"):
        async with database.session() as session:
            await session.execute(text(statement), {"id": made.id})


@pytest.mark.parametrize(
    ("words", "is_refused"),
    [
        ({"is_approved": True}, True),
        ({"is_approved": True, "rating": 5, "comment": "lovely"}, True),
        ({"is_approved": True, "accepts_closeness": True}, False),
        ({"is_approved": False}, False),
        ({"rating": 1}, False),  # decides nothing
    ],
    ids=["approved unseen", "praised unseen", "approved knowingly", "rejected", "rated"],
)
def test_what_is_too_close_is_only_approved_knowingly(
    words: dict[str, Any], is_refused: bool
) -> None:
    review = Review(user_id=1, **words)
    check_review(variant(is_too_close=False), review)
    if not is_refused:
        check_review(variant(is_too_close=True), review)
        return
    with pytest.raises(InvalidQueryError, match=r"^accepts_closeness: variant 7 is too close"):
        check_review(variant(is_too_close=True), review)


@pytest.mark.parametrize(
    "status", [status for status in VariantStatus if status != VariantStatus.COMPLETED]
)
def test_only_what_is_completed_is_reviewed(status: VariantStatus) -> None:
    with pytest.raises(UnknownVariantError, match=f"7 is {status}; only completed ones are rev"):
        check_review(variant(status), Review(user_id=1, rating=1))


async def test_what_is_refused_is_not_kept(session: AsyncSession) -> None:
    made = await finish(session, await ask(session), is_too_close=True)
    await save_review(session, variant=made, review=Review(user_id=1, is_approved=False))
    for wrong in (Review(user_id=1, is_approved=True), Review(user_id=2, rating=9)):
        with pytest.raises(InvalidQueryError):
            await save_review(session, variant=made, review=wrong)
    assert await opinions(session, made) == [(1, False, None, None)]


async def test_figures_of_nothing(session: AsyncSession) -> None:
    nothing = dict.fromkeys(
        ["variants", *VariantStatus, "too_close", "approved", "rejected"], 0
    ) | dict.fromkeys(["mean_seconds", "approval_rate", "mean_rating"])
    expected = VariantStatistics.model_validate(nothing | {"failures": []})
    assert await read_statistics(session) == expected
    assert await read_statistics(session, user_id=9) == expected


async def test_figures_count_statuses_opinions_and_time(session: AsyncSession) -> None:
    for status in VariantStatus:
        await make(session, status)
    close = await finish(session, await ask(session), is_too_close=True)
    await session.execute(
        text(
            "UPDATE ad_variant SET started_at = completed_at - interval '1 second' "
            "* CASE WHEN is_too_close THEN 40 ELSE 20 END WHERE status = 'completed'"
        )
    )
    for user, approved, rating in ((1, True, 5), (2, True, None), (3, False, 2), (4, None, 4)):
        review = Review(user_id=user, is_approved=approved, rating=rating, accepts_closeness=True)
        await save_review(session, variant=close, review=review)
    figures = await read_statistics(session)
    counted = {status: getattr(figures, status) for status in VariantStatus}
    assert counted == {"pending": 1, "processing": 1, "completed": 2, "failed": 1, "cancelled": 1}
    assert (figures.variants, figures.too_close) == (6, 1)
    assert (figures.approved, figures.rejected, figures.approval_rate) == (0, 1, 0.0)
    assert figures.mean_rating == pytest.approx(11 / 3)
    assert figures.mean_seconds == pytest.approx(30)


async def test_failures_are_told_by_cause_with_the_latest_words(session: AsyncSession) -> None:
    for error in (
        GenerationFailedError("first"),
        ServiceUnavailableError("away"),
        GenerationFailedError("second"),
    ):
        await fail(session, await ask(session), error)
        await session.commit()  # each at a time of its own
    figures = await read_statistics(session)
    assert [(one.kind, one.variants, one.latest) for one in figures.failures] == [
        ("GenerationFailedError", 2, "second"),
        ("ServiceUnavailableError", 1, "away"),
    ]


async def test_figures_of_one_user_are_of_the_variants_that_they_asked_for(
    session: AsyncSession,
) -> None:
    mine, theirs = [await finish(session, await ask(session, user_id=user)) for user in (1, 2)]
    await fail(session, await ask(session, user_id=2), TimeoutError("slow"))
    await save_review(session, variant=mine, review=Review(user_id=2, is_approved=False, rating=1))
    await save_review(session, variant=theirs, review=Review(user_id=1, is_approved=True, rating=5))
    of_first, of_second = [await read_statistics(session, user_id=user) for user in (1, 2)]
    assert (of_first.variants, of_first.approval_rate, of_first.mean_rating) == (1, 0.0, 1.0)
    assert (of_second.variants, of_second.approval_rate, of_second.mean_rating) == (2, 1.0, 5.0)
    assert (of_first.failures, [one.latest for one in of_second.failures]) == ([], ["slow"])


async def test_reasons_are_kept_until_others_are_given(session: AsyncSession) -> None:
    made = await finish(session, await ask(session))
    for reasons in ([ReviewReason.OFF_BRAND, ReviewReason.POOR_PICTURE], None):
        review = Review(user_id=1, is_approved=False, reasons=reasons)
        await save_review(session, variant=made, review=review)
    (kept,) = await list_reviews(session, variant_id=made.id)
    assert kept.reasons == [ReviewReason.OFF_BRAND, ReviewReason.POOR_PICTURE]
    await save_review(session, variant=made, review=Review(user_id=1, rating=3, reasons=[]))
    (kept,) = await list_reviews(session, variant_id=made.id)
    assert (kept.reasons, kept.is_approved) == ([], False)


async def test_a_reason_that_is_not_on_the_list_is_refused_by_the_database(
    session: AsyncSession,
) -> None:
    made = await finish(session, await ask(session))
    with pytest.raises(IntegrityError, match="ck_variant_feedback_reasons"):
        await session.execute(
            text("INSERT INTO variant_feedback (variant_id, user_id, reasons) VALUES (:v, 1, :r)"),
            {"v": made.id, "r": ["dull"]},
        )


async def test_a_review_replaces_only_what_was_seen(session: AsyncSession) -> None:
    made = await finish(session, await ask(session))
    first = Review(user_id=1, is_approved=True)
    await save_review(session, variant=made, review=first, seen_at=None)
    await session.commit()
    with pytest.raises(BusyError):  # a window in which there was none yet
        await save_review(
            session, variant=made, review=Review(user_id=1, is_approved=False), seen_at=None
        )
    (kept,) = await list_reviews(session, variant_id=made.id)
    assert kept.is_approved is True
    await save_review(
        session,
        variant=made,
        review=Review(user_id=1, is_approved=False),
        seen_at=kept.updated_at,
    )
    (kept,) = await list_reviews(session, variant_id=made.id)
    assert kept.is_approved is False


async def test_the_next_that_waits_is_the_next_by_number_and_then_the_first(
    session: AsyncSession,
) -> None:
    ids = [
        (await finish(session, await ask(session, wants_review=wanted))).id
        for wanted in (True, False, True, True)
    ]
    assert await find_next_waiting(session, after=ids[0]) == ids[2]
    assert await find_next_waiting(session, after=ids[1]) == ids[2]
    assert await find_next_waiting(session, after=ids[3]) == ids[0]
    waiting = await count_waiting(session)
    assert (waiting.number, waiting.first) == (3, ids[0])
    assert (await count_waiting(session, user_id=9)).number == 0
    for number in (ids[0], ids[2]):
        made = await read(session, number)
        await save_review(session, variant=made, review=Review(user_id=2, is_approved=False))
    assert await find_next_waiting(session, after=ids[0]) == ids[3]
    assert await find_next_waiting(session, after=ids[3]) is None


async def test_who_decided_last_decides_in_the_list_and_in_the_figures(
    session: AsyncSession,
) -> None:
    first, second, third, fourth = [
        await finish(session, await ask(session, wants_review=wanted))
        for wanted in (True, True, True, False)
    ]
    await session.commit()
    for made, user, is_approved in (
        (first, 1, True),
        (first, 2, False),
        (second, 1, False),
        (second, 2, True),
        (second, 3, None),
    ):
        review = Review(user_id=user, is_approved=is_approved, comment="seen")
        await save_review(session, variant=made, review=review)
        await session.commit()  # each at a time of its own

    decided = await read_decisions(session, ids=[first.id, second.id, third.id, fourth.id])
    listed = {
        one: [found.id for found in await list_variants(session, decision=one, limit=9)]
        for one in Decision
    }
    figures = await read_statistics(session)

    assert decided == {
        first.id: Decision.REJECTED,
        second.id: Decision.APPROVED,
        third.id: Decision.WAITING,
    }
    assert listed == {
        Decision.APPROVED: [second.id],
        Decision.REJECTED: [first.id],
        Decision.WAITING: [third.id],
    }
    assert (figures.approved, figures.rejected, figures.approval_rate) == (1, 1, 0.5)


async def test_a_later_comment_of_who_was_overruled_decides_nothing(
    session: AsyncSession,
) -> None:
    made = await finish(session, await ask(session, wants_review=True))
    await session.commit()
    for user, is_approved in ((1, True), (2, False), (1, None)):
        review = Review(user_id=user, is_approved=is_approved, comment=f"said {is_approved}")
        await save_review(session, variant=made, review=review)
        await session.commit()

    assert await read_decisions(session, ids=[made.id]) == {made.id: Decision.REJECTED}
    figures = await read_statistics(session)
    assert (figures.approved, figures.rejected) == (0, 1)

    await save_review(session, variant=made, review=Review(user_id=1, is_approved=True))
    await session.commit()
    assert await read_decisions(session, ids=[made.id]) == {made.id: Decision.APPROVED}


async def test_a_decision_without_its_time_is_refused_by_the_database(
    session: AsyncSession,
) -> None:
    made = await finish(session, await ask(session))
    await session.commit()
    with pytest.raises(IntegrityError, match="ck_variant_feedback_decided_at"):
        await session.execute(
            text("INSERT INTO variant_feedback (variant_id, user_id, is_approved) "
                 "VALUES (:v, 1, true)"),
            {"v": made.id},
        )  # fmt: skip


@pytest.mark.parametrize("reason", [None, "", " \n\t"])
async def test_a_variant_that_breaks_rules_is_not_approved_without_a_reason(
    session: AsyncSession, reason: str | None
) -> None:
    made = await finish(session, await ask(session), rule_check=BROKEN)
    review = Review(user_id=1, is_approved=True, overrule_reason=reason)
    with pytest.raises(InvalidQueryError, match=r"overrule_reason: .*breaks 1 brand rule; say why"):
        await save_review(session, variant=made, review=review)
    assert await opinions(session, made) == []
    await save_review(session, variant=made, review=Review(user_id=1, is_approved=False))
    await save_review(session, variant=made, review=Review(user_id=2, rating=3))
    reason = "The brand team agreed."
    review = Review(user_id=1, is_approved=True, overrule_reason=f" {reason} ")
    await save_review(session, variant=made, review=review)
    await save_review(session, variant=made, review=Review(user_id=1, rating=5))
    kept = {one.user_id: one for one in await list_reviews(session, variant_id=made.id)}
    assert (kept[1].is_approved, kept[1].rating, kept[1].overrule_reason) == (True, 5, reason)


async def test_rules_that_were_checked_since_a_variant_was_read_count(
    session: AsyncSession,
) -> None:
    seen = await finish(session, await ask(session), rule_check=KEPT)
    assert seen.failed_rules == 0
    await VariantState(session, seen).save_check(BROKEN)
    with pytest.raises(InvalidQueryError, match="overrule_reason"):
        await save_review(session, variant=seen, review=Review(user_id=1, is_approved=True))
    await VariantState(session, seen).save_check(KEPT)
    await save_review(session, variant=seen, review=Review(user_id=1, is_approved=True))


async def test_a_reason_of_blanks_is_refused_by_the_database(session: AsyncSession) -> None:
    made = await finish(session, await ask(session))
    with pytest.raises(IntegrityError, match="ck_variant_feedback_overrule_reason"):
        await session.execute(
            text(
                "INSERT INTO variant_feedback (variant_id, user_id, overrule_reason) "
                "VALUES (:v, 1, :r)"
            ),
            {"v": made.id, "r": " \n"},
        )
