"""Variants as they are stored: read, and summarised for whoever looks at them."""

import math
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import UnknownVariantError
from adspark.generators.base import Generated
from adspark.models import AdVariant, VariantStatus
from adspark.rules.verdicts import RuleCheck
from adspark.text.counts import counted
from adspark.validation.bounds import LARGEST_ID
from adspark.variants.state import is_retry_paid
from adspark.words.copy_statements import join_copy

_COPY = text(f"""
    SELECT nullif(concat_ws(E'\\n', d.headline, d.snippet, d.call_to_action), '') AS bought,
        r.snippet AS read
    FROM (VALUES (CAST(:ad_creative_id AS text))) AS ad (id)
        {join_copy("ad.id")}
""")  # noqa: S608  (put together from a constant)
_GENERATED = text("""
    SELECT generated - 'saved_at' AS generated,
        extract(epoch FROM now() - CAST(generated->>'saved_at' AS timestamptz)) AS age
    FROM ad_variant WHERE id = :variant_id AND generated IS NOT NULL
""")
# Workers' clocks differ from the database's, and from each other.
_SECONDS_SINCE = text("SELECT extract(epoch FROM now() - CAST(:moment AS timestamptz))")


@dataclass(frozen=True)
class OriginalCopy:
    """The words of an ad: those of its details, where they were bought, else all that was read from
    its picture."""

    text: str
    is_bought: bool


class VariantSummary(BaseModel):
    """A variant as it is; the result of `generate-ad-variant`."""

    id: int
    status: VariantStatus
    original_ad_id: str
    original_version: str | None = None
    parent_id: int | None = None
    batch_id: int | None = None
    prompt: str
    user_id: int
    workspace_id: int | None
    attempt: int
    generator: str | None
    title: str | None
    description: str | None
    original_path: str | None
    image_path: str | None
    thumbnail_path: str | None
    confidence_score: float | None
    picture_similarity: float | None
    text_similarity: float | None
    is_too_close: bool
    rule_check: RuleCheck | None = None
    wants_review: bool
    problem: str | None
    error: str | None
    requested_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    workflow: str | None = None
    seed: str | None = None
    retry_is_paid: bool | None = Field(
        default=None, description="Of a failed or cancelled one, whether a retry is paid."
    )

    @property
    def headline(self) -> str:
        """What it came to, in one line."""
        match self.status:
            case VariantStatus.COMPLETED:
                parts = [f"confidence {self.confidence_score:.0%}"]
                parts += [self.problem] if self.problem else []
                parts += ["too close to the original"] if self.is_too_close else []
                failed = len(self.rule_check.failed) if self.rule_check else 0
                parts += [f"{counted(failed, 'rule')} failed"] if failed else []
                return f"variant {self.id} completed: {'; '.join(parts)}"
            case VariantStatus.FAILED:
                return f"variant {self.id} failed: {self.error}"
        return f"variant {self.id} is {self.status}"


async def read_variant(session: AsyncSession, *, variant_id: int) -> AdVariant:
    """A variant's row as it is now. Raises UnknownVariantError where there is none."""
    found = None
    if 0 < variant_id <= LARGEST_ID:
        found = await session.get(AdVariant, variant_id, populate_existing=True)
    if found is None:
        raise UnknownVariantError(
            f"There is no variant {variant_id}.", command="see them with: adspark variant list"
        )
    return found


async def read_original_copy(session: AsyncSession, *, ad_creative_id: str) -> OriginalCopy | None:
    """The words of a creative that variants of it are compared with; None where none are known."""
    row = (await session.execute(_COPY, {"ad_creative_id": ad_creative_id})).one()
    if row.bought is None and row.read is None:
        return None
    return OriginalCopy(row.bought or row.read, is_bought=row.bought is not None)


async def read_seconds_since(session: AsyncSession, moment: datetime | None) -> float:
    """Seconds since a time that the database has noted, by its own clock; 0 of none."""
    return float(await session.scalar(_SECONDS_SINCE, {"moment": moment}) or 0)


async def read_generated(
    session: AsyncSession, *, variant_id: int
) -> tuple[Generated, float] | None:
    """What a variant's generation gave, while that is kept, and the seconds since it was saved."""
    row = (await session.execute(_GENERATED, {"variant_id": variant_id})).one_or_none()
    if row is None:
        return None
    return Generated(**row.generated), math.inf if row.age is None else float(row.age)


def summary_of(variant: AdVariant) -> VariantSummary:
    """What is shown of a row."""
    summary = VariantSummary.model_validate(variant, from_attributes=True)
    if variant.status in (VariantStatus.FAILED, VariantStatus.CANCELLED):
        return summary.model_copy(update={"retry_is_paid": is_retry_paid(variant)})
    return summary
