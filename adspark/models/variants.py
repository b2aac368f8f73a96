"""Generated variants of ads, their batches, their budgets and their reviews."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from adspark.models import columns


class VariantStatus(StrEnum):
    """How far a variant is."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    """What people want of a batch; whether it has ended follows from its variants."""

    RUNNING = "running"
    PAUSED = "paused"
    """Nothing of it is submitted; what was submitted before is fetched."""
    CANCELLED = "cancelled"


class ReviewReason(StrEnum):
    """Why a person approves or rejects a variant."""

    FITS_BRAND = "fits_brand"
    CLEAR_COPY = "clear_copy"
    STRONG_PICTURE = "strong_picture"
    OFF_BRAND = "off_brand"
    UNCLEAR_COPY = "unclear_copy"
    WRONG_CLAIM = "wrong_claim"
    POOR_PICTURE = "poor_picture"
    IGNORES_PROMPT = "ignores_prompt"


class AdVariant(SQLModel, table=True):
    """A generated variant of a creative, from request to result.

    Only who holds the lock of a variant works on it; `processing` without a holder is what a dead
    run left behind. `asked_at` is set before the generation is submitted, `receipt_*` as soon as
    the generator has named it: whoever comes later looks there before it submits, and pays, again.
    """

    __tablename__ = "ad_variant"
    __table_args__ = (
        columns.one_of("status", VariantStatus),
        CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
        CheckConstraint("attempt > 0", name="attempt"),
        CheckConstraint("failed_rules >= 0", name="failed_rules"),
        Index(None, "status", "requested_at"),
        Index(
            "ix_ad_variant_without_thumbnail",
            "id",
            postgresql_where=text("image_path IS NOT NULL AND thumbnail_path IS NULL"),
        ),
        Index(
            "ix_ad_variant_figures",
            "user_id",
            "id",
            postgresql_include=[
                "status",
                "wants_review",
                "is_too_close",
                "started_at",
                "completed_at",
            ],
        ),
        Index(
            "ix_ad_variant_to_review",
            "id",
            postgresql_where=text("status = 'completed' AND wants_review"),
        ),
        Index(
            "ix_ad_variant_unsubmitted",
            "user_id",
            postgresql_where=text("status IN ('pending', 'processing') AND asked_at IS NULL"),
        ),
    )

    id: int = columns.key()
    token: UUID = Field(
        default_factory=uuid4,
        sa_column=Column(
            Uuid, nullable=False, unique=True, server_default=text("gen_random_uuid()")
        ),
        description="Names it to the generator, which other databases use too.",
    )
    original_ad_id: str = Field(
        sa_column=Column(ForeignKey("creative.ad_creative_id"), nullable=False, index=True)
    )
    original_version: str | None = columns.optional_text(
        "The content hash of the ad as it was rendered."
    )
    parent_id: int | None = Field(
        default=None,
        sa_column=Column(ForeignKey("ad_variant.id", ondelete="SET NULL"), index=True),
        description="The variant that it is a variant of; None: of the ad itself.",
    )
    batch_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("variant_batch.id"), index=True)
    )
    user_id: int
    workspace_id: int | None = None
    status: VariantStatus = columns.choice(
        VariantStatus, nullable=False, default=VariantStatus.PENDING
    )
    prompt: str = Field(sa_type=Text)
    wants_review: bool = columns.flag()
    attempt: int = columns.whole_number(1, "Each may be paid for once.")
    requested_by: UUID | None = Field(
        default=None,
        sa_column=Column(Uuid, unique=True),
        description="The flow run that made the row; its retry finds it.",
    )
    flow_run_id: UUID | None = Field(default=None, description="The run that works on it.")
    review_run_id: UUID | None = Field(default=None, description="The run that waits for a review.")
    generator: str | None = columns.optional_text()
    asked_at: datetime | None = columns.moment()
    receipt_run_id: str | None = columns.optional_text("Dify's run.")
    receipt_task_id: str | None = columns.optional_text("Dify's task.")
    generated: dict[str, Any] | None = columns.optional_json()
    """What the generation gave, until it is all fetched and kept."""
    title: str | None = columns.optional_text()
    description: str | None = columns.optional_text("The copy.")
    original_path: str | None = columns.optional_text("In the media store.")
    original_sha256: str | None = columns.optional_text()
    image_path: str | None = columns.optional_text("In the media store.")
    image_sha256: str | None = columns.optional_text()
    thumbnail_path: str | None = columns.optional_text(
        "In the media store; None: there is no picture, or not yet."
    )
    picture_similarity: float | None = None
    text_similarity: float | None = None
    is_too_close: bool = columns.flag()
    confidence_score: float | None = None
    response_metadata: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'"))
    )
    rule_check: dict[str, Any] | None = columns.optional_json()
    """Of `adspark.rules.verdicts`; None: there were no rules when it was completed."""
    failed_rules: int = columns.whole_number(0, "Of them; approving it wants a reason.")
    problem: str | None = columns.optional_text("What a completed variant lacks, and why.")
    error: str | None = columns.optional_text()
    error_kind: str | None = columns.optional_text("Of adspark.errors.")
    requested_at: datetime = columns.now()
    started_at: datetime | None = columns.moment()
    completed_at: datetime | None = columns.moment()

    @property
    def workflow(self) -> str | None:
        """The workflow or model that made it, where the service says it."""
        return _said(self.response_metadata, "workflow_id") or _said(
            self.response_metadata, "model"
        )

    @property
    def seed(self) -> str | None:
        """The seed that the workflow drew from, where it says it."""
        return _said(self.response_metadata, "seed")


class VariantBatch(SQLModel, table=True):
    """Variants that were requested together: each of its prompts for each of its ads."""

    __tablename__ = "variant_batch"
    __table_args__ = (
        columns.one_of("state", BatchState),
        CheckConstraint("already_there >= 0", name="already_there"),
    )

    id: int = columns.key()
    key: UUID = Field(
        sa_column=Column(Uuid, nullable=False, unique=True),
        description="Of the request, so that it is made once.",
    )
    user_id: int
    state: BatchState = columns.choice(BatchState, nullable=False, default=BatchState.RUNNING)
    already_there: int = columns.whole_number(
        0, "Variants that were left out, for there are such already."
    )
    created_at: datetime = columns.now()


class GenerationBudget(SQLModel, table=True):
    """How many generations a user may have in a month, by UTC; who has none here has no bound."""

    __tablename__ = "generation_budget"
    __table_args__ = (CheckConstraint("monthly >= 0", name="monthly"),)

    user_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    monthly: int


class GenerationUse(SQLModel, table=True):
    """A generation that was submitted, and so may be paid: one for each attempt of a variant.

    It outlives its variant.
    """

    __tablename__ = "generation_use"
    __table_args__ = (Index(None, "user_id", "used_at"),)

    variant_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    attempt: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    user_id: int
    used_at: datetime = columns.now()


def _said(metadata: dict[str, Any], name: str) -> str | None:
    """What a service said under this name; None where it did not."""
    value = metadata.get(name)
    return str(value) if isinstance(value, str | int) and str(value) else None


class VariantFeedback(SQLModel, table=True):
    """What a person thought of a variant, one each."""

    __tablename__ = "variant_feedback"
    __table_args__ = (
        UniqueConstraint("variant_id", "user_id"),
        Index(
            "ix_variant_feedback_latest",
            "variant_id",
            text("decided_at DESC"),
            text("id DESC"),
            postgresql_include=["is_approved", "rating"],
        ),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        CheckConstraint(f"reasons <@ ARRAY[{columns.quoted_values(ReviewReason)}]", name="reasons"),
        CheckConstraint("overrule_reason ~ '[^[:space:]]'", name="overrule_reason"),
        CheckConstraint("(is_approved IS NULL) = (decided_at IS NULL)", name="decided_at"),
    )

    id: int = columns.key()
    variant_id: int = columns.belongs_to("ad_variant.id")
    user_id: int
    is_approved: bool | None = Field(default=None, description="None while open.")
    decided_at: datetime | None = columns.moment("The latest decides.")
    rating: int | None = None
    comment: str | None = columns.optional_text()
    accepts_closeness: bool = columns.flag("Knows that it is close to the original.")
    reasons: list[str] = columns.texts()
    overrule_reason: str | None = columns.optional_text(
        "Why it is approved although it breaks rules."
    )
    created_at: datetime = columns.now()
    updated_at: datetime = columns.now()
