"""Variants: attempts that are paid once, what became of them, and their review."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UNIQUE = ("token", "requested_by")
_TEXTS = ("generator", "receipt_run_id", "receipt_task_id", "problem", "error_kind")


def upgrade() -> None:
    """Bring the schema to this revision."""
    for name in ("lease_expires_at", "dify_run_id", "dify_task_id"):
        op.drop_column("ad_variant", name)
    for name in _TEXTS:
        op.add_column("ad_variant", sa.Column(name, sa.Text()))
    for name in ("requested_by", "flow_run_id", "review_run_id"):
        op.add_column("ad_variant", sa.Column(name, sa.Uuid()))
    op.add_column(
        "ad_variant",
        sa.Column("token", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
    )
    for name in _UNIQUE:
        op.create_unique_constraint(f"uq_ad_variant_{name}", "ad_variant", [name])
    for name in ("asked_at", "started_at"):
        op.add_column("ad_variant", sa.Column(name, sa.DateTime(timezone=True)))
    for name in ("picture_similarity", "text_similarity"):
        op.add_column("ad_variant", sa.Column(name, sa.Float()))
    for table, name in (
        ("ad_variant", "is_too_close"),
        ("ad_variant", "wants_review"),
        ("variant_feedback", "accepts_closeness"),
    ):
        op.add_column(
            table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))
        )
    op.execute("UPDATE ad_variant SET attempt = 1 WHERE attempt < 1")
    op.alter_column("ad_variant", "attempt", server_default=sa.text("1"))
    op.create_check_constraint(op.f("ck_ad_variant_attempt"), "ad_variant", "attempt > 0")


def downgrade() -> None:
    """Take this revision back."""
    op.drop_constraint(op.f("ck_ad_variant_attempt"), "ad_variant", type_="check")
    op.alter_column("ad_variant", "attempt", server_default=None)
    op.drop_column("variant_feedback", "accepts_closeness")
    for name in _UNIQUE:
        op.drop_constraint(f"uq_ad_variant_{name}", "ad_variant")
    for name in (
        *_TEXTS,
        *_UNIQUE,
        "flow_run_id",
        "review_run_id",
        "asked_at",
        "started_at",
        "picture_similarity",
        "text_similarity",
        "is_too_close",
        "wants_review",
    ):
        op.drop_column("ad_variant", name)
    op.add_column("ad_variant", sa.Column("lease_expires_at", sa.DateTime(timezone=True)))
    for name in ("dify_run_id", "dify_task_id"):
        op.add_column("ad_variant", sa.Column(name, sa.Text()))
