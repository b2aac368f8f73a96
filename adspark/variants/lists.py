"""Lists of variants: for people, for `generate-pending-variants`, for many requests at once."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.models import AdVariant, VariantStatus
from adspark.variants.reviews.decisions import Decision, ids_of
from adspark.variants.store import VariantSummary, summary_of

_DECIDED = text("""
    SELECT v.review_run_id, f.user_id FROM ad_variant v, LATERAL (
        SELECT user_id FROM variant_feedback
        WHERE variant_id = v.id AND decided_at IS NOT NULL ORDER BY decided_at DESC, id DESC LIMIT 1
    ) f
    WHERE v.review_run_id IS NOT NULL ORDER BY v.id DESC LIMIT 200
""")
# Of a paused batch, only what was submitted before.
_OPEN = text("""
    SELECT v.id, v.status, v.flow_run_id, v.batch_id, v.asked_at IS NOT NULL AS is_submitted
    FROM ad_variant v
        LEFT JOIN variant_batch b ON b.id = v.batch_id AND b.state = 'paused'
    WHERE v.status IN ('pending', 'processing') AND (b.id IS NULL OR v.asked_at IS NOT NULL)
    ORDER BY v.requested_at, v.id
""")
# A run that waits for Dify's first answer goes on: only it learns which generation it has begun,
# and stops it (`adspark.variants.generate`).
_RUN_TO_STOP = text("""
    SELECT flow_run_id FROM ad_variant WHERE id = :variant_id AND status = 'cancelled'
        AND (asked_at IS NULL OR receipt_run_id IS NOT NULL OR generator <> 'dify')
""")
# An event is a watch's news; one whose variant was requested with these words is left out.
# Of an ad that was cleaned up nothing can be made.
_NEW = text("""
    SELECT DISTINCT e.ad_creative_id FROM creative_event e JOIN creative USING (ad_creative_id)
    WHERE e.watch_id = :watch_id AND e.kind = 'new' AND NOT EXISTS (
        SELECT FROM ad_variant v
        WHERE v.original_ad_id = e.ad_creative_id AND v.prompt = :prompt
            AND v.user_id = :user_id AND v.status NOT IN ('failed', 'cancelled')
    )
    ORDER BY 1
""")
_REQUESTERS = text("""
    SELECT v.user_id, u.name FROM (SELECT DISTINCT user_id FROM ad_variant) AS v
        LEFT JOIN app_user u USING (user_id)
    ORDER BY 1
""")
_COUNT_NEW = text("""
    SELECT count(DISTINCT ad_creative_id) FROM creative_event JOIN creative USING (ad_creative_id)
    WHERE watch_id = :watch_id AND kind = 'new'
""")


class OpenVariant(BaseModel):
    """A pending or processing variant, and the flow run that it was last given to."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    status: VariantStatus
    flow_run_id: UUID | None
    batch_id: int | None
    is_submitted: bool


class Requester(BaseModel):
    """A user who has requested variants, with their name where they have one."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    user_id: int
    name: str | None


async def count_variants(session: AsyncSession) -> dict[VariantStatus, int]:
    """How many variants there are in each status that any has."""
    status = col(AdVariant.status)
    counted = await session.execute(select(status, func.count()).group_by(status))
    return dict(counted.tuples().all())


async def list_variants(
    session: AsyncSession,
    *,
    status: VariantStatus | None = None,
    user_id: int | None = None,
    original_ad_id: str | None = None,
    decision: Decision | None = None,
    before: int | None = None,
    limit: int,
) -> list[VariantSummary]:
    """The newest variants that fit.

    Args:
        status: None for any.
        user_id: who requested them; None for anybody.
        original_ad_id: whose variants they are; None for any.
        decision: only those with this one; None for any and none.
        before: only those with a smaller number, as on the next page of a list.
        limit: how many at most.
    """
    wanted = {"status": status, "user_id": user_id, "original_ad_id": original_ad_id}
    fitting = select(AdVariant).filter_by(**{k: v for k, v in wanted.items() if v is not None})
    if decision is not None:
        fitting = fitting.where(col(AdVariant.id).in_(ids_of(decision)))
    if before is not None:
        fitting = fitting.where(col(AdVariant.id) < before)
    statement = fitting.order_by(col(AdVariant.id).desc()).limit(limit)
    return [summary_of(variant) for variant in await session.scalars(statement)]


async def list_requesters(session: AsyncSession) -> list[Requester]:
    """Who has requested variants, by number."""
    return [Requester.model_validate(row) for row in await session.execute(_REQUESTERS)]


async def read_open_variants(session: AsyncSession) -> list[OpenVariant]:
    """All that are to be worked on, oldest first."""
    return [OpenVariant.model_validate(row) for row in await session.execute(_OPEN)]


async def read_review_runs(session: AsyncSession) -> Sequence[UUID]:
    """The 200 newest runs that were started to wait for reviews, newest first."""
    found = await session.scalars(
        select(col(AdVariant.review_run_id))
        .where(col(AdVariant.review_run_id).is_not(None))
        .order_by(col(AdVariant.id).desc())
        .limit(200)
    )
    return [run_id for run_id in found if run_id is not None]


async def read_decided_runs(session: AsyncSession) -> dict[UUID, int]:
    """Of the 200 newest variants that are decided, the run that was started to wait for a review,
    and the user who has decided last."""
    rows = await session.execute(_DECIDED)
    return {row.review_run_id: row.user_id for row in rows}


async def find_new_creatives(
    session: AsyncSession, *, watch_id: int, prompt: str, user_id: int
) -> tuple[list[str], int]:
    """The new creatives of a watch that have no variant of this prompt yet.

    Args:
        watch_id: the watch.
        prompt: of the variants.
        user_id: whose variants count.

    Returns:
        Their ids, and how many new ones are left out because they have.
    """
    values = {"watch_id": watch_id, "prompt": prompt, "user_id": user_id}
    found = list(await session.scalars(_NEW, values))
    total = await session.scalar(_COUNT_NEW, {"watch_id": watch_id})
    return found, int(total or 0) - len(found)


async def read_run_to_stop(session: AsyncSession, *, variant_id: int) -> UUID | None:
    """The run that makes a variant which was cancelled; None where it has none, or ends by itself
    as soon as its generation has answered."""
    found: UUID | None = await session.scalar(_RUN_TO_STOP, {"variant_id": variant_id})
    return found
