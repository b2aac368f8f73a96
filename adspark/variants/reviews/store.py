"""Every statement on what people think of variants: one opinion of each person, and statistics."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import BusyError, InvalidQueryError, UnknownVariantError
from adspark.models import AdVariant, ReviewReason, VariantStatus
from adspark.text.counts import counted
from adspark.validation.bounds import ID, RATING
from adspark.validation.notes import check_note, clean_note
from adspark.variants.store import read_variant

_SAVE = text("""
    INSERT INTO variant_feedback AS f
        (variant_id, user_id, is_approved, decided_at, rating, comment, accepts_closeness, reasons,
        overrule_reason)
    SELECT id, :user_id, CAST(:is_approved AS boolean),
        CASE WHEN CAST(:is_approved AS boolean) IS NOT NULL THEN now() END, CAST(:rating AS int),
        CAST(:comment AS text), CAST(:accepts_closeness AS boolean),
        coalesce(CAST(:reasons AS text[]), '{}'), CAST(:overrule_reason AS text)
    FROM ad_variant WHERE id = :variant_id AND status = 'completed' AND (
        failed_rules = 0 OR CAST(:is_approved AS boolean) IS NOT TRUE
            OR CAST(:overrule_reason AS text) IS NOT NULL
    )
    FOR SHARE
    ON CONFLICT (variant_id, user_id) DO UPDATE SET
        is_approved = coalesce(excluded.is_approved, f.is_approved),
        decided_at = coalesce(excluded.decided_at, f.decided_at),
        rating = coalesce(excluded.rating, f.rating),
        comment = coalesce(excluded.comment, f.comment),
        accepts_closeness = excluded.accepts_closeness OR f.accepts_closeness,
        reasons = coalesce(CAST(:reasons AS text[]), f.reasons),
        overrule_reason = coalesce(excluded.overrule_reason, f.overrule_reason),
        updated_at = now()
    WHERE CAST(:is_any AS boolean) OR f.updated_at = CAST(:seen_at AS timestamptz)
        OR (f.is_approved, f.rating, f.comment, f.accepts_closeness, f.reasons, f.overrule_reason)
            IS NOT DISTINCT FROM (
                coalesce(excluded.is_approved, f.is_approved), coalesce(excluded.rating, f.rating),
                coalesce(excluded.comment, f.comment),
                excluded.accepts_closeness OR f.accepts_closeness,
                coalesce(CAST(:reasons AS text[]), f.reasons),
                coalesce(excluded.overrule_reason, f.overrule_reason)
            )
    RETURNING variant_id
""")
_LIST = text("""
    SELECT f.user_id, u.name AS "user", is_approved, rating, comment, accepts_closeness, reasons,
        overrule_reason, f.updated_at
    FROM variant_feedback f LEFT JOIN app_user u USING (user_id)
    WHERE variant_id = :variant_id ORDER BY f.updated_at, id
""")
# One reading of both tables; the latest word on a variant counts, as in `decisions`.
_COUNT = text(f"""
    WITH opinion AS (
        SELECT variant_id, sum(rating) AS ratings, count(rating) AS rated,
            (array_agg(is_approved ORDER BY decided_at DESC, id DESC)
                FILTER (WHERE decided_at IS NOT NULL))[1] AS is_approved
        FROM variant_feedback GROUP BY variant_id
    )
    SELECT count(*) AS variants,
        {", ".join(f"count(*) FILTER (WHERE status = '{one}') AS {one}" for one in VariantStatus)},
        count(*) FILTER (WHERE is_too_close) AS too_close,
        extract(epoch FROM avg(completed_at - started_at)
            FILTER (WHERE status = 'completed'))::float AS mean_seconds,
        count(*) FILTER (WHERE status = 'completed' AND is_approved) AS approved,
        count(*) FILTER (WHERE status = 'completed' AND NOT is_approved) AS rejected,
        sum(ratings)::float / nullif(sum(rated), 0) AS mean_rating
    FROM ad_variant v LEFT JOIN opinion o ON o.variant_id = v.id
    WHERE (CAST(:user_id AS int) IS NULL OR user_id = :user_id)
""")  # noqa: S608  (put together from the statuses)
_CAUSES = text("""
    SELECT coalesce(error_kind, 'unknown') AS kind, count(*) AS variants,
        (array_agg(error ORDER BY completed_at DESC))[1] AS latest
    FROM ad_variant
    WHERE status = 'failed' AND (CAST(:user_id AS int) IS NULL OR user_id = :user_id)
    GROUP BY 1 ORDER BY 2 DESC, 1
