"""Users' names beside their numbers, and which of their tags, titles and notes all users see."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SHARED = ("is_title_shared", "is_note_shared")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "app_user",
        sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False, unique=True),
        _now("created_at"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name=op.f("ck_app_user_name")),
        sa.CheckConstraint("name_key !~ '^[+-]?[0-9]*$'", name=op.f("ck_app_user_name_key")),
    )
    op.create_table(
        "shared_tag",
        sa.Column("user_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tag", sa.Text, primary_key=True),
        _now("created_at"),
    )
    for name in _SHARED:
        shared = sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text("false"))
        op.add_column("creative_note", shared)


def downgrade() -> None:
    """Take this revision back; users' names, and what was shared, are lost."""
    for name in _SHARED:
        op.drop_column("creative_note", name)
    op.drop_table("shared_tag")
    op.drop_table("app_user")


def _now(name: str) -> sa.Column[Any]:
    moment = sa.DateTime(timezone=True)
    return sa.Column(name, moment, nullable=False, server_default=sa.text("now()"))
