"""Accounts that are locked stay, so that they are told from those that never had a password."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("account", sa.Column("locked_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Take this revision back; accounts that are locked go, so that they stay so."""
    op.execute("DELETE FROM account WHERE locked_at IS NOT NULL")
    op.drop_column("account", "locked_at")