""")


def _clean(written: str | None) -> str | None:
    return None if written is None else clean_note(written)


def _none_if_blank(written: str | None) -> str | None:
    return _clean(written) or None


class Review(BaseModel):
    """What a person thinks of a variant; None leaves it open, ratings are 1 to 5.

    Who `accepts_closeness` approves although it is close to the original; who approves a variant
    that breaks rules gives an `overrule_reason`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: int
    is_approved: bool | None = None
    rating: int | None = None
    comment: Annotated[str | None, AfterValidator(_clean)] = None
    accepts_closeness: bool = False
    reasons: list[ReviewReason] | None = None
    overrule_reason: Annotated[str | None, AfterValidator(_none_if_blank)] = None

    @property
    def says_something(self) -> bool:
        """Whether there is anything to keep; a comment that is blank says nothing by itself."""
        return (
            self.is_approved is not None
            or self.rating is not None
            or bool(self.comment)
            or bool(self.reasons)
        )


class StoredReview(Review):
    """A review with the name of its user, where they have one, and the time of its last change."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)

    user: str | None
    updated_at: datetime


class FailureCause(BaseModel):
    """How many variants failed for one kind of cause, and the words of the latest."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    kind: str
    variants: int
    latest: str | None


class VariantStatistics(BaseModel):
    """Figures over all variants, or over one user's; `mean_seconds` from claimed to completed.

    `approved` and `rejected` count variants, by who decided last; the approval rate, 0 to 1, is
    among both.
    """

    variants: int
    pending: int
    processing: int
    completed: int
    failed: int
    cancelled: int
    too_close: int
    mean_seconds: float | None
    approved: int
    rejected: int
    approval_rate: float | None
    mean_rating: float | None
    failures: list[FailureCause]


def check_review(variant: AdVariant, review: Review) -> None:
    """Refuse a review that says nothing, or that approves what it should not.

    Raises:
        InvalidQueryError: names the field.
        UnknownVariantError: the variant is not completed.
    """
    if variant.status != VariantStatus.COMPLETED:
        raise UnknownVariantError(
            f"Variant {variant.id} is {variant.status}; only completed ones are reviewed."
        )
    RATING.check("rating", review.rating)
    for field in ("comment", "overrule_reason"):
        check_note(field, getattr(review, field))
    if not review.says_something:
        raise InvalidQueryError("decision", "approve or reject it, rate it, or write a comment.")
    ID.check("user_id", review.user_id)
    if review.is_approved and variant.is_too_close and not review.accepts_closeness:
        raise InvalidQueryError(
            "accepts_closeness",
            f"variant {variant.id} is too close to its original to be approved unseen; say that "
            f"you accept that (on the command line: --accept-closeness), or reject it.",
        )
    if review.is_approved and variant.failed_rules and review.overrule_reason is None:
        raise InvalidQueryError(
            "overrule_reason",
            f"variant {variant.id} breaks {counted(variant.failed_rules, 'brand rule')}; say why "
            f"it is approved all the same (on the command line: --overrule), or reject it.",
        )


async def save_review(
    session: AsyncSession,
    *,
    variant: AdVariant,
    review: Review,
    seen_at: datetime | Literal["any"] | None = "any",
) -> None:
    """Save a person's review; what it leaves open stays as they said before.

    Args:
        session: the caller commits.
        variant: as it was read.
        review: theirs.
        seen_at: when what they had said before was last changed, as they saw it, None where they
            saw nothing; "any" does not compare.

    Raises:
        InvalidQueryError: names the field.
        BusyError: what they had said before was changed since they saw it, to something else than
            this.
        UnknownVariantError: the variant is not completed.
    """
    check_review(variant, review)
    values = {"variant_id": variant.id, **review.model_dump()}
    is_any = seen_at == "any"
    values |= {"is_any": is_any, "seen_at": None if is_any else seen_at}
    saved = await session.execute(_SAVE, values)
    if saved.first() is None:
        if not is_any and await _has_review(session, variant.id, review.user_id):
            raise BusyError("This review was changed meanwhile.")
        check_review(await read_variant(session, variant_id=variant.id), review)
        raise UnknownVariantError(
            f"Variant {variant.id} is not completed; there is nothing to review."
        )


async def _has_review(session: AsyncSession, variant_id: int, user_id: int) -> bool:
    reviews = await list_reviews(session, variant_id=variant_id)
    return any(one.user_id == user_id for one in reviews)


async def list_reviews(session: AsyncSession, *, variant_id: int) -> list[StoredReview]:
    """All reviews of a variant, the latest last."""
    rows = await session.execute(_LIST, {"variant_id": variant_id})
    return [StoredReview.model_validate(row) for row in rows]


async def read_statistics(
    session: AsyncSession, *, user_id: int | None = None
) -> VariantStatistics:
    """Figures over the variants of one user, or of all."""
    whose = {"user_id": user_id}
    counts = (await session.execute(_COUNT, whose)).one()._asdict()
    causes = await session.execute(_CAUSES, whose)
    judged = counts["approved"] + counts["rejected"]
    return VariantStatistics(
        **counts,
        approval_rate=counts["approved"] / judged if judged else None,
        failures=[FailureCause.model_validate(row) for row in causes],
    )
