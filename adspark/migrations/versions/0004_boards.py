"""Boards: users' named collections of stored ads."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "board",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_board_user_id_name")),
    )
    op.create_table(
        "board_creative",
        sa.Column("board_id", sa.Integer(), nullable=False),
        sa.Column("ad_creative_id", sa.Text(), nullable=False),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["ad_creative_id"],
            ["creative.ad_creative_id"],
            name=op.f("fk_board_creative_ad_creative_id_creative"),
        ),
        sa.ForeignKeyConstraint(
            ["board_id"],
            ["board.id"],
            name=op.f("fk_board_creative_board_id_board"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("board_id", "ad_creative_id", name=op.f("pk_board_creative")),
    )
    op.create_index(
        op.f("ix_board_creative_ad_creative_id"), "board_creative", ["ad_creative_id"], unique=False
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index(op.f("ix_board_creative_ad_creative_id"), table_name="board_creative")
    op.drop_table("board_creative")
    op.drop_table("board")
