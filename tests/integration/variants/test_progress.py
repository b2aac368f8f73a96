"""How far variants are: the step of one, and how many open ones are at each."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.models import VariantStatus
from adspark.variants.progress import Step, count_open_steps, read_step
from adspark.variants.state import VariantState
from tests.support.variants_at_hand import ask, begin, finish, make, read, stocked


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session in which three ads are stored."""
    async with stocked(database) as opened:
        yield opened


async def test_each_step_of_a_variant_is_told(session: AsyncSession) -> None:
    made = await ask(session)

    async def step() -> Step | None:
        return await read_step(session, variant_id=made.id)

    assert await step() == Step.PENDING
    begun = await begin(session, made)
    state = VariantState(session, begun)
    assert await step() == Step.RENDERING
    await state.save_original(path="originals/00/x.png", sha256="0")
    assert await step() == Step.SUBMITTING
    await state.submit()
    assert await step() == Step.GENERATING
    await state.save_generated({"text": "Summer"})
    assert await step() == Step.SAVING
    await finish(session, await read(session, begun))
    assert await step() == Step.COMPLETED
    assert await read_step(session, variant_id=made.id + 1) is None


async def test_open_variants_are_counted_by_step_and_user(session: AsyncSession) -> None:
    for status in VariantStatus:
        await make(session, status)
    await ask(session, user_id=2)

    assert await count_open_steps(session) == {Step.PENDING: 2, Step.RENDERING: 1}
    assert await count_open_steps(session, user_id=2) == {Step.PENDING: 1}
    assert await count_open_steps(session, user_id=3) == {}
