"""Versions of brand rules, what a variant's check by them came to, and why it was overruled."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "rule_version",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("user_id", sa.Integer),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.UniqueConstraint(
            "user_id",
            "version",
            name=op.f("uq_rule_version_user_id_version"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_rule_version_version")),
    )
    op.add_column("ad_variant", sa.Column("rule_check", JSONB))
    op.add_column(
        "ad_variant",
        sa.Column("failed_rules", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    op.create_check_constraint(
        op.f("ck_ad_variant_failed_rules"), "ad_variant", "failed_rules >= 0"
    )
    op.add_column("variant_feedback", sa.Column("overrule_reason", sa.Text))
    op.create_check_constraint(
        op.f("ck_variant_feedback_overrule_reason"),
        "variant_feedback",
        "overrule_reason ~ '[^[:space:]]'",
    )


def downgrade() -> None:
    """Take this revision back; rules, checks and reasons are lost."""
    op.drop_column("variant_feedback", "overrule_reason")
    op.drop_column("ad_variant", "failed_rules")
    op.drop_column("ad_variant", "rule_check")
    op.drop_table("rule_version")
