"""Until when an ad is claimed for the look-up of its details, so that no two pay for them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("creative_detail", sa.Column("claimed_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("creative_detail", "claimed_until")
