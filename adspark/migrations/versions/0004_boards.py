"""Boards: users' named collections of stored ads."""

from typing import Any

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
        sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        _now("created_at"),
        sa.UniqueConstraint("user_id", "name"),
    )
    op.create_table(
        "board_creative",
        sa.Column(
            "board_id", sa.Integer, sa.ForeignKey("board.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "ad_creative_id",
            sa.Text,
            sa.ForeignKey("creative.ad_creative_id"),
            primary_key=True,
            index=True,
        ),
        _now("added_at"),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("board_creative")
    op.drop_table("board")


def _now(name: str) -> sa.Column[Any]:
    moment = sa.DateTime(timezone=True)
    return sa.Column(name, moment, nullable=False, server_default=sa.text("now()"))
