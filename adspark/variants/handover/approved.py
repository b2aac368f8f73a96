"""Every statement on approved variants that are handed over, with where each came from."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.variants.batches.store import read_state
from adspark.variants.reviews.decisions import IS_APPROVED

MOST = 1000
"""Variants of one hand-over; a batch has no more."""

_READ = text(f"""
    SELECT v.id, v.original_ad_id, v.original_version, v.parent_id, v.batch_id, v.prompt,
        v.generator, v.description, v.image_path, v.user_id, v.completed_at,
        v.failed_rules, EXISTS (
            SELECT FROM variant_feedback f
            WHERE f.variant_id = v.id AND f.is_approved AND f.overrule_reason IS NOT NULL
                AND f.decided_at >= CAST(v.rule_check->>'checked_at' AS timestamptz)
        ) AS is_overruled,
        a.name AS advertiser, v.response_metadata->>'workflow_id' AS workflow,
        v.response_metadata->>'model' AS model, v.rule_check, v.response_metadata->>'seed' AS seed,
        (SELECT string_agg(coalesce(u.name, f.user_id::text), ', ' ORDER BY f.user_id)
            FROM variant_feedback f LEFT JOIN app_user u USING (user_id)
            WHERE f.variant_id = v.id AND f.is_approved) AS approved_by
    FROM ad_variant v JOIN creative c ON c.ad_creative_id = v.original_ad_id
        JOIN advertiser a USING (advertiser_id)
    WHERE v.status = 'completed' AND {IS_APPROVED}
        AND (CAST(:batch_id AS int) IS NULL OR v.batch_id = :batch_id)
    ORDER BY v.id DESC LIMIT :limit
""")  # noqa: S608  (put together from a constant)


async def read_approved(session: AsyncSession, *, batch_id: int | None) -> list[Any]:
    """Approved variants of a batch (None: of any), by who decided last on each; newest first.

    Where there are more than a hand-over takes, the last is the newest of those that are too many.

    Raises:
        UnknownBatchError: there is no such batch.
    """
    if batch_id is not None:
        await read_state(session, batch_id=batch_id)
    return list((await session.execute(_READ, {"batch_id": batch_id, "limit": MOST + 1})).all())
