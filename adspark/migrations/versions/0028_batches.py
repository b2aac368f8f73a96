"""Batches of variants, users' budgets of generations with what was used of them, and lineage."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision; what was submitted before counts as used."""
    _make_tables()
    op.add_column("ad_variant", sa.Column("original_version", sa.Text()))
    op.add_column("ad_variant", sa.Column("parent_id", sa.Integer))
    op.add_column("ad_variant", sa.Column("batch_id", sa.Integer))
    for column, table, end in (
        ("parent_id", "ad_variant", "SET NULL"),
        ("batch_id", "variant_batch", None),
    ):
        name = op.f(f"fk_ad_variant_{column}_{table}")
        op.create_foreign_key(name, "ad_variant", table, [column], ["id"], ondelete=end)
        op.create_index(f"ix_ad_variant_{column}", "ad_variant", [column])
    op.create_index(
        "ix_ad_variant_unsubmitted",
        "ad_variant",
        ["user_id"],
        postgresql_where=sa.text("status IN ('pending', 'processing') AND asked_at IS NULL"),
    )
    op.execute(
        "INSERT INTO generation_use (variant_id, attempt, user_id, used_at) "
        "SELECT id, attempt, user_id, asked_at FROM ad_variant WHERE asked_at IS NOT NULL"
    )


def _make_tables() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "variant_batch",
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid, nullable=False, unique=True),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("already_there", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", moment, nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'cancelled')", name=op.f("ck_variant_batch_state")
        ),
        sa.CheckConstraint("already_there >= 0", name=op.f("ck_variant_batch_already_there")),
    )
    op.create_table(
        "generation_budget",
        sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("monthly", sa.Integer, nullable=False),
        sa.CheckConstraint("monthly >= 0", name=op.f("ck_generation_budget_monthly")),
    )
    op.create_table(
        "generation_use",
        sa.Column("variant_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("used_at", moment, nullable=False, server_default=sa.func.now()),
    )
    op.create_index("ix_generation_use_user_id_used_at", "generation_use", ["user_id", "used_at"])


def downgrade() -> None:
    """Take this revision back; batches, budgets and lineage are lost."""
    op.drop_index("ix_ad_variant_unsubmitted", "ad_variant")
    for column in ("batch_id", "parent_id", "original_version"):
        op.drop_column("ad_variant", column)
    for table in ("generation_use", "generation_budget", "variant_batch"):
        op.drop_table(table)
