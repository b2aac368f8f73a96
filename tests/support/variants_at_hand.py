"""What tests of variants share: stored ads, and variants in every status, made as workers do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.generators.base import RemoteRun
from adspark.models import AdVariant, VariantStatus
from adspark.variants import store as variants
from adspark.variants.batches.plan import BatchRequest, check_batch, create_batch, plan_batch
from adspark.variants.requests import VariantRequest, request_variants
from adspark.variants.state import Completion, VariantState
from tests.support.factories import creative

_Found = TypeVar("_Found")

AD, OTHER, THIRD = (f"CR{number:020d}" for number in (1, 2, 3))
DONE = Completion(
    title="Summer",
    description="Summer\nSun",
    image_path=f"variants/00/{'0' * 64}.png",
    image_sha256="0" * 64,
    thumbnail_path=f"thumbnails/00/{'0' * 64}.webp",
    picture_similarity=0.1,
    text_similarity=None,
    is_too_close=False,
    confidence_score=1.0,
    response_metadata={"workflow_run_id": "run-1"},
    problem=None,
)

READ_WORDS = text("""
    WITH version AS (
        INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path,
            thumbnail_path)
        SELECT ad_creative_id, content_hash, 'stored', repeat('a', 64), 'archive/aa/a.png',
            'archive/aa/a.webp'
        FROM creative WHERE ad_creative_id = :ad
    )
    INSERT INTO picture_words (sha256, status, read_at, lines, headline, confidence)
    VALUES (repeat('a', 64), 'read', now(), :lines, 'Gear for all', 0.9)
""")
"""The words that were read from the archived picture of the ad `:ad`: `:lines`."""


async def store_ads(session: AsyncSession, numbers: Sequence[int] = (1, 2, 3)) -> None:
    """Store and commit ads; without a word, `AD`, `OTHER` and `THIRD`."""
    await save_creatives(session, rows=[creative(number) for number in numbers])
    await session.commit()


@asynccontextmanager
async def stocked(database: Database) -> AsyncIterator[AsyncSession]:
    """A session in which three ads are stored."""
    async with database.session() as session:
        await store_ads(session)
        yield session


async def make_finished(database: Database) -> None:
    """Store three ads, and the first variant, of the first of them, which is finished."""
    async with stocked(database) as session:
        await finish(session, await ask(session, AD))
        await session.commit()


def in_session(database_url: str, act: Callable[[AsyncSession], Awaitable[_Found]]) -> _Found:
    """Do something and commit it, as another process beside a command does."""

    async def do() -> _Found:
        async with Database(database_url) as database, database.session() as session:
            found = await act(session)
            await session.commit()
            return found

    return asyncio.run(do())


async def ask(session: AsyncSession, ad: str = AD, **words: Any) -> AdVariant:  # noqa: ANN401
    """A pending variant."""
    wanted = VariantRequest(**({"original_ad_id": ad, "prompt": "Red", "user_id": 1} | words))
    (number,) = await request_variants(session, requests=[wanted])
    return await read(session, number)


async def ask_together(session: AsyncSession, ads: Sequence[str], *prompts: str) -> int:
    """A batch of pending variants; returns its number."""
    request = check_batch(BatchRequest(ads=tuple(ads), prompts=prompts))
    return await create_batch(
        session, request, key=uuid4(), confirmed=(await plan_batch(session, request)).generations
    )


async def read(session: AsyncSession, variant: AdVariant | int) -> AdVariant:
    """The row as it is now, apart from what is in hand."""
    number = variant if isinstance(variant, int) else variant.id
    found = await variants.read_variant(session, variant_id=number)
    session.expunge(found)
    return found


async def begin(session: AsyncSession, variant: AdVariant) -> AdVariant:
    """A variant that is being worked on."""
    await VariantState(session, variant).claim(flow_run_id=uuid4(), generator="dify")
    return await read(session, variant)


async def accept(session: AsyncSession, variant: AdVariant) -> AdVariant:
    """A variant whose generation is under way at the service."""
    begun = await begin(session, variant)
    await VariantState(session, begun).submit()
    await VariantState(session, begun).accept(RemoteRun("run-1", "task-1"))
    return await read(session, begun)


async def finish(session: AsyncSession, variant: AdVariant, **changes: Any) -> AdVariant:  # noqa: ANN401
    """A completed variant."""
    begun = await begin(session, variant)
    done = DONE.model_copy(update=changes)
    await VariantState(session, begun).complete(done)
    return await read(session, variant)


async def fail(session: AsyncSession, variant: AdVariant, error: Exception) -> AdVariant:
    """A variant that has failed."""
    await VariantState(session, variant).fail(error)
    return await read(session, variant)


async def make(session: AsyncSession, status: VariantStatus, **words: Any) -> AdVariant:  # noqa: ANN401
    """A variant in the status, on the way that it takes by itself."""
    variant = await ask(session, **words)
    match status:
        case VariantStatus.PROCESSING:
            return await begin(session, variant)
        case VariantStatus.COMPLETED:
            return await finish(session, variant)
        case VariantStatus.FAILED:
            return await fail(session, await begin(session, variant), TimeoutError("too slow"))
        case VariantStatus.CANCELLED:
            await VariantState(session, variant).cancel()
    return await read(session, variant)
