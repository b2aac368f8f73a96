"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "advertiser", "rate_slot", "watch", "creative", "fetch", "ad_variant", "creative_event",
    "rejected_row", "watch_creative", "variant_feedback",
)  # fmt: skip
_MOMENT = sa.DateTime(timezone=True)
_HASHED = "md5(format || '|' || coalesce(image_url, '') || '|' || coalesce(video_link, '') || '|' || coalesce(width, 0) || 'x' || coalesce(height, 0))"


def _id(kind: type[sa.Integer] = sa.Integer) -> sa.Column[Any]:
    return sa.Column("id", kind, sa.Identity(always=True), primary_key=True)


def _required(name: str, kind: type[sa.types.TypeEngine[Any]]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _now(name: str, *, index: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _MOMENT, nullable=False, server_default=sa.text("now()"), index=index)


def _texts(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"))


def _cascade(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")


def upgrade() -> None:
    """Bring the schema to this revision; the models' convention names constraints and indexes."""
    op.create_table(
        "advertiser",
        sa.Column("advertiser_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, index=True),
        sa.Column("first_seen_at", _MOMENT),
        sa.Column("last_seen_at", _MOMENT),
        _now("created_at"),
        _now("updated_at"),
    )
    op.create_table(
        "rate_slot",
        _id(sa.BigInteger),
        _required("name", sa.Text),
        sa.Column("taken_at", _MOMENT, nullable=False),
        sa.Index(None, "name", "taken_at"),
    )
    op.create_table(
        "watch",
        _id(),
        _required("user_id", sa.Integer),
        _required("name", sa.Text),
        _texts("advertiser_ids"),
        sa.Column("text", sa.Text),
        sa.Column("region", sa.Text),
        sa.Column("platform", sa.Text),
        sa.Column("creative_format", sa.Text),
        _required("political_ads", sa.Boolean),
        _required("is_active", sa.Boolean),
        _now("created_at"),
        _now("updated_at"),
        sa.CheckConstraint("advertiser_ids <> '{}' OR text IS NOT NULL", name="query"),
        sa.CheckConstraint("creative_format IN ('text', 'image', 'video')", name="creative_format"),
        sa.CheckConstraint(
            "platform IN ('PLAY', 'MAPS', 'SEARCH', 'SHOPPING', 'YOUTUBE')", name="platform"
        ),
        sa.UniqueConstraint("user_id", "name"),
    )
    op.create_table(
        "creative",
        sa.Column("ad_creative_id", sa.Text, primary_key=True),
        sa.Column(
            "advertiser_id", sa.Text, sa.ForeignKey("advertiser.advertiser_id"), nullable=False
        ),
        _required("format", sa.Text),
        sa.Column("image_url", sa.Text),
        sa.Column("video_link", sa.Text),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("target_domain", sa.Text, index=True),
        sa.Column("first_shown", _MOMENT),
        sa.Column("last_shown", _MOMENT, index=True),
        sa.Column("total_days_shown", sa.Integer),
        sa.Column("details_link", sa.Text),
        sa.Column("views_min", sa.BigInteger),
        sa.Column("views_max", sa.BigInteger),
        sa.Column("budget_min", sa.Text),
        sa.Column("budget_max", sa.Text),
        _texts("regions"),
        _texts("platforms"),
        sa.Column("content_hash", sa.Text, sa.Computed(_HASHED, persisted=True), nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.CheckConstraint("format IN ('text', 'image', 'video')", name="format"),
        sa.Index(None, "advertiser_id", "format"),
        sa.Index(None, "first_shown", "last_shown"),
    )
    op.create_table(
        "fetch",
        sa.Column("id", sa.Uuid, primary_key=True),
        _required("query", JSONB),
        _required("query_hash", sa.Text),
        sa.Column(
            "watch_id", sa.Integer, sa.ForeignKey("watch.id", ondelete="SET NULL"), index=True
        ),
        sa.Column("flow_run_id", sa.Uuid, index=True),
        _required("status", sa.Text),
        _required("pages", sa.Integer),
        _required("searches_billed", sa.Integer),
        _required("searches_cached", sa.Integer),
        _texts("search_ids"),
        sa.Column("next_page_token", sa.Text),
        _required("new_count", sa.Integer),
        _required("changed_count", sa.Integer),
        _required("unchanged_count", sa.Integer),
        _required("rejected_count", sa.Integer),
        sa.Column("stop_reason", sa.Text),
        sa.Column("error", sa.Text),
        _now("started_at", index=True),
        _now("updated_at"),
        sa.Column("finished_at", _MOMENT),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'failed', 'abandoned')", name="status"
        ),
        sa.CheckConstraint(
            "stop_reason IN ('end', 'watermark', 'page_limit', 'budget', 'error')",
            name="stop_reason",
        ),
        sa.Index(None, "query_hash", "started_at"),
    )
    op.create_table(
        "ad_variant",
        _id(),
        sa.Column(
            "original_ad_id",
            sa.Text,
            sa.ForeignKey("creative.ad_creative_id"),
            nullable=False,
            index=True,
        ),
        _required("user_id", sa.Integer),
        sa.Column("workspace_id", sa.Integer),
        _required("status", sa.Text),
        _required("prompt", sa.Text),
        _required("attempt", sa.Integer),
        sa.Column("lease_expires_at", _MOMENT),
        sa.Column("dify_run_id", sa.Text),
        sa.Column("dify_task_id", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("original_path", sa.Text),
        sa.Column("original_sha256", sa.Text),
        sa.Column("image_path", sa.Text),
        sa.Column("image_sha256", sa.Text),
        sa.Column("confidence_score", sa.Float),
        sa.Column("response_metadata", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("error", sa.Text),
        _now("requested_at"),
        sa.Column("completed_at", _MOMENT),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')", name="status"
        ),
        sa.CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
        sa.Index(None, "status", "requested_at"),
    )
    op.create_table(
        "creative_event",
        _id(),
        sa.Column("watch_id", sa.Integer, _cascade("watch.id"), nullable=False, index=True),
        sa.Column(
            "ad_creative_id",
            sa.Text,
            _cascade("creative.ad_creative_id"),
            nullable=False,
            index=True,
        ),
        _required("kind", sa.Text),
        _required("content_hash", sa.Text),
        _now("occurred_at"),
        sa.Column("notified_at", _MOMENT),
        sa.CheckConstraint(
            "kind IN ('baseline', 'new', 'changed', 'reactivated', 'ended')", name="kind"
        ),
    )
    op.create_table(
        "rejected_row",
        _id(),
        sa.Column("fetch_id", sa.Uuid, _cascade("fetch.id"), nullable=False, index=True),
        _required("reason", sa.Text),
        _required("payload", JSONB),
        _now("created_at"),
    )
    op.create_table(
        "watch_creative",
        sa.Column("watch_id", sa.Integer, _cascade("watch.id"), primary_key=True),
        sa.Column(
            "ad_creative_id",
            sa.Text,
            _cascade("creative.ad_creative_id"),
            primary_key=True,
            index=True,
        ),
        _now("first_matched_at"),
        _now("last_matched_at"),
    )
    op.create_table(
        "variant_feedback",
        _id(),
        sa.Column("variant_id", sa.Integer, _cascade("ad_variant.id"), nullable=False),
        _required("user_id", sa.Integer),
        sa.Column("is_approved", sa.Boolean),
        sa.Column("rating", sa.Integer),
        sa.Column("comment", sa.Text),
        _now("created_at"),
        _now("updated_at"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        sa.UniqueConstraint("variant_id", "user_id"),
    )


def downgrade() -> None:
    """Take this revision back."""
    for table in reversed(_TABLES):
        op.drop_table(table)
