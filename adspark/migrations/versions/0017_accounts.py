"""Accounts that sign in to the gallery, and their sessions."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "account",
        sa.Column(
            "user_id",
            sa.Integer,
            sa.ForeignKey("app_user.user_id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        _moment("updated_at", server_default=sa.text("now()")),
        sa.CheckConstraint("role IN ('reader', 'editor')", name=op.f("ck_account_role")),
    )
    op.create_table(
        "account_session",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column(
            "user_id",
            sa.Integer,
            sa.ForeignKey("account.user_id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        _moment("expires_at"),
    )


def downgrade() -> None:
    """Take this revision back; nobody can sign in any more."""
    op.drop_table("account_session")
    op.drop_table("account")


def _moment(name: str, **more: Any) -> sa.Column[Any]:  # noqa: ANN401
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, **more)
