"""Watches: how far their sweeps have come, ad details, and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


_PICTURE = "md5(format || '|' || coalesce(image_url, '') || '|' || coalesce(video_link, ''))"
_PICTURE_AND_SIZE = (
    "md5(format || '|' || coalesce(image_url, '') || '|' || coalesce(video_link, '')"
    " || '|' || coalesce(width, 0) || 'x' || coalesce(height, 0))"
)
_CHECKS = {
    "coverage": "coverage IN ('complete', 'partial', 'none')",
    "interval_minutes": "interval_minutes > 0",
    "max_pages": "max_pages > 0",
    "monthly_budget": "monthly_budget >= 0",
    "ended_after_days": "ended_after_days > 0",
    "details_per_sweep": "details_per_sweep >= 0",
}


def upgrade() -> None:
    """Bring the schema to this revision."""
    _replace_content_hash(_PICTURE)
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(
        op.f("ix_message_created_at"),
        "message",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.create_table(
        "creative_detail",
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column("watch_id", sa.Integer(), nullable=True),
        sa.Column(
            "asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_id", sa.Text(), nullable=True),
        sa.Column("searches_billed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("searches_cached", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("headline", sa.Text(), nullable=True),
        sa.Column("snippet", sa.Text(), nullable=True),
        sa.Column("call_to_action", sa.Text(), nullable=True),
        sa.Column("landing_url", sa.Text(), nullable=True),
        sa.Column("funded_by", sa.Text(), nullable=True),
        sa.Column(
            "variations",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ad_creative_id"],
            ["creative.ad_creative_id"],
            name=op.f("fk_creative_detail_ad_creative_id_creative"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"],
            ["watch.id"],
            name=op.f("fk_creative_detail_watch_id_watch"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("ad_creative_id", name=op.f("pk_creative_detail")),
    )
    op.create_index(
        op.f("ix_creative_detail_watch_id"), "creative_detail", ["watch_id"], unique=False
    )
    op.create_table(
        "creative_region",
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("first_shown", sa.Date(), nullable=True),
        sa.Column("last_shown", sa.Date(), nullable=True),
        sa.Column("times_shown", sa.Text(), nullable=True),
        sa.Column(
            "first_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["ad_creative_id"],
            ["creative.ad_creative_id"],
            name=op.f("fk_creative_region_ad_creative_id_creative"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ad_creative_id", "region", name=op.f("pk_creative_region")),
    )
    op.add_column(
        "creative_event", sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_creative_event_unannounced",
        "creative_event",
        ["id"],
        unique=False,
        postgresql_where=sa.text("announced_at IS NULL"),
    )
    op.create_index(
        "ix_creative_event_unnotified",
        "creative_event",
        ["watch_id", "id"],
        unique=False,
        postgresql_where=sa.text("notified_at IS NULL"),
    )
    op.add_column(
        "watch",
        sa.Column("interval_minutes", sa.Integer(), server_default=sa.text("60"), nullable=False),
    )
    op.add_column(
        "watch", sa.Column("max_pages", sa.Integer(), server_default=sa.text("5"), nullable=False)
    )
    op.add_column("watch", sa.Column("monthly_budget", sa.Integer(), nullable=True))
    op.add_column(
        "watch",
        sa.Column("ended_after_days", sa.Integer(), server_default=sa.text("7"), nullable=False),
    )
    op.add_column(
        "watch",
        sa.Column("details_per_sweep", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "watch",
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
    )
    op.add_column("watch", sa.Column("baseline_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("watch", sa.Column("complete_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "watch",
        sa.Column("has_gaps", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("watch", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("watch", sa.Column("coverage", sa.Text(), nullable=True))
    op.add_column("watch", sa.Column("problem", sa.Text(), nullable=True))
    op.add_column("watch", sa.Column("digested_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        op.f("ix_watch_due_at"),
        "watch",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("is_active"),
    )
    op.add_column(
        "watch_creative",
        sa.Column("content_hash", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
    op.add_column(
        "watch_creative", sa.Column("last_shown", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "watch_creative", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True)
    )
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_watch_{name}"), "watch", condition)


def downgrade() -> None:
    """Take this revision back."""
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_watch_{name}"), "watch", type_="check")
    op.drop_column("watch", "digested_at")
    op.drop_column("watch_creative", "ended_at")
    op.drop_column("watch_creative", "last_shown")
    op.drop_column("watch_creative", "content_hash")
    op.drop_index(
        op.f("ix_watch_due_at"), table_name="watch", postgresql_where=sa.text("is_active")
    )
    op.drop_column("watch", "problem")
    op.drop_column("watch", "coverage")
    op.drop_column("watch", "checked_at")
    op.drop_column("watch", "has_gaps")
    op.drop_column("watch", "complete_at")
    op.drop_column("watch", "baseline_at")
    op.drop_column("watch", "due_at")
    op.drop_column("watch", "details_per_sweep")
    op.drop_column("watch", "ended_after_days")
    op.drop_column("watch", "monthly_budget")
    op.drop_column("watch", "max_pages")
    op.drop_column("watch", "interval_minutes")
    op.drop_index(
        "ix_creative_event_unnotified",
        table_name="creative_event",
        postgresql_where=sa.text("notified_at IS NULL"),
    )
    op.drop_index(
        "ix_creative_event_unannounced",
        table_name="creative_event",
        postgresql_where=sa.text("announced_at IS NULL"),
    )
    op.drop_column("creative_event", "announced_at")
    op.drop_table("creative_region")
    op.drop_index(op.f("ix_creative_detail_watch_id"), table_name="creative_detail")
    op.drop_table("creative_detail")
    op.drop_index(
        op.f("ix_message_created_at"),
        table_name="message",
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.drop_table("message")
    _replace_content_hash(_PICTURE_AND_SIZE)


def _replace_content_hash(expression: str) -> None:
    """A generated column cannot be changed, only made anew."""
    op.drop_column("creative", "content_hash")
    op.add_column(
        "creative",
        sa.Column(
            "content_hash", sa.Text(), sa.Computed(expression, persisted=True), nullable=False
        ),
    )
