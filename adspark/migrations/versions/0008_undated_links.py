"""Which fetch listed a watch's ad without a day, so that it is not taken for ended by that fetch."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("watch_creative", sa.Column("undated_fetch_id", sa.Uuid()))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("watch_creative", "undated_fetch_id")
