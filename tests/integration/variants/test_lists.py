"""Lists of variants: what fits, what is open, which new ads of a watch have none yet."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.models import EventKind, VariantStatus
from adspark.variants import store as variants
from adspark.variants.lists import (
    find_new_creatives,
    list_requesters,
    list_variants,
    read_open_variants,
    read_review_runs,
)
from adspark.variants.reviews.decisions import Decision
from adspark.variants.reviews.store import Review, save_review
from adspark.variants.state import VariantState
from tests.support.variants_at_hand import AD, OTHER, THIRD, ask, begin, finish, make, read, stocked


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session in which three ads are stored."""
    async with stocked(database) as opened:
        yield opened


async def tell(session: AsyncSession, *news: tuple[str, EventKind], watch: str = "w") -> int:
    """A watch to which something has happened; returns its id."""
    number = await session.scalar(
        text(
            "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
            "VALUES (1, :name, 'a.com', false, true) RETURNING id"
        ),
        {"name": watch},
    )
    for ad, kind in news:
        await session.execute(
            text(
                "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash) "
                "VALUES (:watch_id, :ad, :kind, 'x')"
            ),
            {"watch_id": number, "ad": ad, "kind": kind},
        )
    return int(number or 0)


async def test_lists_are_newest_first_and_hold_what_fits(session: AsyncSession) -> None:
    first, second = await ask(session), await ask(session, OTHER, user_id=2)
    third = await finish(session, await ask(session, workspace_id=7))

    async def ids(**wanted: Any) -> list[int]:  # noqa: ANN401
        return [one.id for one in await list_variants(session, **({"limit": 10} | wanted))]

    assert await ids() == [third.id, second.id, first.id]
    assert await ids(limit=2) == [third.id, second.id]
    assert await ids(user_id=2) == [second.id]
    assert await ids(original_ad_id=OTHER) == [second.id]
    assert await ids(original_ad_id=AD) == [third.id, first.id]
    assert await ids(status=VariantStatus.COMPLETED) == [third.id]
    assert await ids(status=VariantStatus.PENDING, user_id=1, original_ad_id=AD) == [first.id]
    assert await ids(status=VariantStatus.FAILED) == await ids(user_id=3) == []


async def test_what_is_listed_is_the_whole_variant(session: AsyncSession) -> None:
    made = await finish(session, await ask(session, workspace_id=7, wants_review=True))
    (listed,) = await list_variants(session, limit=1)
    assert listed == variants.summary_of(made)
    assert (listed.workspace_id, listed.wants_review, listed.title) == (7, True, "Summer")


async def test_open_ones_are_oldest_first_with_the_run_that_has_them(
    session: AsyncSession,
) -> None:
    made = [await make(session, status) for status in VariantStatus]
    late = await begin(session, await ask(session))
    await session.execute(
        text("UPDATE ad_variant SET requested_at = now() - interval '1 day' WHERE id = :id"),
        {"id": late.id},
    )
    run = uuid4()
    await VariantState(session, made[0]).assign(run)
    found = await read_open_variants(session)
    assert [(one.id, one.status) for one in found] == [
        (late.id, "processing"),
        (made[0].id, "pending"),
        (made[1].id, "processing"),
    ]
    assert [one.flow_run_id for one in found] == [late.flow_run_id, run, made[1].flow_run_id]


async def test_runs_that_wait_for_reviews_are_newest_first(session: AsyncSession) -> None:
    assert await read_review_runs(session) == []
    made = [await finish(session, await ask(session)) for _ in range(3)]
    first, last = uuid4(), uuid4()
    await VariantState(session, made[0]).assign_review(first)
    await VariantState(session, made[2]).assign_review(last)
    assert await read_review_runs(session) == [last, first]
    assert (await read(session, made[1])).review_run_id is None


async def test_the_new_ads_of_a_watch_are_each_told_once_and_nothing_else_is(
    session: AsyncSession,
) -> None:
    watch = await tell(
        session, (OTHER, EventKind.NEW), (AD, EventKind.NEW), (AD, EventKind.NEW),
        (AD, EventKind.CHANGED), (THIRD, EventKind.BASELINE), (THIRD, EventKind.CHANGED),
        (THIRD, EventKind.REACTIVATED), (THIRD, EventKind.ENDED),
    )  # fmt: skip
    other = await tell(session, (THIRD, EventKind.NEW), watch="other")
    quiet = await tell(session, watch="quiet")
    for number, expected in {watch: [AD, OTHER], other: [THIRD], quiet: [], 99: []}.items():
        found = await find_new_creatives(session, watch_id=number, prompt="Red", user_id=1)
        assert found == (expected, 0), number


@pytest.mark.parametrize(
    ("status", "words", "is_left_out"),
    [
        (VariantStatus.PENDING, {}, True),
        (VariantStatus.PROCESSING, {}, True),
        (VariantStatus.COMPLETED, {}, True),
        (VariantStatus.FAILED, {}, False),
        (VariantStatus.CANCELLED, {}, False),
        (VariantStatus.COMPLETED, {"prompt": "Blue"}, False),
        (VariantStatus.COMPLETED, {"user_id": 2}, False),
    ],
    ids=["waits", "is made", "is there", "failed", "cancelled", "other prompt", "other user"],
)
async def test_an_ad_with_this_variant_is_left_out_and_counted(
    session: AsyncSession, status: VariantStatus, words: dict[str, Any], is_left_out: bool
) -> None:
    watch = await tell(session, (AD, EventKind.NEW), (AD, EventKind.NEW), (OTHER, EventKind.NEW))
    await make(session, status, **words)
    found = await find_new_creatives(session, watch_id=watch, prompt="Red", user_id=1)
    assert found == (([OTHER], 1) if is_left_out else ([AD, OTHER], 0))


async def test_a_list_goes_on_before_a_number_and_holds_those_that_wait(
    session: AsyncSession,
) -> None:
    waiting = await finish(session, await ask(session, wants_review=True))
    decided = await finish(session, await ask(session, wants_review=True, user_id=2))
    pending = await ask(session, wants_review=True)
    await save_review(session, variant=decided, review=Review(user_id=1, is_approved=True))

    async def ids(**wanted: Any) -> list[int]:  # noqa: ANN401
        return [one.id for one in await list_variants(session, limit=10, **wanted)]

    assert await ids(decision=Decision.WAITING) == [waiting.id]
    assert await ids(decision=Decision.WAITING, user_id=2) == []
    assert await ids(decision=Decision.APPROVED) == [decided.id]
    assert await ids(before=pending.id) == [decided.id, waiting.id]
    assert [one.user_id for one in await list_requesters(session)] == [1, 2]
