"""Watches: how far their sweeps have come, ad details, and the outbox."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
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


def _default(name: str, kind: type[sa.types.TypeEngine[Any]], default: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text(default))


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(name, _MOMENT, nullable=False, server_default=sa.text("now()"))


def _of_creative() -> sa.ForeignKey:
    return sa.ForeignKey("creative.ad_creative_id", ondelete="CASCADE")


def _columns() -> dict[str, list[sa.Column[Any]]]:
    """The columns that existing tables get."""
    return {
        "creative_event": [sa.Column("announced_at", _MOMENT)],
        "watch": [
            _default("interval_minutes", sa.Integer, "60"),
            _default("max_pages", sa.Integer, "5"),
            sa.Column("monthly_budget", sa.Integer),
            _default("ended_after_days", sa.Integer, "7"),
            _default("details_per_sweep", sa.Integer, "0"),
            _now("due_at"),
            sa.Column("baseline_at", _MOMENT),
            sa.Column("complete_at", _MOMENT),
            _default("has_gaps", sa.Boolean, "false"),
            sa.Column("checked_at", _MOMENT),
            sa.Column("coverage", sa.Text),
            sa.Column("problem", sa.Text),
            sa.Column("digested_at", _MOMENT),
        ],
        "watch_creative": [
            _default("content_hash", sa.Text, "''"),
            sa.Column("last_shown", _MOMENT),
            sa.Column("ended_at", _MOMENT),
        ],
    }


def upgrade() -> None:
    """Bring the schema to this revision."""
    _replace_content_hash(_PICTURE)
    op.create_table(
        "message",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        _now("created_at"),
        _default("attempts", sa.Integer, "0"),
        sa.Column("sending_at", _MOMENT),
        sa.Column("delivered_at", _MOMENT),
        sa.Column("error", sa.Text),
        sa.Index(None, "created_at", postgresql_where=sa.text("delivered_at IS NULL")),
    )
    op.create_table(
        "creative_detail",
        sa.Column("ad_creative_id", sa.Text, _of_creative(), primary_key=True),
        sa.Column(
            "watch_id", sa.Integer, sa.ForeignKey("watch.id", ondelete="SET NULL"), index=True
        ),
        _now("asked_at"),
        _default("attempts", sa.Integer, "1"),
        sa.Column("answered_at", _MOMENT),
        sa.Column("search_id", sa.Text),
        _default("searches_billed", sa.Integer, "0"),
        _default("searches_cached", sa.Integer, "0"),
        sa.Column("headline", sa.Text),
        sa.Column("snippet", sa.Text),
        sa.Column("call_to_action", sa.Text),
        sa.Column("landing_url", sa.Text),
        sa.Column("funded_by", sa.Text),
        _default("variations", JSONB, "'[]'"),
        sa.Column("error", sa.Text),
    )
    op.create_table(
        "creative_region",
        sa.Column("ad_creative_id", sa.Text, _of_creative(), primary_key=True),
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("first_shown", sa.Date),
        sa.Column("last_shown", sa.Date),
        sa.Column("times_shown", sa.Text),
        _now("first_seen_at"),
    )
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    for name, table, keys, condition in (
        ("ix_creative_event_unannounced", "creative_event", ["id"], "announced_at IS NULL"),
        (
            "ix_creative_event_unnotified",
            "creative_event",
            ["watch_id", "id"],
            "notified_at IS NULL",
        ),
        ("ix_watch_due_at", "watch", ["due_at"], "is_active"),
    ):
        op.create_index(name, table, keys, postgresql_where=sa.text(condition))
    for name, condition in _CHECKS.items():
        op.create_check_constraint(name, "watch", condition)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index("ix_creative_event_unnotified", table_name="creative_event")
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
    for table in ("creative_region", "creative_detail", "message"):
        op.drop_table(table)
    _replace_content_hash(_PICTURE_AND_SIZE)


def _replace_content_hash(expression: str) -> None:
    """A generated column cannot be changed, only made anew."""
    content_hash = sa.Column(
        "content_hash", sa.Text, sa.Computed(expression, persisted=True), nullable=False
    )
    op.drop_column("creative", "content_hash")
    op.add_column("creative", content_hash)
