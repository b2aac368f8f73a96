"""Messages that are delivered in chunks; what a generation gave, until all of it is saved."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("ad_variant", sa.Column("generated", postgresql.JSONB()))
    op.add_column("message", sa.Column("parts", postgresql.JSONB()))
    op.add_column(
        "message",
        sa.Column("parts_delivered", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("message", "parts_delivered")
    op.drop_column("message", "parts")
    op.drop_column("ad_variant", "generated")
