"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "advertiser",
        sa.Column("advertiser_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("advertiser_id", name=op.f("pk_advertiser")),
    )
    op.create_index(op.f("ix_advertiser_name"), "advertiser", ["name"], unique=False)
    op.create_table(
        "rate_slot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_slot")),
    )
    op.create_index(
        op.f("ix_rate_slot_name_taken_at"), "rate_slot", ["name", "taken_at"], unique=False
    )
    op.create_table(
        "watch",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "advertiser_ids", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("creative_format", sa.Text(), nullable=True),
        sa.Column("political_ads", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "advertiser_ids <> '{}' OR text IS NOT NULL", name=op.f("ck_watch_query")
        ),
        sa.CheckConstraint(
            "creative_format IN ('text', 'image', 'video')", name=op.f("ck_watch_creative_format")
        ),
        sa.CheckConstraint(
            "platform IN ('PLAY', 'MAPS', 'SEARCH', 'SHOPPING', 'YOUTUBE')",
            name=op.f("ck_watch_platform"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_watch_user_id_name")),
    )
    op.create_table(
        "creative",
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column("advertiser_id", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("video_link", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("target_domain", sa.Text(), nullable=True),
        sa.Column("first_shown", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_shown", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_days_shown", sa.Integer(), nullable=True),
        sa.Column("details_link", sa.Text(), nullable=True),
        sa.Column("views_min", sa.BigInteger(), nullable=True),
        sa.Column("views_max", sa.BigInteger(), nullable=True),
        sa.Column("budget_min", sa.Text(), nullable=True),
        sa.Column("budget_max", sa.Text(), nullable=True),
        sa.Column("regions", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("platforms", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "content_hash",
            sa.Text(),
            sa.Computed(
                "md5(format || '|' || coalesce(image_url, '') || '|' || coalesce(video_link, '') || '|' || coalesce(width, 0) || 'x' || coalesce(height, 0))",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("format IN ('text', 'image', 'video')", name=op.f("ck_creative_format")),
        sa.ForeignKeyConstraint(
            ["advertiser_id"],
            ["advertiser.advertiser_id"],
            name=op.f("fk_creative_advertiser_id_advertiser"),
        ),
        sa.PrimaryKeyConstraint("ad_creative_id", name=op.f("pk_creative")),
    )
    op.create_index(
        op.f("ix_creative_advertiser_id_format"),
        "creative",
        ["advertiser_id", "format"],
        unique=False,
    )
    op.create_index(
        op.f("ix_creative_first_shown_last_shown"),
        "creative",
        ["first_shown", "last_shown"],
        unique=False,
    )
    op.create_index(op.f("ix_creative_last_shown"), "creative", ["last_shown"], unique=False)
    op.create_index(op.f("ix_creative_target_domain"), "creative", ["target_domain"], unique=False)
    op.create_table(
        "fetch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("query", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("query_hash", sa.Text(), nullable=False),
        sa.Column("watch_id", sa.Integer(), nullable=True),
        sa.Column("flow_run_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("searches_billed", sa.Integer(), nullable=False),
        sa.Column("searches_cached", sa.Integer(), nullable=False),
        sa.Column(
            "search_ids", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("next_page_token", sa.Text(), nullable=True),
        sa.Column("new_count", sa.Integer(), nullable=False),
        sa.Column("changed_count", sa.Integer(), nullable=False),
        sa.Column("unchanged_count", sa.Integer(), nullable=False),
        sa.Column("rejected_count", sa.Integer(), nullable=False),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'failed', 'abandoned')",
            name=op.f("ck_fetch_status"),
        ),
        sa.CheckConstraint(
            "stop_reason IN ('end', 'watermark', 'page_limit', 'budget', 'error')",
            name=op.f("ck_fetch_stop_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.id"], name=op.f("fk_fetch_watch_id_watch"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetch")),
    )
    op.create_index(op.f("ix_fetch_flow_run_id"), "fetch", ["flow_run_id"], unique=False)
    op.create_index(
        op.f("ix_fetch_query_hash_started_at"), "fetch", ["query_hash", "started_at"], unique=False
    )
    op.create_index(op.f("ix_fetch_started_at"), "fetch", ["started_at"], unique=False)
    op.create_index(op.f("ix_fetch_watch_id"), "fetch", ["watch_id"], unique=False)
    op.create_table(
        "ad_variant",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("original_ad_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dify_run_id", sa.Text(), nullable=True),
        sa.Column("dify_task_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("original_path", sa.Text(), nullable=True),
        sa.Column("original_sha256", sa.Text(), nullable=True),
        sa.Column("image_path", sa.Text(), nullable=True),
        sa.Column("image_sha256", sa.Text(), nullable=True),
        sa.Column("confidence_score", sa.Float(), nullable=True),
        sa.Column(
            "response_metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_ad_variant_status"),
        ),
        sa.CheckConstraint(
            "confidence_score BETWEEN 0 AND 1", name=op.f("ck_ad_variant_confidence_score")
        ),
        sa.ForeignKeyConstraint(
            ["original_ad_id"],
            ["creative.ad_creative_id"],
            name=op.f("fk_ad_variant_original_ad_id_creative"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ad_variant")),
    )
    op.create_index(
        op.f("ix_ad_variant_original_ad_id"), "ad_variant", ["original_ad_id"], unique=False
    )
    op.create_index(
        op.f("ix_ad_variant_status_requested_at"),
        "ad_variant",
        ["status", "requested_at"],
        unique=False,
    )
    op.create_table(
        "creative_event",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("watch_id", sa.Integer(), nullable=False),
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column(
            "occurred_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('baseline', 'new', 'changed', 'reactivated', 'ended')",
            name=op.f("ck_creative_event_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["ad_creative_id"],
            ["creative.ad_creative_id"],
            name=op.f("fk_creative_event_ad_creative_id_creative"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"],
            ["watch.id"],
            name=op.f("fk_creative_event_watch_id_watch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_creative_event")),
    )
    op.create_index(
        op.f("ix_creative_event_ad_creative_id"), "creative_event", ["ad_creative_id"], unique=False
    )
    op.create_index(
        op.f("ix_creative_event_watch_id"), "creative_event", ["watch_id"], unique=False
    )
    op.create_table(
        "rejected_row",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("fetch_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["fetch_id"],
            ["fetch.id"],
            name=op.f("fk_rejected_row_fetch_id_fetch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_row")),
    )
    op.create_index(op.f("ix_rejected_row_fetch_id"), "rejected_row", ["fetch_id"], unique=False)
    op.create_table(
        "watch_creative",
        sa.Column("watch_id", sa.Integer(), nullable=False),
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column(
            "first_matched_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "last_matched_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["ad_creative_id"],
            ["creative.ad_creative_id"],
            name=op.f("fk_watch_creative_ad_creative_id_creative"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"],
            ["watch.id"],
            name=op.f("fk_watch_creative_watch_id_watch"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("watch_id", "ad_creative_id", name=op.f("pk_watch_creative")),
    )
    op.create_index(
        op.f("ix_watch_creative_ad_creative_id"), "watch_creative", ["ad_creative_id"], unique=False
    )
    op.create_table(
        "variant_feedback",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_variant_feedback_rating")),
        sa.ForeignKeyConstraint(
            ["variant_id"],
            ["ad_variant.id"],
            name=op.f("fk_variant_feedback_variant_id_ad_variant"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_feedback")),
        sa.UniqueConstraint(
            "variant_id", "user_id", name=op.f("uq_variant_feedback_variant_id_user_id")
        ),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("variant_feedback")
    op.drop_index(op.f("ix_watch_creative_ad_creative_id"), table_name="watch_creative")
    op.drop_table("watch_creative")
    op.drop_index(op.f("ix_rejected_row_fetch_id"), table_name="rejected_row")
    op.drop_table("rejected_row")
    op.drop_index(op.f("ix_creative_event_watch_id"), table_name="creative_event")
    op.drop_index(op.f("ix_creative_event_ad_creative_id"), table_name="creative_event")
    op.drop_table("creative_event")
    op.drop_index(op.f("ix_ad_variant_status_requested_at"), table_name="ad_variant")
    op.drop_index(op.f("ix_ad_variant_original_ad_id"), table_name="ad_variant")
    op.drop_table("ad_variant")
    op.drop_index(op.f("ix_fetch_watch_id"), table_name="fetch")
    op.drop_index(op.f("ix_fetch_started_at"), table_name="fetch")
    op.drop_index(op.f("ix_fetch_query_hash_started_at"), table_name="fetch")
    op.drop_index(op.f("ix_fetch_flow_run_id"), table_name="fetch")
    op.drop_table("fetch")
    op.drop_index(op.f("ix_creative_target_domain"), table_name="creative")
    op.drop_index(op.f("ix_creative_last_shown"), table_name="creative")
    op.drop_index(op.f("ix_creative_first_shown_last_shown"), table_name="creative")
    op.drop_index(op.f("ix_creative_advertiser_id_format"), table_name="creative")
    op.drop_table("creative")
    op.drop_table("watch")
    op.drop_index(op.f("ix_rate_slot_name_taken_at"), table_name="rate_slot")
    op.drop_table("rate_slot")
    op.drop_index(op.f("ix_advertiser_name"), table_name="advertiser")
    op.drop_table("advertiser")
